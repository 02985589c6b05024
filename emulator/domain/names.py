"""Name rules of the service (management plane reference, URI parameters)."""

import re

from emulator.errors import ServiceError

_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_APPLICATION = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_VERSION = re.compile(r"[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,63}")

# An account is the first path segment of its endpoint, so it cannot be named like an operation's path.
RESERVED_ACCOUNTS = frozenset(
    {
        "applications",
        "certificates",
        "jobs",
        "jobschedules",
        "lifetimejobstats",
        "lifetimepoolstats",
        "nodeagentskus",
        "nodecounts",
        "pools",
        "poolusagemetrics",
        "providers",
        "subscriptions",
        "supportedimages",
        "tenants",
    }
)


def account_problem(name: str) -> str | None:
    if not _ACCOUNT.fullmatch(name):
        return "The Batch account name must have 3 to 24 characters: lowercase letters and digits only."
    if name in RESERVED_ACCOUNTS:
        return f"The Batch account name {name} is reserved."
    return None


def check_account(name: str) -> None:
    if problem := account_problem(name):
        raise ServiceError("InvalidResourceName", problem)


def check_application(name: str) -> None:
    if not _APPLICATION.fullmatch(name):
        raise ServiceError(
            "InvalidResourceName",
            "The application name must have 1 to 64 characters: letters, digits, hyphens and underscores.",
        )


def check_version(name: str) -> None:
    if not _VERSION.fullmatch(name):
        raise ServiceError(
            "InvalidResourceName",
            "The version must have 1 to 64 characters: letters, digits, hyphens, underscores and,"
            " except at the start, periods.",
        )
