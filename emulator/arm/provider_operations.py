"""What Microsoft.Batch says it can do, for whoever assigns rights."""

from starlette.responses import Response

from emulator.arm.pages import page
from emulator.call import Call


async def list_operations(call: Call) -> Response:
    return page(call, [_entry(*row) for row in _OPERATIONS])


def _entry(name: str, resource: str, operation: str) -> dict[str, object]:
    display = {
        "provider": "Microsoft Batch",
        "resource": resource,
        "operation": operation,
        "description": f"{operation}.",
    }
    return {
        "name": f"Microsoft.Batch/{name}",
        "isDataAction": "/data/" in name,
        "display": display,
        "origin": "user,system",
    }


_ACCOUNT = "Batch Account"
_OPERATIONS = (
    ("register/action", "Microsoft.Batch", "Registers the subscription for the Batch resource provider"),
    ("unregister/action", "Microsoft.Batch", "Unregisters the subscription for the Batch resource provider"),
    ("batchAccounts/read", _ACCOUNT, "Lists Batch accounts or gets the properties of one"),
    ("batchAccounts/write", _ACCOUNT, "Creates or updates a Batch account"),
    ("batchAccounts/delete", _ACCOUNT, "Deletes a Batch account"),
    ("batchAccounts/listkeys/action", _ACCOUNT, "Lists access keys for a Batch account"),
    ("batchAccounts/regeneratekeys/action", _ACCOUNT, "Regenerates access keys for a Batch account"),
    ("batchAccounts/syncAutoStorageKeys/action", _ACCOUNT, "Synchronizes access keys of the auto-storage account"),
    ("batchAccounts/operationResults/read", _ACCOUNT, "Gets the result of a long running Batch account operation"),
    ("batchAccounts/applications/read", "Batch Application", "Lists applications or gets the properties of one"),
    ("batchAccounts/applications/write", "Batch Application", "Creates or updates an application"),
    ("batchAccounts/applications/delete", "Batch Application", "Deletes an application"),
    ("batchAccounts/applications/versions/read", "Batch Application Package", "Gets the properties of a package"),
    ("batchAccounts/applications/versions/write", "Batch Application Package", "Creates or updates a package"),
    ("batchAccounts/applications/versions/delete", "Batch Application Package", "Deletes a package"),
    ("batchAccounts/applications/versions/activate/action", "Batch Application Package", "Activates a package"),
    ("batchAccounts/pools/read", "Batch Pool", "Lists pools or gets the properties of one"),
    ("batchAccounts/pools/write", "Batch Pool", "Creates or updates a pool"),
    ("batchAccounts/pools/delete", "Batch Pool", "Deletes a pool"),
    ("batchAccounts/pools/stopResize/action", "Batch Pool", "Stops an ongoing resize operation on a pool"),
    ("batchAccounts/pools/disableAutoscale/action", "Batch Pool", "Disables automatic scaling for a pool"),
    ("locations/quotas/read", "Batch Location Quota", "Gets Batch quotas of the subscription at a region"),
    ("locations/checkNameAvailability/action", "Name availability", "Checks if the account name is available"),
    ("locations/virtualMachineSkus/read", "Supported VM sizes", "Lists VM sizes supported at a region"),
)
