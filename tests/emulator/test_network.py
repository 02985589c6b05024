"""What the management plane says of the network around an account."""

from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.batch.models import (
    PrivateEndpointConnection,
    PrivateEndpointConnectionProperties,
    PrivateLinkServiceConnectionState,
)

from emulator.testing import Azurite, Emulator

HERE = ("local", "local")


def places(management: BatchManagementClient) -> dict[str, list[str]]:
    """Host and port of what nodes call, by category."""
    return {
        str(found.category): [
            f"{endpoint.domain_name}:{endpoint.endpoint_details[0].port}"  # type: ignore[index]
            for endpoint in found.endpoints or ()
        ]
        for found in management.batch_account.list_outbound_network_dependencies_endpoints(*HERE)
    }


def test_nodes_call_this_service_and_the_linked_store(
    emulator: Emulator, azurite: Azurite, management: BatchManagementClient
) -> None:
    service = {"Azure Batch": [emulator.netloc]}
    assert places(management) == service
    emulator.link_storage(azurite.accounts[0])
    assert places(management) == {**service, "Azure Storage": [urlsplit(azurite.url).netloc]}


def test_private_links_could_lead_to_two_parts(management: BatchManagementClient) -> None:
    names = [found.name for found in management.private_link_resource.list_by_batch_account(*HERE)]
    assert names == ["batchAccount", "nodeManagement"]
    found = management.private_link_resource.get(*HERE, "nodemanagement").properties
    assert found is not None
    assert (found.group_id, found.required_members) == ("nodeManagement", ["nodeManagement"])
    with pytest.raises(ResourceNotFoundError):
        management.private_link_resource.get(*HERE, "other")


def test_there_are_no_private_connections(management: BatchManagementClient) -> None:
    connections = management.private_endpoint_connection
    assert list(connections.list_by_batch_account(*HERE)) == []
    with pytest.raises(ResourceNotFoundError):
        connections.get(*HERE, "one")
    state = PrivateLinkServiceConnectionState(status="Approved")
    properties = PrivateEndpointConnectionProperties(private_link_service_connection_state=state)
    with pytest.raises(ResourceNotFoundError):
        connections.begin_update(*HERE, "one", PrivateEndpointConnection(properties=properties))
    connections.begin_delete(*HERE, "one").wait()


def test_there_are_no_perimeters(management: BatchManagementClient) -> None:
    perimeters = management.network_security_perimeter
    assert list(perimeters.list_configurations(*HERE)) == []
    with pytest.raises(ResourceNotFoundError):
        perimeters.get_configuration(*HERE, "one")
    with pytest.raises(ResourceNotFoundError):
        perimeters.begin_reconcile_configuration(*HERE, "one")


def test_of_an_account_that_is_not_there(management: BatchManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        list(management.private_endpoint_connection.list_by_batch_account("local", "other"))
