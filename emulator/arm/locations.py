"""Microsoft.Batch/locations: quotas, VM sizes, free names."""

import re
from typing import Any

from starlette.responses import Response

from emulator import account_life, answers
from emulator.arm.fields import Fields
from emulator.arm.pages import after, max_results, page
from emulator.call import Call
from emulator.catalogue.vm_sizes import SIZES, VmSize
from emulator.domain import names
from emulator.errors import ServiceError

_FAMILY_FILTER = re.compile(r"\s*familyName\s+eq\s+'([^']*)'\s*")


async def get_quotas(call: Call) -> Response:
    return answers.json({"accountQuota": call.services.settings.account_quota})


async def list_vm_sizes(call: Call) -> Response:
    family, limit, start = _family(call), max_results(call), after(call)
    found = [size for size in SIZES if size.name > start and family in (None, size.family.lower())]
    last = found[limit - 1].name if len(found) > limit else None
    return page(call, [_body(size) for size in found[:limit]], last)


async def check_name(call: Call) -> Response:
    fields = Fields(await call.json_object())
    fields.required_text("type", choices=("Microsoft.Batch/batchAccounts",))
    name = fields.required_text("name")
    if problem := names.account_problem(name):
        return answers.json({"nameAvailable": False, "reason": "Invalid", "message": problem})
    if account_life.find(call.services, name, call.now) is not None:
        message = f"A Batch account named {name} already exists."
        return answers.json({"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return answers.json({"nameAvailable": True})


def _family(call: Call) -> str | None:
    given = call.query("$filter")
    if given is None:
        return None
    match = _FAMILY_FILTER.fullmatch(given)
    if match is None:
        raise ServiceError("InvalidQueryParameterValue", "Only familyName eq 'NAME' can be filtered by.")
    return match[1].lower()


def _body(size: VmSize) -> dict[str, Any]:
    capabilities = [{"name": name, "value": value} for name, value in size.capabilities().items()]
    return answers.without_none(
        {
            "name": size.name,
            "familyName": size.family,
            "capabilities": capabilities,
            "batchSupportEndOfLife": size.end_of_life,
        }
    )
