"""Applications and their packages."""

import re
from datetime import datetime
from enum import StrEnum

import msgspec

from emulator.errors import ServiceError

_CONTAINER_NAME_LENGTH = 63


class PackageState(StrEnum):
    PENDING = "Pending"
    ACTIVE = "Active"


class Application(msgspec.Struct):
    name: str
    container: str
    etag: str
    display_name: str | None = None
    allow_updates: bool = True
    default_version: str | None = None


class Package(msgspec.Struct):
    name: str
    etag: str
    state: PackageState = PackageState.PENDING
    format: str | None = None
    last_activation: datetime | None = None

    def activate(self, package_format: str, now: datetime) -> None:
        self.state = PackageState.ACTIVE
        self.format = package_format
        self.last_activation = now


def container_name(application: str, suffix: str) -> str:
    """``app-<application>-<suffix>`` within the rules of container names: no underscores, no doubled hyphens.

    ``suffix`` must be what makes the name unique, since different applications may fold to the same letters.
    """
    readable = re.sub(r"-+", "-", application.lower().replace("_", "-")).strip("-")
    room = _CONTAINER_NAME_LENGTH - len("app--") - len(suffix)
    readable = readable[:room].rstrip("-")
    return "-".join(part for part in ("app", readable, suffix) if part)


def check_may_change(application: Application) -> None:
    """Existing packages of an application without updates can be neither replaced nor deleted."""
    if not application.allow_updates:
        raise ServiceError("ApplicationPackageUpdateNotAllowed")


def check_default_version(version: str, package: Package | None) -> None:
    if package is None:
        raise ServiceError("ApplicationPackageNotFound", f"The default version {version} does not exist.")
    if package.state is not PackageState.ACTIVE:
        raise ServiceError("RequestedDefaultVersionNotActive")
