"""Pools as the management plane spells them, to and from the data plane's spelling that the service keeps.

Names of choices begin with a capital there, some properties have other names or places, and references to
applications are resource ids.
"""

from collections.abc import Callable, Mapping
from typing import Any

from emulator import answers
from emulator.domain.accounts import BatchAccount
from emulator.domain.pools import PoolRecord
from emulator.errors import ServiceError
from emulator.runners.variables import short_id

Body = dict[str, Any]

# Properties that hold a choice: the management plane's names of it.
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "access": ("Allow", "Deny"),
    "caching": ("None", "ReadOnly", "ReadWrite"),
    "elevationLevel": ("NonAdmin", "Admin"),
    "jobDefaultOrder": ("None", "CreationTime"),
    "loginMode": ("Batch", "Interactive"),
    "nodeDeallocationOption": ("Requeue", "Terminate", "TaskCompletion", "RetainedData"),
    "nodeFillType": ("Spread", "Pack"),
    "placement": ("CacheDisk",),
    "policy": ("Regional", "Zonal"),
    "protocol": ("TCP", "UDP"),
    "provision": ("BatchManaged", "UserManaged", "NoPublicIPAddresses"),
    "scope": ("Task", "Pool"),
    "securityType": ("trustedLaunch", "confidentialVM"),
    "storageAccountType": ("Standard_LRS", "Premium_LRS", "StandardSSD_LRS"),
    "targets": ("OsDisk", "TemporaryDisk"),
    "workingDirectory": ("TaskWorkingDirectory", "ContainerImageDefault"),
}
_KEPT_CASE = {"dockercompatible": "dockerCompatible", "cricompatible": "criCompatible"}
_CASED = {"workingDirectory": ("taskWorkingDirectory", "containerImageDefault"), "securityType": ("trustedLaunch",)}
# Properties with other names: here → data plane.
_NAMES = {
    "dynamicVnetAssignmentScope": "dynamicVNetAssignmentScope",
    "inboundNatPools": "inboundNATPools",
    "nodeAgentSkuId": "nodeAgentSKUId",
    "userName": "username",
}
_NAMES_BACK = {data: arm for arm, data in _NAMES.items() if arm != "userName"}


def specification(properties: Body) -> Body:
    """The data plane's properties of a body's ``properties``. Raises InvalidRequestContent for what has no place."""
    found: Body = _walk(properties, _to_data)
    machine = found.pop("deploymentConfiguration", None)
    if machine is not None:
        if "virtualMachineConfiguration" not in machine:
            raise ServiceError("InvalidRequestContent", "Pools are made of virtual machines: give their configuration.")
        found["virtualMachineConfiguration"] = machine["virtualMachineConfiguration"]
        image = found["virtualMachineConfiguration"].get("imageReference", {})
        if "id" in image:
            image["virtualMachineImageId"] = image.pop("id")
    _scale(found)
    if "interNodeCommunication" in found:
        found["enableInterNodeCommunication"] = str(found.pop("interNodeCommunication")).lower() == "enabled"
    if "applicationPackages" in found:
        found["applicationPackageReferences"] = [
            answers.without_none({"applicationId": short_id(item.get("id", "")), "version": item.get("version")})
            for item in found.pop("applicationPackages") or ()
        ]
    for read_only in _READ_ONLY:
        found.pop(read_only, None)
    return found


_READ_ONLY = (
    "allocationState",
    "allocationStateTransitionTime",
    "autoScaleRun",
    "creationTime",
    "currentDedicatedNodes",
    "currentLowPriorityNodes",
    "lastModified",
    "provisioningState",
    "provisioningStateTransitionTime",
    "resizeOperationStatus",
)


def _scale(found: Body) -> None:
    scale = found.pop("scaleSettings", None) or {}
    if "autoScale" in scale:
        automatic = scale["autoScale"]
        found["enableAutoScale"] = True
        found["autoScaleFormula"] = automatic.get("formula")
        found["autoScaleEvaluationInterval"] = automatic.get("evaluationInterval")
    elif "fixedScale" in scale:
        fixed = scale["fixedScale"]
        found["targetDedicatedNodes"] = fixed.get("targetDedicatedNodes")
        found["targetLowPriorityNodes"] = fixed.get("targetLowPriorityNodes")
        found["resizeTimeout"] = fixed.get("resizeTimeout")


def body(account: BatchAccount, record: PoolRecord, public: Body) -> Body:
    """The pool as answered. ``public`` is its data-plane form without secrets."""
    return answers.without_none(
        {
            "id": f"{account.id}/pools/{record.pool.id}",
            "name": record.pool.id,
            "type": "Microsoft.Batch/batchAccounts/pools",
            "etag": f'W/"{record.pool.e_tag}"',
            "identity": public.get("identity") or {"type": "None"},
            "properties": answers.without_none(_properties(account, record, _walk(public, _to_arm))),
        }
    )


def _properties(account: BatchAccount, record: PoolRecord, found: Body) -> Body:
    pool = record.pool
    machine = found["virtualMachineConfiguration"]
    image = machine["imageReference"]
    if "virtualMachineImageId" in image:
        image["id"] = image.pop("virtualMachineImageId")
    kept = (
        "displayName",
        "lastModified",
        "creationTime",
        "allocationStateTransitionTime",
        "vmSize",
        "currentDedicatedNodes",
        "currentLowPriorityNodes",
        "networkConfiguration",
        "taskSlotsPerNode",
        "taskSchedulingPolicy",
        "userAccounts",
        "metadata",
        "startTask",
        "mountConfiguration",
        "upgradePolicy",
    )
    return {
        **{name: found.get(name) for name in kept},
        "vmSize": pool.vm_size.upper(),
        "provisioningState": "Deleting" if record.is_deleting else "Succeeded",
        "provisioningStateTransitionTime": pool.state_transition_time,
        "allocationState": pool.allocation_state.capitalize(),
        "deploymentConfiguration": {"virtualMachineConfiguration": machine},
        "interNodeCommunication": "Enabled" if pool.enable_inter_node_communication else "Disabled",
        "scaleSettings": _scale_settings(record),
        "autoScaleRun": _auto_scale_run(found.get("autoScaleRun")),
        "applicationPackages": _packages(account, found),
        "resizeOperationStatus": _resize_status(record, found),
    }


def _scale_settings(record: PoolRecord) -> Body:
    pool = record.pool
    if pool.enable_auto_scale:
        automatic = {"formula": pool.auto_scale_formula, "evaluationInterval": pool.auto_scale_evaluation_interval}
        return {"autoScale": answers.without_none(automatic)}
    return {
        "fixedScale": {
            "targetDedicatedNodes": pool.target_dedicated_nodes,
            "targetLowPriorityNodes": pool.target_low_priority_nodes,
            "resizeTimeout": pool.resize_timeout,
        }
    }


def _auto_scale_run(found: Body | None) -> Body | None:
    if found is None:
        return None
    error = found.get("error")
    return answers.without_none(
        {"evaluationTime": found["timestamp"], "results": found.get("results"), "error": error and _error(error)}
    )


def _resize_status(record: PoolRecord, found: Body) -> Body:
    resize = record.resize
    return answers.without_none(
        {
            "targetDedicatedNodes": record.pool.target_dedicated_nodes,
            "targetLowPriorityNodes": record.pool.target_low_priority_nodes,
            "nodeDeallocationOption": _capital("nodeDeallocationOption", resize.option) if resize else None,
            "resizeTimeout": record.pool.resize_timeout,
            "startTime": found.get("allocationStateTransitionTime"),
            "errors": [_error(error) for error in found.get("resizeErrors") or ()] or None,
        }
    )


def _error(error: Body) -> Body:
    details = [{"code": item["name"], "message": item["value"]} for item in error.get("values") or ()]
    return answers.without_none({"code": error["code"], "message": error["message"], "details": details or None})


def _packages(account: BatchAccount, found: Body) -> list[Body] | None:
    references = found.get("applicationPackageReferences")
    if not references:
        return None
    return [
        answers.without_none(
            {"id": f"{account.id}/applications/{short_id(item['applicationId'])}", "version": item.get("version")}
        )
        for item in references
    ]


def _walk(value: Any, change: Callable[[str, Any], tuple[str, Any]]) -> Any:
    if isinstance(value, list):
        return [_walk(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {}
    for name, item in value.items():
        new_name, new_item = change(name, item)
        changed[new_name] = _walk(new_item, change)
    return changed


def _to_data(name: str, value: Any) -> tuple[str, Any]:
    if name in _CHOICES:
        value = [_low(name, item) for item in value] if isinstance(value, list) else _low(name, value)
    elif name == "type" and isinstance(value, str):
        value = _KEPT_CASE.get(value.lower(), value)
    return _NAMES.get(name, name), value


def _low(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return next((cased for cased in _CASED.get(name, ()) if cased.lower() == value.lower()), value.lower())


def _to_arm(name: str, value: Any) -> tuple[str, Any]:
    if name in _CHOICES:
        value = [_capital(name, item) for item in value] if isinstance(value, list) else _capital(name, value)
    elif name == "type" and value in _KEPT_CASE.values():
        value = value[0].upper() + value[1:]
    return _NAMES_BACK.get(name, name), value


def _capital(name: str, value: Any) -> Any:
    return next((choice for choice in _CHOICES[name] if choice.lower() == str(value).lower()), value)
