"""What is left of a node's disk, users and preparations when the node gets a new machine."""

import pytest
from azure.batch import BatchClient
from azure.batch import models as m
from azure.core.exceptions import ResourceNotFoundError

from emulator.testing import Emulator
from tests.emulator.estate import REIMAGE, node_is, nodes_in, pool, until


def prepared_task(batch: BatchClient, name: str) -> str:
    """What the preparation of the job has left on the node, seen from a task."""
    command = "/bin/sh -c 'cat $AZ_BATCH_NODE_SHARED_DIR/prepared'"
    batch.create_task("j", m.BatchTaskCreateOptions(id=name, command_line=command))
    until(lambda: batch.get_task("j", name).state, lambda state: state == "completed")
    return b"".join(batch.download_task_file("j", name, "stdout.txt")).decode()


@pytest.mark.parametrize("renewal", ["reimage", "preemption"])
def test_a_new_machine_is_prepared_again_and_knows_no_users(
    emulator: Emulator, batch: BatchClient, renewal: str
) -> None:
    batch.create_pool(pool(target_low_priority_nodes=1))
    (node,) = nodes_in(batch, "idle", 1)
    preparation = m.BatchJobPreparationTask(
        command_line="/bin/sh -c 'echo prepared >> $AZ_BATCH_NODE_SHARED_DIR/prepared'",
        rerun_on_node_reboot_after_success=False,
    )
    job = m.BatchJobCreateOptions(id="j", pool_info=m.BatchPoolInfo(pool_id="p"), job_preparation_task=preparation)
    batch.create_job(job)
    batch.create_node_user("p", node.id, m.BatchNodeUserCreateOptions(name="somebody", password="Str0ng-enough!"))
    assert prepared_task(batch, "first") == "prepared\n"
    assert prepared_task(batch, "second") == "prepared\n"
    if renewal == "reimage":
        batch.begin_reimage_node("p", node.id, REIMAGE)
    else:
        emulator.disturb("p", "preempted", nodes=[node.id])
        assert batch.get_node("p", node.id).state == "preempted"
        emulator.disturb("p", "recovered", nodes=[node.id])
    node_is(batch, node.id, "idle")
    assert prepared_task(batch, "third") == "prepared\n"
    with pytest.raises(ResourceNotFoundError):
        batch.delete_node_user("p", node.id, "somebody")
