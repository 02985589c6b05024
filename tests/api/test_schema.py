"""The OpenAPI description: complete, unchanged unless meant, and true."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from batchportal.wsgi import application
from tests.core.world import World
from tests.people.factories import make_token

SNAPSHOT = Path(__file__).with_name("schema.yml")
REFRESH = "python manage.py spectacular --file tests/api/schema.yml"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DESCRIPTION = yaml.safe_load(SNAPSHOT.read_text(encoding="utf-8"))
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
SCHEMA.app = application
# Bodies that are sent as they are.
schemathesis.serializer.alias(["application/zip", "application/offset+octet-stream"], "application/octet-stream")
OPERATIONS = [
    (path, method) for path, item in DESCRIPTION["paths"].items() for method in item if method != "parameters"
]


def test_the_description_is_the_committed_one(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "now.yml"))
    now = (tmp_path / "now.yml").read_text(encoding="utf-8")
    assert now == SNAPSHOT.read_text(encoding="utf-8"), f"If the change is meant, run: {REFRESH}"


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_is_described_and_may_fail_in_the_one_shape(path: str, method: str) -> None:
    operation = DESCRIPTION["paths"][path][method]
    assert operation.get("description") or operation.get("summary")
    for status in ("401", "4XX", "5XX"):
        schema = operation["responses"][status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorOutput"}


def test_every_operation_asks_for_a_token_or_a_session() -> None:
    for path, method in OPERATIONS:
        assert DESCRIPTION["paths"][path][method]["security"] == [{"token": []}, {"session": []}], (path, method)


def known(world: World) -> dict[str, str]:
    """Path parameters for which there is something."""
    return {
        "account": world.cast.account.slug,
        "application": world.application,
        "version": world.version,
        "operation": str(world.operation.pk),
        "upload": str(world.upload.pk),
    }


@pytest.fixture
def connection_kept() -> Iterator[None]:
    """What Django's own test client does: a request must not close the connection that the test's transaction is on."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("connection_kept")
@SCHEMA.parametrize()
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_generated_requests_get_what_is_described(case: Any, world: World) -> None:
    """As an administrator: half of the requests about what there is, half about what was generated."""
    _token, text = make_token(world.cast.admin)
    values = known(world)
    drawn = str(sorted((case.path_parameters or {}).items())) + str(case.query)
    about = values if hashlib.sha256(drawn.encode()).digest()[0] % 2 else {"account": values["account"]}
    for name in case.path_parameters or {}:
        case.path_parameters[name] = about.get(name, case.path_parameters[name])
    response = case.call(headers={"Authorization": f"Bearer {text}"})
    case.validate_response(response, checks=CHECKS)
