"""The data plane as the portal sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.gateway import batch, blobs, management
from apps.gateway.errors import GatewayDenied, GatewayError
from apps.gateway.types import Connection, Package
from emulator.testing import Emulator


@pytest.fixture(params=["token", "key"])
def either(request: pytest.FixtureRequest, connection: Connection, shared_key: Connection) -> Connection:
    return connection if request.param == "token" else shared_key


def test_both_ways_of_signing_in_read_an_empty_account(either: Connection) -> None:
    assert batch.active_application_list(either) == []
    counts = batch.node_counts(either)
    assert (counts.pools, counts.dedicated, counts.spot) == (0, {}, {})
    found = batch.check(either)
    assert (found.ok, found.error_code) == (True, "")


def test_active_packages_are_listed(connection: Connection, package: Package) -> None:
    assert batch.active_application_list(connection) == []
    blobs.block_stage(package.storage_url, blobs.block_id(0), b"bytes", 5)
    blobs.blocks_commit(package.storage_url, [blobs.block_id(0)])
    management.package_activate(connection, "Blender", "2.7")
    [found] = batch.active_application_list(connection)
    assert (found.id, found.versions) == ("Blender", ("2.7",))


def test_a_wrong_key_is_explained(shared_key: Connection) -> None:
    wrong = replace(shared_key, secrets=(("shared_key", "d3Jvbmc="),))
    with pytest.raises(GatewayDenied) as refused:
        batch.node_counts(wrong)
    assert refused.value.code == "gateway-data-sign-in-refused"
    assert refused.value.request_id
    assert "d3Jvbmc=" not in repr(wrong)


def test_a_clock_that_is_off_is_explained(service: Emulator, shared_key: Connection) -> None:
    service.clock(skew=3600)
    with pytest.raises(GatewayDenied) as refused:
        batch.node_counts(shared_key)
    assert "clock" in refused.value.message


def test_shared_keys_that_are_switched_off_are_explained(service: Emulator, shared_key: Connection) -> None:
    service.arm("PATCH", service.account_id(), {"properties": {"allowedAuthenticationModes": ["AAD"]}})
    with pytest.raises(GatewayDenied) as refused:
        batch.node_counts(shared_key)
    assert refused.value.code == "gateway-shared-key-disabled"


def test_an_unknown_endpoint_is_an_error_of_its_own(connection: Connection) -> None:
    with pytest.raises(GatewayError) as refused:
        batch.node_counts(replace(connection, batch_endpoint=""))
    assert refused.value.code == "gateway-endpoint-unknown"


def test_check_reports_instead_of_raising(service: Emulator, connection: Connection) -> None:
    service.fault(operation="data.*", status=403, code="InsufficientAccountPermissions")
    found = batch.check(connection)
    assert (found.ok, found.tested, found.error_code) == (False, True, "gateway-data-right-missing")
    assert found.request_id
