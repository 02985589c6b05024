"""The management plane (Azure Resource Manager): the Batch account, its keys, storage link, applications, packages.

Every function takes a `Connection` and raises `GatewayError` subclasses; a connection by shared key reaches none of
them and gets `ManagementPlaneMissing`.
"""

from __future__ import annotations

import time
from typing import Any, Literal

from azure.mgmt.batch import models as batch_models
from azure.mgmt.storage import models as storage_models

from apps.gateway import clients, endpoints
from apps.gateway.errors import GatewayError
from apps.gateway.translation import MANAGEMENT, translated
from apps.gateway.types import (
    AccountKeys,
    AccountProperties,
    AccountRef,
    Application,
    AutoStorage,
    Connection,
    Package,
    Plane,
    PlaneCheck,
    StorageAccount,
    SubscriptionInfo,
)

# Kinds that serve application packages; file and premium-block storage do not.
_FIT_KINDS = frozenset({"StorageV2", "Storage", "BlobStorage"})


def check(connection: Connection) -> PlaneCheck:
    """Ask for the account itself. Never raises: the outcome is the answer. Time in milliseconds."""
    if not connection.has_management_plane:
        return PlaneCheck(Plane.MANAGEMENT, ok=False, tested=False, error_code="gateway-management-plane-missing")
    started = time.perf_counter()
    error: GatewayError | None = None
    try:
        account_properties(connection)
    except GatewayError as caught:
        error = caught
    return plane_check(Plane.MANAGEMENT, started, error)


def plane_check(plane: Plane, started: float, error: GatewayError | None) -> PlaneCheck:
    """The outcome of a test that began at `started` (`time.perf_counter`)."""
    elapsed = round((time.perf_counter() - started) * 1000)
    if error is None:
        return PlaneCheck(plane, ok=True, milliseconds=elapsed)
    values = {name: str(value) for name, value in error.values.items()}
    return PlaneCheck(
        plane, ok=False, milliseconds=elapsed, error_code=error.code, error_values=values, request_id=error.request_id
    )


# --- The account ----------------------------------------------------------------------------------------------------
@translated(MANAGEMENT)
def account_properties(connection: Connection) -> AccountProperties:
    found = clients.batch_management(connection).batch_account.get(*_account(connection))
    return _account_properties(found)


@translated(MANAGEMENT)
def account_keys(connection: Connection) -> AccountKeys:
    return _account_keys(clients.batch_management(connection).batch_account.get_keys(*_account(connection)))


@translated(MANAGEMENT)
def account_key_regenerate(connection: Connection, key: Literal["Primary", "Secondary"]) -> AccountKeys:
    """Make a new key; whoever uses the old one is refused from then on."""
    operations = clients.batch_management(connection).batch_account
    return _account_keys(operations.regenerate_key(*_account(connection), {"keyName": key}))


@translated(MANAGEMENT)
def auto_storage_link(connection: Connection, storage_account_id: str) -> AutoStorage | None:
    """Link, or change to, a storage account that the Batch account reaches by its keys."""
    auto_storage = {"storageAccountId": storage_account_id, "authenticationMode": "StorageKeys"}
    return _auto_storage_update(connection, auto_storage)


@translated(MANAGEMENT)
def auto_storage_unlink(connection: Connection) -> None:
    """Unlink. The service wants an explicit null; an empty id is refused as malformed."""
    _auto_storage_update(connection, None)


@translated(MANAGEMENT)
def auto_storage_sync_keys(connection: Connection) -> None:
    """Let the Batch account fetch the storage account's keys again, after they were rotated."""
    clients.batch_management(connection).batch_account.synchronize_auto_storage_keys(*_account(connection))


@translated(MANAGEMENT)
def storage_account_list(connection: Connection) -> list[StorageAccount]:
    """Every storage account of the connection's subscription."""
    client = clients.storage_management(connection, connection.subscription_id)
    return [_storage_account(found) for found in client.storage_accounts.list()]


@translated(MANAGEMENT)
def storage_account_get(connection: Connection, storage_account_id: str) -> StorageAccount:
    subscription, group, name = _storage_id(storage_account_id)
    client = clients.storage_management(connection, subscription)
    return _storage_account(client.storage_accounts.get_properties(group, name))


@translated(MANAGEMENT)
def storage_account_key(connection: Connection, storage_account_id: str) -> str:
    """The first key of a storage account. Never leaves the server."""
    subscription, group, name = _storage_id(storage_account_id)
    keys = clients.storage_management(connection, subscription).storage_accounts.list_keys(group, name).keys_property
    return str(keys[0].value) if keys else ""


# --- Discovery ------------------------------------------------------------------------------------------------------
@translated(MANAGEMENT)
def subscription_list(connection: Connection) -> list[SubscriptionInfo]:
    """The subscriptions that the connection's identity sees."""
    found = clients.subscriptions(connection).subscriptions.list()
    return [SubscriptionInfo(id=str(item.subscription_id), name=item.display_name or "") for item in found]


@translated(MANAGEMENT)
def batch_account_list(connection: Connection, subscription_id: str) -> list[AccountRef]:
    found = clients.batch_management_of(connection, subscription_id).batch_account.list()
    return [_account_ref(item, subscription_id) for item in found]


@translated(MANAGEMENT)
def vm_cores(connection: Connection, location: str) -> dict[str, int]:
    """Cores by machine size, in lower case, for the sizes that Batch offers in a region."""
    found = clients.batch_management(connection).location.list_supported_virtual_machine_skus(location)
    cores = {str(sku.name).lower(): _capability(sku, "vCPUs") for sku in found}
    return {name: count for name, count in cores.items() if count}


# --- Applications ---------------------------------------------------------------------------------------------------
@translated(MANAGEMENT)
def application_list(connection: Connection) -> list[Application]:
    found = clients.batch_management(connection).application.list(*_account(connection))
    return [_application(item) for item in found]


@translated(MANAGEMENT)
def application_get(connection: Connection, application_id: str) -> Application:
    found = clients.batch_management(connection).application.get(*_account(connection), application_id)
    return _application(found)


@translated(MANAGEMENT)
def application_create(
    connection: Connection, application_id: str, display_name: str = "", allow_updates: bool = True
) -> Application:
    """Create; on an application that exists the service answers with it and changes what is given."""
    properties: dict[str, Any] = {"allowUpdates": allow_updates}
    if display_name:
        properties["displayName"] = display_name
    found = clients.batch_management(connection).application.create(
        *_account(connection), application_id, {"properties": properties}
    )
    return _application(found)


@translated(MANAGEMENT)
def application_update(
    connection: Connection,
    application_id: str,
    *,
    display_name: str | None = None,
    default_version: str | None = None,
    allow_updates: bool | None = None,
) -> Application:
    """Change what is given and leave the rest; an empty `default_version` clears it."""
    properties: dict[str, Any] = {}
    if display_name is not None:
        properties["displayName"] = display_name
    if default_version is not None:
        properties["defaultVersion"] = default_version or None
    if allow_updates is not None:
        properties["allowUpdates"] = allow_updates
    found = clients.batch_management(connection).application.update(
        *_account(connection), application_id, {"properties": properties}
    )
    return _application(found)


@translated(MANAGEMENT)
def application_delete(connection: Connection, application_id: str) -> None:
    """Delete; one that does not exist is as good as deleted. Packages must be gone before (`GatewayConflict`)."""
    clients.batch_management(connection).application.delete(*_account(connection), application_id)


# --- Packages -------------------------------------------------------------------------------------------------------
@translated(MANAGEMENT)
def package_list(connection: Connection, application_id: str) -> list[Package]:
    found = clients.batch_management(connection).application_package.list(*_account(connection), application_id)
    return [_package(item, application_id) for item in found]


@translated(MANAGEMENT)
def package_get(connection: Connection, application_id: str, version: str) -> Package:
    found = clients.batch_management(connection).application_package.get(*_account(connection), application_id, version)
    return _package(found, application_id)


@translated(MANAGEMENT)
def package_create(connection: Connection, application_id: str, version: str) -> Package:
    """Make a version, or open an existing one for replacement; `storage_url` is where its zip goes."""
    operations = clients.batch_management(connection).application_package
    return _package(operations.create(*_account(connection), application_id, version), application_id)


@translated(MANAGEMENT)
def package_activate(connection: Connection, application_id: str, version: str) -> Package:
    operations = clients.batch_management(connection).application_package
    found = operations.activate(*_account(connection), application_id, version, {"format": "zip"})
    return _package(found, application_id)


@translated(MANAGEMENT)
def package_delete(connection: Connection, application_id: str, version: str) -> None:
    """Delete a version and its blob; one that does not exist is as good as deleted."""
    clients.batch_management(connection).application_package.delete(*_account(connection), application_id, version)


# --- From the SDK's models ------------------------------------------------------------------------------------------
def _account(connection: Connection) -> tuple[str, str]:
    return connection.resource_group, connection.account_name


def _auto_storage_update(connection: Connection, auto_storage: dict[str, str] | None) -> AutoStorage | None:
    operations = clients.batch_management(connection).batch_account
    updated = operations.update(*_account(connection), {"properties": {"autoStorage": auto_storage}})
    return _auto_storage(updated.properties.auto_storage) if updated.properties else None


def _account_properties(found: batch_models.BatchAccount) -> AccountProperties:
    properties = found.properties or batch_models.BatchAccountProperties()
    families = properties.dedicated_core_quota_per_vm_family or []
    return AccountProperties(
        id=str(found.id),
        name=str(found.name),
        location=str(found.location or ""),
        account_endpoint=_data_endpoint(properties.account_endpoint),
        node_management_endpoint=str(properties.node_management_endpoint or ""),
        provisioning_state=_text(properties.provisioning_state),
        pool_allocation_mode=_text(properties.pool_allocation_mode),
        public_network_access=_text(properties.public_network_access),
        auto_storage=_auto_storage(properties.auto_storage),
        dedicated_core_quota=properties.dedicated_core_quota,
        low_priority_core_quota=properties.low_priority_core_quota,
        core_quota_per_family={str(family.name): int(family.core_quota or 0) for family in families},
        per_family_enforced=bool(properties.dedicated_core_quota_per_vm_family_enforced),
        pool_quota=int(properties.pool_quota or 0),
        active_job_quota=int(properties.active_job_and_job_schedule_quota or 0),
        authentication_modes=tuple(_text(mode) for mode in properties.allowed_authentication_modes or ()),
        encryption_key_source=_text(properties.encryption.key_source if properties.encryption else ""),
        identity_type=_text(found.identity.type if found.identity else "None"),
        tags=dict(found.tags or {}),
    )


def _auto_storage(found: batch_models.AutoStorageProperties | None) -> AutoStorage | None:
    if found is None or not found.storage_account_id:
        return None
    return AutoStorage(
        storage_account_id=found.storage_account_id,
        authentication_mode=_text(found.authentication_mode) or "StorageKeys",
        last_key_sync=found.last_key_sync,
    )


def _account_keys(found: batch_models.BatchAccountKeys) -> AccountKeys:
    return AccountKeys(primary=str(found.primary or ""), secondary=str(found.secondary or ""))


def _account_ref(found: batch_models.BatchAccount, subscription_id: str) -> AccountRef:
    return AccountRef(
        id=str(found.id),
        name=str(found.name),
        resource_group=_segment(str(found.id), "resourceGroups"),
        subscription_id=subscription_id,
        location=str(found.location or ""),
        account_endpoint=_data_endpoint(found.properties.account_endpoint if found.properties else None),
    )


def _capability(sku: batch_models.SupportedSku, name: str) -> int:
    values = {str(one.name): str(one.value) for one in sku.capabilities or ()}
    return int(values[name]) if values.get(name, "").isdecimal() else 0


def _application(found: batch_models.Application) -> Application:
    properties = found.properties or batch_models.ApplicationProperties()
    return Application(
        id=str(found.name),
        display_name=properties.display_name or "",
        default_version=properties.default_version or "",
        allow_updates=properties.allow_updates is not False,
        etag=found.etag or "",
    )


def _package(found: batch_models.ApplicationPackage, application_id: str) -> Package:
    properties = found.properties or batch_models.ApplicationPackageProperties()
    return Package(
        application_id=_segment(str(found.id), "applications") or application_id,
        version=str(found.name),
        state=_text(properties.state),
        format=properties.format or "",
        last_activation_time=properties.last_activation_time,
        etag=found.etag or "",
        storage_url=properties.storage_url or "",
        storage_url_expiry=properties.storage_url_expiry,
    )


def _storage_account(found: storage_models.StorageAccount) -> StorageAccount:
    properties = found.properties or storage_models.StorageAccountProperties()
    kind, blob = _text(found.kind), properties.primary_endpoints.blob if properties.primary_endpoints else ""
    hierarchical, firewall = bool(properties.is_hns_enabled), _has_firewall(properties)
    return StorageAccount(
        id=str(found.id),
        name=str(found.name),
        resource_group=_segment(str(found.id), "resourceGroups"),
        location=str(found.location or ""),
        kind=kind,
        sku=_text(found.sku.name if found.sku else ""),
        hierarchical_namespace=hierarchical,
        firewall=firewall,
        blob_endpoint=blob or "",
        unfit=_unfit(kind, hierarchical, firewall, keys=properties.allow_shared_key_access is not False),
    )


def _has_firewall(properties: storage_models.StorageAccountProperties) -> bool:
    rules = properties.network_rule_set
    closed = _text(properties.public_network_access) in {"Disabled", "SecuredByPerimeter"}
    return closed or bool(rules and _text(rules.default_action) == "Deny")


def _unfit(kind: str, hierarchical: bool, firewall: bool, *, keys: bool) -> str:
    """Why an account cannot hold application packages, as a message code."""
    if kind not in _FIT_KINDS:
        return "storage-unfit-kind"
    if hierarchical:
        return "storage-unfit-hierarchical-namespace"
    if firewall:
        return "storage-unfit-firewall"
    return "" if keys else "storage-unfit-no-keys"


def _storage_id(storage_account_id: str) -> tuple[str, str, str]:
    found = [_segment(storage_account_id, name) for name in ("subscriptions", "resourceGroups", "storageAccounts")]
    return found[0], found[1], found[2]


def _segment(resource_id: str, name: str) -> str:
    """The part of a resource id that follows a type name, whatever its case."""
    parts = resource_id.split("/")
    lower = [part.lower() for part in parts]
    return parts[lower.index(name.lower()) + 1] if name.lower() in lower[:-1] else ""


def _data_endpoint(text: str | None) -> str:
    return endpoints.batch_endpoint(text) if text else ""


def _text(value: Any) -> str:
    """An enumeration value, known to the SDK or newer than it, as the service spells it."""
    return str(getattr(value, "value", value) or "")
