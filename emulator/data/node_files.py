"""Files on nodes. Simulated nodes have none."""

from starlette.responses import Response

from emulator.call import Call
from emulator.data import files, nodes
from emulator.data.files import Tree
from emulator.domain import nodes as rules


def tree(call: Call) -> Tree:
    """The node's root directory. Raises the error of a state in which nothing can be read."""
    ref, node, _ = nodes.find(call)
    if node.state in {"creating", "preempted", "deallocated", "deallocating", "leavingpool", "unknown"}:
        raise rules.conflict(node)
    return Tree(call.services.fleet.processes.disk(ref).root, f"{nodes.address(call, ref.pool, ref.node)}/files")


async def list_node_files(call: Call) -> Response:
    return await files.list_files(call, tree(call))


async def download_node_file(call: Call) -> Response:
    return await files.get_file(call, tree(call))


async def get_node_file_properties(call: Call) -> Response:
    return await files.get_properties(call, tree(call))


async def delete_node_file(call: Call) -> Response:
    return await files.delete_file(call, tree(call))
