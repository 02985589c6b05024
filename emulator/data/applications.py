"""Applications as tasks and pools may reference them: only versions that are active."""

from typing import Any

from starlette.responses import Response

from emulator import answers
from emulator.call import Call
from emulator.data.pages import page, sliced
from emulator.domain.applications import Application, PackageState
from emulator.errors import ServiceError


async def list_applications(call: Call) -> Response:
    applications = call.services.repositories.applications.all(call.batch_account.name)
    usable = [summary for application in applications if (summary := _summary(call, application))["versions"]]
    value, last = sliced(usable, call, lambda summary: summary["id"].lower())
    return page(call, "applications", value, last)


async def get_application(call: Call) -> Response:
    found = call.services.repositories.applications.get(call.batch_account.name, call.parameters["applicationId"])
    summary = _summary(call, found) if found else None
    if summary is None or not summary["versions"]:
        raise ServiceError("ApplicationNotFound")
    body = {"odata.metadata": f"{call.base}/$metadata#applications/@Element", **summary}
    return answers.json(body, media_type=answers.DATA_JSON)


def _summary(call: Call, application: Application) -> dict[str, Any]:
    packages = call.services.repositories.packages.all(f"{call.batch_account.name}/{application.name}")
    versions = [package.name for package in packages if package.state is PackageState.ACTIVE]
    return answers.without_none({"id": application.name, "displayName": application.display_name, "versions": versions})
