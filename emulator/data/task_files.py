"""Files of tasks, where they lie: on the node that the task runs or ran on."""

from starlette.responses import Response

from emulator.call import Call
from emulator.data import files, jobs, tasks
from emulator.data.files import Tree
from emulator.errors import ServiceError
from emulator.scheduler.ports import NodeRef

_WITHOUT_FILES = frozenset({"creating", "preempted", "deallocated", "deallocating", "leavingpool", "unknown"})


def tree(call: Call) -> Tree:
    """The task's directory. Raises TaskFilesUnavailable, or TaskFilesCleanedup when it was removed meanwhile."""
    record, job = tasks.find(call), jobs.find(call)
    info = record.task.node_info
    if info is None or info.task_root_directory is None:
        raise ServiceError("TaskFilesUnavailable")
    ref = NodeRef(call.batch_account.name, info.pool_id, info.node_id)
    try:
        _, node = call.services.fleet.node(ref)
    except ServiceError:
        raise ServiceError("TaskFilesUnavailable") from None
    if node.state in _WITHOUT_FILES:
        raise ServiceError("TaskFilesUnavailable", values={"NodeState": node.state})
    folder = call.services.fleet.processes.disk(ref).root / info.task_root_directory
    if not folder.is_dir():
        raise ServiceError("TaskFilesCleanedup" if record.task.state == "completed" else "TaskFilesUnavailable")
    return Tree(folder, f"{tasks.address(call, job.job.id, record.task.id)}/files")


async def list_task_files(call: Call) -> Response:
    return await files.list_files(call, tree(call))


async def download_task_file(call: Call) -> Response:
    return await files.get_file(call, tree(call))


async def get_task_file_properties(call: Call) -> Response:
    return await files.get_properties(call, tree(call))


async def delete_task_file(call: Call) -> Response:
    return await files.delete_file(call, tree(call))
