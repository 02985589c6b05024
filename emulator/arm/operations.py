"""Every operation of the management plane, by group and method in azure-mgmt-batch, and what answers it."""

from emulator.arm import (
    accounts,
    applications,
    locations,
    network,
    packages,
    pools,
    provider_operations,
    storage,
    subscriptions,
)
from emulator.errors import Plane
from emulator.operations import Handler, Operation

_SUBSCRIPTION = "/subscriptions/{subscriptionId}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{resourceGroupName}}"
_ACCOUNTS = "providers/Microsoft.Batch/batchAccounts"
_ACCOUNT = f"{_GROUP}/{_ACCOUNTS}/{{accountName}}"
_APPLICATION = f"{_ACCOUNT}/applications/{{applicationName}}"
_PACKAGE = f"{_APPLICATION}/versions/{{versionName}}"
_POOL = f"{_ACCOUNT}/pools/{{poolName}}"
_LOCATION = f"{_SUBSCRIPTION}/providers/Microsoft.Batch/locations/{{locationName}}"
_STORAGE = f"{_GROUP}/providers/Microsoft.Storage/storageAccounts/{{storageAccountName}}"

_PAGES = "maxresults $skiptoken"


def _op(name: str, method: str, path: str, handler: Handler | None = None, query: str = "") -> Operation:
    return Operation(f"arm.{name}", Plane.ARM, method, path, handler, frozenset(query.split()))


OPERATIONS = (
    # Around Batch
    _op("tenants.list", "GET", "/tenants", subscriptions.list_tenants),
    _op("subscriptions.list", "GET", "/subscriptions", subscriptions.list_subscriptions),
    _op("subscriptions.get", "GET", _SUBSCRIPTION, subscriptions.get_subscription),
    _op("subscriptions.list_locations", "GET", f"{_SUBSCRIPTION}/locations", subscriptions.list_locations),
    _op("resource_groups.list", "GET", f"{_SUBSCRIPTION}/resourceGroups", subscriptions.list_resource_groups),
    _op("resource_groups.get", "GET", _GROUP, subscriptions.get_resource_group),
    _op("resource_groups.create_or_update", "PUT", _GROUP, subscriptions.put_resource_group),
    _op(
        "storage_accounts.list",
        "GET",
        f"{_SUBSCRIPTION}/providers/Microsoft.Storage/storageAccounts",
        storage.list_in_subscription,
    ),
    _op(
        "storage_accounts.list_by_resource_group",
        "GET",
        f"{_GROUP}/providers/Microsoft.Storage/storageAccounts",
        storage.list_in_group,
    ),
    _op("storage_accounts.get_properties", "GET", _STORAGE, storage.get),
    _op("storage_accounts.create", "PUT", _STORAGE, storage.put),
    _op("storage_accounts.update", "PATCH", _STORAGE, storage.patch),
    _op("storage_accounts.delete", "DELETE", _STORAGE, storage.delete),
    _op("storage_accounts.list_keys", "POST", f"{_STORAGE}/listKeys", storage.list_keys),
    # Accounts
    _op("operations.list", "GET", "/providers/Microsoft.Batch/operations", provider_operations.list_operations),
    _op("batch_account.list", "GET", f"{_SUBSCRIPTION}/{_ACCOUNTS}", accounts.list_in_subscription),
    _op("batch_account.list_by_resource_group", "GET", f"{_GROUP}/{_ACCOUNTS}", accounts.list_in_group),
    _op("batch_account.create", "PUT", _ACCOUNT, accounts.create),
    _op("batch_account.get", "GET", _ACCOUNT, accounts.get),
    _op("batch_account.update", "PATCH", _ACCOUNT, accounts.update),
    _op("batch_account.delete", "DELETE", _ACCOUNT, accounts.delete),
    _op("batch_account.get_keys", "POST", f"{_ACCOUNT}/listKeys", accounts.list_keys),
    _op("batch_account.regenerate_key", "POST", f"{_ACCOUNT}/regenerateKeys", accounts.regenerate_keys),
    _op(
        "batch_account.synchronize_auto_storage_keys",
        "POST",
        f"{_ACCOUNT}/syncAutoStorageKeys",
        accounts.sync_auto_storage_keys,
    ),
    _op("batch_account.create_result", "GET", f"{_ACCOUNT}/operationResults/{{operationId}}", accounts.create_result),
    _op(
        "batch_account.delete_result",
        "GET",
        f"{_LOCATION}/accountOperationResults/{{operationId}}",
        accounts.delete_result,
    ),
    _op("batch_account.list_detectors", "GET", f"{_ACCOUNT}/detectors"),
    _op("batch_account.get_detector", "GET", f"{_ACCOUNT}/detectors/{{detectorId}}"),
    _op(
        "batch_account.list_outbound_network_dependencies_endpoints",
        "GET",
        f"{_ACCOUNT}/outboundNetworkDependenciesEndpoints",
        network.list_outbound,
    ),
    # Locations
    _op("location.get_quotas", "GET", f"{_LOCATION}/quotas", locations.get_quotas),
    _op(
        "location.list_supported_virtual_machine_skus",
        "GET",
        f"{_LOCATION}/virtualMachineSkus",
        locations.list_vm_sizes,
        f"{_PAGES} $filter",
    ),
    _op("location.check_name_availability", "POST", f"{_LOCATION}/checkNameAvailability", locations.check_name),
    # Applications and their packages
    _op("application.list", "GET", f"{_ACCOUNT}/applications", applications.list_all, _PAGES),
    _op("application.create", "PUT", _APPLICATION, applications.create),
    _op("application.get", "GET", _APPLICATION, applications.get),
    _op("application.update", "PATCH", _APPLICATION, applications.update),
    _op("application.delete", "DELETE", _APPLICATION, applications.delete),
    _op("application_package.list", "GET", f"{_APPLICATION}/versions", packages.list_all, _PAGES),
    _op("application_package.create", "PUT", _PACKAGE, packages.create),
    _op("application_package.get", "GET", _PACKAGE, packages.get),
    _op("application_package.delete", "DELETE", _PACKAGE, packages.delete),
    _op("application_package.activate", "POST", f"{_PACKAGE}/activate", packages.activate),
    # Pools
    _op("pool.list_by_batch_account", "GET", f"{_ACCOUNT}/pools", pools.list_all, f"{_PAGES} $select $filter"),
    _op("pool.create", "PUT", _POOL, pools.create),
    _op("pool.get", "GET", _POOL, pools.get),
    _op("pool.update", "PATCH", _POOL, pools.update),
    _op("pool.delete", "DELETE", _POOL, pools.delete),
    _op("pool.delete_result", "GET", f"{_ACCOUNT}/poolOperationResults/{{operationId}}", pools.delete_result),
    _op("pool.disable_auto_scale", "POST", f"{_POOL}/disableAutoScale", pools.disable_auto_scale),
    _op("pool.stop_resize", "POST", f"{_POOL}/stopResize", pools.stop_resize),
    # Network
    _op("private_link_resource.list_by_batch_account", "GET", f"{_ACCOUNT}/privateLinkResources", network.list_links),
    _op("private_link_resource.get", "GET", f"{_ACCOUNT}/privateLinkResources/{{name}}", network.get_link),
    _op(
        "private_endpoint_connection.list_by_batch_account",
        "GET",
        f"{_ACCOUNT}/privateEndpointConnections",
        network.list_none,
    ),
    _op(
        "private_endpoint_connection.get",
        "GET",
        f"{_ACCOUNT}/privateEndpointConnections/{{name}}",
        network.no_connection,
    ),
    _op(
        "private_endpoint_connection.update",
        "PATCH",
        f"{_ACCOUNT}/privateEndpointConnections/{{name}}",
        network.no_connection,
    ),
    _op(
        "private_endpoint_connection.delete",
        "DELETE",
        f"{_ACCOUNT}/privateEndpointConnections/{{name}}",
        network.delete_no_connection,
    ),
    _op(
        "network_security_perimeter.list_configurations",
        "GET",
        f"{_ACCOUNT}/networkSecurityPerimeterConfigurations",
        network.list_none,
    ),
    _op(
        "network_security_perimeter.get_configuration",
        "GET",
        f"{_ACCOUNT}/networkSecurityPerimeterConfigurations/{{name}}",
        network.no_perimeter,
    ),
    _op(
        "network_security_perimeter.reconcile_configuration",
        "POST",
        f"{_ACCOUNT}/networkSecurityPerimeterConfigurations/{{name}}/reconcile",
        network.no_perimeter,
    ),
)
