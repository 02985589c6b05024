"""Jobs and job schedules."""

from starlette.responses import Response

from emulator.call import Call
from emulator.data.pages import max_results, page


async def list_jobs(call: Call) -> Response:
    max_results(call)
    return page(call, "jobs", [], None)


async def list_job_schedules(call: Call) -> Response:
    max_results(call)
    return page(call, "jobschedules", [], None)
