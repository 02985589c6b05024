"""Names by the service's rules, and the variables that they become."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.applications.names import (
    changes_on_linux,
    clean_application_id,
    clean_version,
    linux_variable,
    name_key,
    windows_variable,
)
from apps.core.exceptions import Invalid
from apps.gateway import management
from apps.gateway.errors import GatewayInvalid
from apps.gateway.types import Connection

# The patterns of `applicationName` and `versionName` in the management API.
APPLICATION_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
VERSION_NAME = re.compile(r"^[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,63}$")
NEAR_NAMES = st.text(st.sampled_from("aZ09_-.#/ é\n\x00%"), max_size=70)


def accepted(rule: object, text: str) -> bool:
    try:
        assert callable(rule)
        rule(text)
    except Invalid:
        return False
    return True


@given(NEAR_NAMES)
def test_application_ids_follow_the_services_pattern(text: str) -> None:
    assert accepted(clean_application_id, text) is bool(APPLICATION_NAME.fullmatch(text.strip()))


@given(NEAR_NAMES)
def test_versions_follow_the_services_pattern(text: str) -> None:
    assert accepted(clean_version, text) is bool(VERSION_NAME.fullmatch(text.strip()))


@pytest.mark.parametrize(
    ("rule", "text", "code", "field"),
    [
        (clean_application_id, "  ", "application-id-missing", "application_id"),
        (clean_application_id, "a" * 65, "application-id-too-long", "application_id"),
        (clean_application_id, "ffmpeg 6", "application-id-characters", "application_id"),
        (clean_application_id, "2.7", "application-id-characters", "application_id"),
        (clean_version, "", "version-missing", "version"),
        (clean_version, "1" * 65, "version-too-long", "version"),
        (clean_version, "1/2", "version-characters", "version"),
        (clean_version, ".5", "version-leading-dot", "version"),
    ],
)
def test_a_refusal_names_its_reason_and_field(rule: object, text: str, code: str, field: str) -> None:
    assert callable(rule)
    with pytest.raises(Invalid) as caught:
        rule(text)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_refused_characters_are_named_once_and_readable() -> None:
    with pytest.raises(Invalid) as caught:
        clean_application_id("a b c!\x07!")
    assert caught.value.values["characters"] == "“ ” ! \\x07"


def test_surrounding_space_is_dropped_and_case_is_kept() -> None:
    assert clean_application_id(" Blender ") == "Blender"
    assert name_key("Blender") == name_key("BLENDER")


def test_variables() -> None:
    assert linux_variable("Blender-x", "2.7#1") == "AZ_BATCH_APP_PACKAGE_Blender_x_2_7_1"
    assert linux_variable("Blender") == "AZ_BATCH_APP_PACKAGE_Blender"
    assert windows_variable("Blender-x", "2.7") == "AZ_BATCH_APP_PACKAGE_Blender-x#2.7"
    assert windows_variable("Blender-x") == "AZ_BATCH_APP_PACKAGE_Blender-x"


@given(st.from_regex(APPLICATION_NAME, fullmatch=True), st.from_regex(VERSION_NAME, fullmatch=True))
def test_a_linux_variable_is_one_that_a_shell_can_read(application_id: str, version: str) -> None:
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", linux_variable(application_id, version))
    assert changes_on_linux(version) == "" or linux_variable("a", version) != f"AZ_BATCH_APP_PACKAGE_a_{version}"


@pytest.mark.parametrize("name", ["a b", "a.b", "é", "a" * 65])
def test_the_service_refuses_what_we_refuse(connection: Connection, name: str) -> None:
    assert not accepted(clean_application_id, name)
    with pytest.raises(GatewayInvalid):
        management.application_create(connection, name)
