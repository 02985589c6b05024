"""Pools."""

from starlette.responses import Response

from emulator.call import Call
from emulator.data.pages import max_results, page


async def list_pools(call: Call) -> Response:
    max_results(call)
    return page(call, "pools", [], None)


async def list_pool_node_counts(call: Call) -> Response:
    max_results(call)
    return page(call, "poolnodecounts", [], None)
