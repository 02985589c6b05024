"""Users of compute nodes, who log in from afar."""

import hashlib
import hmac
import os
from datetime import datetime, timedelta

import msgspec

from emulator.clock import iso
from emulator.errors import ServiceError
from emulator.wire import times
from emulator.wire.base import invalid
from emulator.wire.nodes import NewUser, UserReplacement

LIFETIME = timedelta(days=1)

_ROUNDS = 1000  # a thousand users are added in seconds: what is kept here protects no more than a local service
_SALT = 16


class NodeUser(msgspec.Struct, omit_defaults=True):
    """``password`` is salted and hashed."""

    name: str
    expiry_time: str
    is_admin: bool = False
    password: bytes | None = None
    ssh_public_key: str | None = None

    def is_expired(self, now: datetime) -> bool:
        return now >= times.moment(self.expiry_time)

    def has_password(self, given: str) -> bool:
        if self.password is None:
            return False
        return hmac.compare_digest(self.password, _hashed(given, self.password[:_SALT]))


def new_user(wanted: NewUser, now: datetime, *, is_windows: bool) -> NodeUser:
    user = NodeUser(name=wanted.name, expiry_time="", is_admin=bool(wanted.is_admin))
    replace(user, wanted, now, is_windows=is_windows)
    return user


def replace(user: NodeUser, wanted: UserReplacement, now: datetime, *, is_windows: bool) -> None:
    """What is left out is reset. Raises InvalidPropertyValue and the like."""
    _check(wanted, is_windows=is_windows)
    user.expiry_time = wanted.expiry_time or iso(now + LIFETIME)
    user.password = _hashed(wanted.password, os.urandom(_SALT)) if wanted.password else None
    user.ssh_public_key = wanted.ssh_public_key


def _check(wanted: UserReplacement, *, is_windows: bool) -> None:
    if is_windows and wanted.ssh_public_key is not None:
        raise invalid("sshPublicKey", "SSH public keys are for Linux nodes")
    if is_windows and not wanted.password:
        raise ServiceError("MissingRequiredProperty", values={"PropertyName": "password"})


def _hashed(password: str, salt: bytes) -> bytes:
    return salt + hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
