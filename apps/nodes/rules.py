"""Rules for users of nodes: names and passwords.

The service publishes no rule for passwords; those of Azure virtual machines are taken, which Batch nodes are: at least
12 characters, at most 72 on Linux and 123 on Windows, three of lower case, upper case, digits and others (Azure
documentation, "Frequently asked question about Linux virtual machines").
"""

from __future__ import annotations

import re
import secrets
import string

from apps.core.exceptions import Invalid

PASSWORD_LEAST, PASSWORD_MOST, PASSWORD_MOST_WINDOWS = 12, 72, 123
PASSWORD_LENGTH = 20  # of those we make

_LINUX_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_WINDOWS_NAME = re.compile(r"[^\s\"/\\\[\]:;|=,+*?<>@.][^\"/\\\[\]:;|=,+*?<>@]{0,19}")
_TAKEN = frozenset({"root", "administrator", "system", "daemon", "bin", "sys", "nobody", "sshd"})
# Characters that shells, URLs and spreadsheets leave alone, and that are not taken for one another.
_SPECIAL = "-_.!~"
_CLASSES = (
    "".join(set(string.ascii_lowercase) - set("lo")),
    "".join(set(string.ascii_uppercase) - set("IO")),
    "".join(set(string.digits) - set("01")),
    _SPECIAL,
)


def clean_user_name(text: str, *, windows: bool) -> str:
    """Raises `Invalid` at `name`."""
    name = text.strip()
    if not name:
        raise Invalid("node-user-name-missing", field="name")
    if not (_WINDOWS_NAME if windows else _LINUX_NAME).fullmatch(name):
        raise Invalid("node-user-name-windows" if windows else "node-user-name-linux", field="name")
    if name.lower() in _TAKEN or name.startswith("_azbatch"):
        raise Invalid("node-user-name-taken", field="name", name=name)
    return name


def password_generate() -> str:
    """A password of 20 characters from all four classes (about 115 bits)."""
    chosen = [secrets.choice(group) for group in _CLASSES]
    chosen += [secrets.choice("".join(_CLASSES)) for _ in range(PASSWORD_LENGTH - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


def clean_password(text: str, *, windows: bool) -> str:
    """Raises `Invalid` at `password`."""
    most = PASSWORD_MOST_WINDOWS if windows else PASSWORD_MOST
    if not PASSWORD_LEAST <= len(text) <= most:
        raise Invalid("node-password-length", field="password", least=PASSWORD_LEAST, most=most)
    if any(not one.isprintable() for one in text):
        raise Invalid("node-password-unprintable", field="password")
    kinds = {_kind(one) for one in text}
    if len(kinds) < 3:
        raise Invalid("node-password-simple", field="password")
    return text


def _kind(one: str) -> str:
    if one.islower():
        return "lower"
    return "upper" if one.isupper() else "digit" if one.isdigit() else "other"


def user_key(pool_id: str, name: str) -> str:
    """The subject of operations on a user: one at a time."""
    return f"node-user:{pool_id.lower()}:{name}"
