"""The pool pages: what they show, what they refuse and where, and what happens at the service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import BatchAccount
from apps.audit.models import AuditEvent
from apps.gateway import pools, wire
from apps.gateway.types import Connection
from apps.operations.models import Kind, Operation, Status
from apps.pools.models import PoolSnapshot, VmPrice
from apps.pools.polling import poll_account
from emulator.testing import Emulator
from tests.people.factories import Cast, signed_in
from tests.pools.conftest import AGENT, IMAGE, SIZE, MakePool, document, finish, is_gone, until

HTMX = {"HX-Request": "true"}
CHOSEN_IMAGE = "/".join(IMAGE.values())
SIGNED = "https://store.blob.core.windows.net/c/f?sv=1&sig=hidden-signature"


@pytest.fixture
def operator(cast: Cast) -> Client:
    return signed_in(cast.operator)


@pytest.fixture
def reader(cast: Cast) -> Client:
    return signed_in(cast.reader)


def url(name: str, **parts: str) -> str:
    return reverse(f"pools:{name}", kwargs={"account": "local", **parts})


def text(response: Any) -> str:
    return str(response.content.decode())


def filled(**more: str) -> dict[str, str]:
    """The least that makes a pool."""
    return {"pool_id": "linux", "image": CHOSEN_IMAGE, "vmSize": SIZE, "scale": "fixed", **more}


# --- Lists and details ----------------------------------------------------------------------------------------------
def test_the_blade_filters_sorts_and_counts(make_pool: MakePool, reader: Client) -> None:
    make_pool("linux-a", nodes=2)
    make_pool("linux-b")
    make_pool("windows")
    page = reader.get(url("list"), {"q": "linux*", "sort": "-dedicated"})
    assert [row.pool.pool_id for row in page.context["page"].object_list] == ["linux-a", "linux-b"]
    assert "2 Idle" in text(page)
    assert [row.pool.pool_id for row in reader.get(url("list"), {"q": "nux-b"}).context["page"].object_list] == [
        "linux-b"
    ]
    assert "Nothing matches" in text(reader.get(url("list"), {"state": "resizing"}))
    lines = b"".join(reader.get(url("list-csv"), {"q": "linux*"})).decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["linux-a", "linux-b"]


def test_the_blade_needs_the_same_queries_for_few_and_many(
    make_pool: MakePool, account: BatchAccount, reader: Client, django_assert_max_num_queries: Any
) -> None:
    make_pool()
    rows = [PoolSnapshot(account=account, pool_id=f"pool{index}", state="active") for index in range(200)]
    PoolSnapshot.objects.bulk_create(rows)
    with django_assert_max_num_queries(12):
        assert reader.get(url("list")).status_code == 200


def test_an_account_that_was_never_read_says_so(reader: Client) -> None:
    assert "are being read" in text(reader.get(url("list")))


def test_resize_errors_are_explained(make_pool: MakePool, account: BatchAccount, reader: Client) -> None:
    pool = make_pool()
    PoolSnapshot.objects.filter(pk=pool.pk).update(
        resize_errors=[{"code": "AccountCoreQuotaReached", "message": "Quota.", "details": [["Limit", "20"]]}]
    )
    shown = text(reader.get(url("detail", pool="linux")))
    assert "Shrink another pool" in shown
    assert "Limit: 20" in shown


def test_the_history_is_there_for_the_chart(make_pool: MakePool, reader: Client) -> None:
    make_pool(nodes=2)
    found = reader.get(url("history", pool="linux"), {"span": "1h"}).json()
    assert (found["target"][-1], found["states"][0]["state"], found["states"][0]["nodes"][-1]) == (2, "idle", 2)


def test_an_unknown_pool_is_not_there(reader: Client, account: BatchAccount) -> None:
    assert reader.get(url("detail", pool="nope")).status_code == 404


def test_who_may_only_read_sees_no_secret_of_a_pool(make_pool: MakePool, reader: Client, operator: Client) -> None:
    task = {
        "commandLine": "/bin/true",
        "environmentSettings": [{"name": "TOKEN", "value": "hidden-value"}],
        "resourceFiles": [{"httpUrl": SIGNED, "filePath": "f"}],
    }
    make_pool(more={"startTask": task})
    for name in ("configuration", "json", "start-task"):
        address = url(name, pool="linux")
        seen = text(reader.get(address, {"live": "1"}, headers=HTMX))
        assert "TOKEN" in seen
        assert "hidden-value" not in seen
        assert "hidden-signature" not in seen
    assert "hidden-value" in text(operator.get(url("json", pool="linux")))
    kept = json.dumps(list(PoolSnapshot.objects.values()), default=str)
    assert "hidden" not in kept


# --- Making ---------------------------------------------------------------------------------------------------------
def test_a_pool_is_made_and_followed(
    operator: Client, account: BatchAccount, connection: Connection, cast: Cast
) -> None:
    sent = filled(targetDedicatedNodes="2", **{"rows:metadata": "1"})
    sent |= {"metadata[0].name": "emulator:nodes", "metadata[0].value": "simulated"}
    answer = operator.post(url("new"), sent)
    operation = Operation.objects.get(kind=Kind.POOL_RESIZE)
    assert (answer.status_code, answer["Location"]) == (302, f"/operations/{operation.pk}/")
    found = pools.pool_get(connection, "linux")
    assert (found.target_dedicated, found.node_agent_sku_id, found.vm_size) == (2, AGENT, SIZE)
    assert finish(operation).status == Status.SUCCEEDED
    assert operation.message_values["dedicated"] == 2
    assert AuditEvent.objects.get(action="pool-create").resource == "linux"


def test_what_breaks_a_rule_stands_at_its_field_and_nothing_typed_is_lost(operator: Client) -> None:
    answer = operator.post(
        url("new"), filled(pool_id="a b", vmSize="huge", displayName="Kept", taskSlotsPerNode="1000")
    )
    form = answer.context["form"]
    assert answer.status_code == 422
    assert {"pool_id", "vmSize", "taskSlotsPerNode"} <= set(form.errors)
    assert 'value="Kept"' in text(answer)


def test_an_id_that_is_taken_at_the_service_is_told_at_its_field(operator: Client, connection: Connection) -> None:
    pools.pool_create(connection, document("LINUX"))
    answer = operator.post(url("new"), filled())
    assert answer.status_code == 422
    assert "pool_id" in answer.context["form"].errors


def test_a_service_that_is_away_loses_nothing_that_was_typed(operator: Client, service: Emulator) -> None:
    operator.post(url("new"), filled(pool_id=""))  # the lists of images and sizes are known by then
    service.fault(operation="data.create_pool", status=503, code="ServerBusy", retry_after=60)
    answer = operator.post(url("new"), filled(displayName="Kept"))
    assert answer.status_code == 503
    assert 'value="Kept"' in text(answer)
    assert "slow down" in text(answer)


def test_rows_are_added_without_errors(operator: Client) -> None:
    answer = operator.post(url("new"), filled(pool_id="", **{"row-add": "startTask.resourceFiles"}), headers=HTMX)
    assert answer.status_code == 200
    assert 'name="startTask.resourceFiles[0].httpUrl"' in text(answer)
    assert not answer.context["form"].errors


def test_the_summary_follows_the_form(operator: Client) -> None:
    shown = text(operator.post(url("new-preview"), filled(pool_id="", targetDedicatedNodes="5"), headers=HTMX))
    assert "Give the pool an ID." in shown
    assert "&quot;targetDedicatedNodes&quot;: 5" in shown
    row = {"rows:userAccounts": "1", "userAccounts[0].name": "u", "userAccounts[0].password": "never-shown"}
    assert "never-shown" not in text(operator.post(url("new-preview"), filled(**row), headers=HTMX))


def test_a_clone_begins_with_what_the_pool_has(make_pool: MakePool, operator: Client) -> None:
    make_pool(more={"taskSlotsPerNode": 2, "startTask": {"commandLine": "/bin/echo clone"}})
    form = operator.get(url("new"), {"from": "linux"}).context["form"]
    assert form["pool_id"].value() == "linux-copy"
    assert form["image"].value() == CHOSEN_IMAGE
    assert (form["taskSlotsPerNode"].value(), form["startTask.commandLine"].value()) == (2, "/bin/echo clone")


def test_what_is_exported_makes_the_same_pool(make_pool: MakePool, operator: Client, connection: Connection) -> None:
    make_pool(more={"taskSlotsPerNode": 2})
    exported = operator.get(url("json", pool="linux")).json()
    answer = operator.post(url("new-json"), {"document": json.dumps(exported | {"id": "again"})})
    assert answer.status_code == 302
    assert pools.pool_get(connection, "again").task_slots == 2


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("{", "This is not JSON"),
        ("[]", "not a JSON object"),
        ('{"id": "x", "cloudServiceConfiguration": {}}', "retired on 29 February 2024"),
        ("", "This is not JSON"),
    ],
)
def test_json_that_is_none_or_breaks_rules_is_explained(operator: Client, sent: str, said: str) -> None:
    answer = operator.post(url("new-json"), {"document": sent})
    assert answer.status_code == 422
    assert said in text(answer)
    assert not Operation.objects.exists()


def test_images_and_sizes_are_found(operator: Client) -> None:
    shown = text(operator.get(url("images"), {"image_q": "ubuntu 24"}))
    assert "ubuntu-24_04-lts" in shown
    assert "windowsserver" not in shown
    shown = text(operator.get(url("sizes"), {"size_cores": "8", "size_q": "d8s_v5"}))
    assert "Standard_D8s_v5" in shown
    assert "Standard_D2s_v5" not in shown


# --- Scaling --------------------------------------------------------------------------------------------------------
def test_a_pool_is_resized_as_an_operation(make_pool: MakePool, operator: Client, connection: Connection) -> None:
    make_pool(nodes=1)
    answer = operator.post(url("scale", pool="linux"), {"dedicated": "3", "spot": "1", "deallocation": "requeue"})
    assert answer.status_code == 302
    operation = finish(Operation.objects.get(kind=Kind.POOL_RESIZE))
    assert (operation.status, operation.done, operation.total) == (Status.SUCCEEDED, 3, 3)
    found = pools.pool_get(connection, "linux")
    assert (found.current_dedicated, found.current_spot) == (3, 1)


def test_a_resize_that_falls_short_says_why(make_pool: MakePool, operator: Client) -> None:
    make_pool()
    operator.post(url("scale", pool="linux"), {"dedicated": "5000", "spot": "0", "deallocation": "requeue"})
    operation = finish(Operation.objects.get(kind=Kind.POOL_RESIZE))
    assert operation.status == Status.FAILED
    assert operation.message_values["service_code"] == "AccountCoreQuotaReached"


def test_a_resize_that_was_asked_for_before_a_crash_is_followed(
    make_pool: MakePool, operator: Client, connection: Connection
) -> None:
    make_pool()
    operator.post(url("scale", pool="linux"), {"dedicated": "2", "spot": "0", "deallocation": "requeue"})
    pools.pool_resize(connection, "linux", dedicated=2, spot=0)  # the worker died before it wrote that down
    assert finish(Operation.objects.get(kind=Kind.POOL_RESIZE)).status == Status.SUCCEEDED


@pytest.mark.parametrize("wrong", [{"dedicated": "-1"}, {"dedicated": ""}, {"timeout": "4"}, {"deallocation": "x"}])
def test_wrong_targets_are_refused_at_their_fields(
    make_pool: MakePool, operator: Client, wrong: dict[str, str]
) -> None:
    make_pool()
    sent = {"dedicated": "1", "spot": "0", "deallocation": "requeue"} | wrong
    answer = operator.post(url("scale", pool="linux"), sent)
    assert answer.status_code == 422
    assert set(answer.context["targets"].errors) == set(wrong)
    assert not Operation.objects.exists()


def test_a_formula_is_evaluated_without_following_it(
    make_pool: MakePool, operator: Client, connection: Connection
) -> None:
    make_pool(nodes=1)
    answer = operator.post(url("formula", pool="linux"), {"formula": "$TargetDedicatedNodes = 7;", "evaluate": "1"})
    assert answer.status_code == 200
    assert dict(answer.context["run"].results)["$TargetDedicatedNodes"] == "7"
    found = pools.pool_get(connection, "linux")
    assert (found.auto_scale, found.target_dedicated) == (False, 1)


def test_a_formula_is_followed_and_turned_off(make_pool: MakePool, operator: Client, connection: Connection) -> None:
    make_pool()
    sent = {"formula": "$TargetDedicatedNodes = 0;", "interval": "5"}
    assert operator.post(url("formula", pool="linux"), sent).status_code == 302
    assert pools.pool_get(connection, "linux").auto_scale
    resize = operator.post(url("scale", pool="linux"), {"dedicated": "1", "spot": "0", "deallocation": "requeue"})
    assert resize.status_code == 409
    assert operator.post(url("formula-off", pool="linux")).status_code == 302
    assert not pools.pool_get(connection, "linux").auto_scale


def test_a_formula_with_an_error_is_told_at_its_field(make_pool: MakePool, operator: Client) -> None:
    make_pool()
    answer = operator.post(url("formula", pool="linux"), {"formula": "$TargetDedicatedNodes = ;"})
    assert answer.status_code in {409, 422}
    assert answer.context["formula"].errors
    assert "$TargetDedicatedNodes = ;" in text(answer)


# --- Changing -------------------------------------------------------------------------------------------------------
def test_a_start_task_is_changed_and_the_page_names_who_lacks_it(
    make_pool: MakePool, operator: Client, account: BatchAccount, connection: Connection
) -> None:
    pool = make_pool(nodes=1)
    page = operator.get(url("start-task", pool="linux"), {"live": "1"}, headers=HTMX)
    sent = {"etag": page.context["etag"], "startTask.commandLine": "/bin/true", "startTask.waitForSuccess": "on"}
    assert operator.post(url("start-task", pool="linux"), sent).status_code == 302
    assert pools.pool_get(connection, "linux").wire["startTask"]["commandLine"] == "/bin/true"
    assert poll_account(account)
    assert pool.nodes.get().node_id in text(operator.get(url("start-task", pool="linux")))
    # What another tool changed since the page was made is not overwritten.
    again = operator.post(url("start-task", pool="linux"), sent)
    assert again.status_code == 409
    assert "Somebody changed" in text(again)
    fresh = operator.get(url("start-task", pool="linux"), {"live": "1"}, headers=HTMX).context["etag"]
    assert operator.post(url("start-task", pool="linux"), {"etag": fresh}).status_code == 302
    assert "startTask" not in pools.pool_get(connection, "linux").wire


def test_metadata_is_changed(make_pool: MakePool, operator: Client, connection: Connection) -> None:
    make_pool()
    rows = {"rows:metadata": "2", "metadata[0].name": "a", "metadata[0].value": "1", "metadata[1].value": "lost"}
    answer = operator.post(url("metadata", pool="linux"), rows)
    assert answer.status_code == 422
    assert answer.context["form"].errors["metadata[1].name"]
    assert operator.post(url("metadata", pool="linux"), rows | {"metadata[1].name": "b"}).status_code == 302
    assert pools.pool_get(connection, "linux").metadata == (("a", "1"), ("b", "lost"))


def test_a_package_that_is_not_there_is_refused(make_pool: MakePool, operator: Client, service: Emulator) -> None:
    make_pool()
    service.link_storage("devstoreaccount1")
    row = {"rows:applicationPackageReferences": "1", "applicationPackageReferences[0].reference": "blender|2.7"}
    answer = operator.post(url("packages", pool="linux"), row)
    assert answer.status_code == 422
    assert answer.context["form"].errors["applicationPackageReferences[0].reference"]


# --- Deleting and prices --------------------------------------------------------------------------------------------
def test_a_pool_is_deleted_after_its_id_was_typed(
    make_pool: MakePool, operator: Client, account: BatchAccount, connection: Connection
) -> None:
    make_pool(nodes=2)
    assert "2 nodes" in text(operator.get(url("delete", pool="linux")))
    refused = operator.post(url("delete", pool="linux"), {"confirm": "linu"})
    assert refused.status_code == 422
    assert not Operation.objects.exists()
    assert operator.post(url("delete", pool="linux"), {"confirm": "linux"}).status_code == 302
    assert finish(Operation.objects.get(kind=Kind.POOL_DELETE)).status == Status.SUCCEEDED
    assert is_gone(connection, "linux")


def test_deleting_names_the_jobs_that_point_to_the_pool(
    make_pool: MakePool, operator: Client, connection: Connection
) -> None:
    make_pool()
    wire.post(connection, "/jobs", {"id": "nightly-job", "poolInfo": {"poolId": "linux"}})
    assert "nightly-job" in text(operator.get(url("delete", pool="linux")))


def test_costs_are_estimated_from_entered_prices(make_pool: MakePool, cast: Cast, reader: Client) -> None:
    make_pool(nodes=2)
    admin = signed_in(cast.admin)
    sent = {"vm_size": SIZE.upper(), "dedicated": "0.25", "spot": "", "currency": "eur"}
    assert admin.post(url("prices"), sent).status_code == 302
    assert "0.50 EUR" in text(reader.get(url("detail", pool="linux")))
    assert admin.post(url("prices"), sent | {"currency": "euro"}).status_code == 422
    admin.post(url("prices"), sent | {"dedicated": ""})
    assert not VmPrice.objects.exists()


def test_stopping_a_resize(make_pool: MakePool, operator: Client, service: Emulator, connection: Connection) -> None:
    make_pool()
    assert operator.post(url("stop-resize", pool="linux")).status_code == 409
    service.clock(paused=True)
    pools.pool_resize(connection, "linux", dedicated=3)
    assert operator.post(url("stop-resize", pool="linux")).status_code == 302
    service.clock(paused=False)
    until(lambda: pools.pool_get(connection, "linux").allocation_state == "steady")
    assert pools.pool_get(connection, "linux").resize_errors[0].code == "ResizeStopped"
