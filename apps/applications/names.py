"""Application ids and versions: the service's rules, and the environment variables that they become on a node.

Rules: letters, digits, - and _ for both, 1 to 64 characters; a version may also hold dots, not as its first character
(patterns of `applicationName` and `versionName` in the management API). Case is kept and does not tell names apart.
"""

from __future__ import annotations

import re

from apps.core.exceptions import Invalid

MAX_NAME_LENGTH = 64
MAX_DISPLAY_NAME_LENGTH = 1024
APPLICATION_ID_PATTERN = r"[a-zA-Z0-9_-]+"
VERSION_PATTERN = r"[a-zA-Z0-9_-][a-zA-Z0-9_.-]*"
VARIABLE_PREFIX = "AZ_BATCH_APP_PACKAGE_"

_APPLICATION_ID = re.compile(APPLICATION_ID_PATTERN)
_VERSION = re.compile(VERSION_PATTERN)
_CHANGED_ON_LINUX = re.compile(r"[.#-]")


def clean_application_id(text: str) -> str:
    """The id without surrounding space. Raises `Invalid` with `field="application_id"` where it breaks a rule."""
    name = text.strip()
    _check_length(name, "application_id", "application-id-missing", "application-id-too-long")
    if not _APPLICATION_ID.fullmatch(name):
        raise Invalid(
            "application-id-characters",
            field="application_id",
            characters=_refused(name, r"[a-zA-Z0-9_-]"),
        )
    return name


def clean_version(text: str) -> str:
    """The version without surrounding space. Raises `Invalid` with `field="version"` where it breaks a rule."""
    name = text.strip()
    _check_length(name, "version", "version-missing", "version-too-long")
    if refused := _refused(name, r"[a-zA-Z0-9_.-]"):
        raise Invalid("version-characters", field="version", characters=refused)
    if not _VERSION.fullmatch(name):
        raise Invalid("version-leading-dot", field="version")
    return name


def clean_display_name(text: str) -> str:
    """Raises `Invalid` with `field="display_name"` for one that is too long or holds control characters."""
    name = text.strip()
    if len(name) > MAX_DISPLAY_NAME_LENGTH:
        raise Invalid("display-name-too-long", field="display_name", limit=MAX_DISPLAY_NAME_LENGTH)
    if not name.isprintable():
        raise Invalid("display-name-characters", field="display_name")
    return name


def name_key(name: str) -> str:
    """What two names have in common when the service takes them for one."""
    return name.lower()


def linux_variable(application_id: str, version: str = "") -> str:
    """The variable on Linux nodes, where ".", "-" and "#" become "_"; without a version that of the default version."""
    full = f"{application_id}_{version}" if version else application_id
    return VARIABLE_PREFIX + _CHANGED_ON_LINUX.sub("_", full)


def windows_variable(application_id: str, version: str = "") -> str:
    """The variable on Windows nodes; without a version that of the default version."""
    return f"{VARIABLE_PREFIX}{application_id}#{version}" if version else VARIABLE_PREFIX + application_id


def changes_on_linux(name: str) -> str:
    """The characters of an id or version that the Linux variable replaces by "_", each once."""
    return _once(_CHANGED_ON_LINUX.findall(name))


def _check_length(name: str, field: str, missing: str, too_long: str) -> None:
    if not name:
        raise Invalid(missing, field=field)
    if len(name) > MAX_NAME_LENGTH:
        raise Invalid(too_long, field=field, length=len(name), limit=MAX_NAME_LENGTH)


def _refused(name: str, admitted: str) -> str:
    """The characters outside the admitted set, each once, in a form that can be read: control characters as escapes."""
    found = [character for character in name if not re.fullmatch(admitted, character)]
    shown = ("“ ”" if one == " " else one if one.isprintable() else repr(one)[1:-1] for one in found)
    return " ".join(dict.fromkeys(shown))


def _once(found: list[str]) -> str:
    return " ".join(dict.fromkeys(found))
