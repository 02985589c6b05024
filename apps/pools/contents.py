"""What the packages that pools reference hold now, and since when.

A node installs what its pool references when it boots. A reference without a version means the application's default
version, which may change; and a package may be replaced. The service tells when a version was activated last. It does
not tell when a default version was changed: the portal notes when it saw that.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.accounts import reading
from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.gateway import management
from apps.gateway.calls import patience
from apps.pools.models import PoolSnapshot

logger = logging.getLogger(__name__)

FRESH_FOR = timedelta(minutes=1)
PATIENCE = 20  # seconds for all applications of an account; the rest is read next time


@dataclass(frozen=True, slots=True)
class Held:
    """An application as the management plane tells of it: when each version was activated last, by lower case."""

    default_version: str
    activated: dict[str, datetime | None]


@dataclass(frozen=True, slots=True)
class Content:
    """What a reference means: `means` is the version, "" where there is none. Times are None where nothing is known.

    `activated`: the service's last activation of that version. `default_since`: when the portal saw that the default
    had become this version.
    """

    application: str
    version: str
    means: str
    activated: datetime | None
    default_since: datetime | None

    @property
    def changed(self) -> datetime | None:
        return max(filter(None, (self.activated, self.default_since)), default=None)

    @property
    def by_default(self) -> bool:
        """Whether the later of both changes is that of the default version."""
        return self.default_since is not None and self.changed == self.default_since

    def as_dict(self) -> dict[str, str]:
        return {
            "application": self.application,
            "version": self.version,
            "means": self.means,
            "activated": self.activated.isoformat() if self.activated else "",
            "default_since": self.default_since.isoformat() if self.default_since else "",
        }

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Content:
        return cls(
            kept["application"],
            kept["version"],
            kept["means"],
            parse_datetime(kept["activated"]),
            parse_datetime(kept["default_since"]),
        )


def contents(pool: PoolSnapshot) -> list[Content]:
    """What the pool's references meant when the poller looked last."""
    return [Content.of(kept) for kept in pool.contents]


def held_read(account: BatchAccount, pools: Iterable[PoolSnapshot]) -> dict[str, Held]:
    """The applications that pools reference, by their ids in lower case; without those that cannot be read now.

    Two calls for each application, at most once a minute, and at once after the portal changed something.
    """
    if not account.has_management_plane:
        return {}
    names = {str(name).lower() for pool in pools for name, _version in pool.packages}
    found: dict[str, Held] = {}
    with patience(PATIENCE):
        for name in sorted(names):
            held = _held(account, name)
            if held is not None:
                found[name] = held
    return found


def _held(account: BatchAccount, name: str) -> Held | None:
    connection = connection_for(account)

    def ask() -> Held:
        application = management.application_get(connection, name)
        packages = management.package_list(connection, name)
        times = {one.version.lower(): one.last_activation_time for one in packages if one.is_active}
        return Held(application.default_version, times)

    return reading.read(account, f"pool-packages:{name}", ask, fresh_for=FRESH_FOR).value


def contents_note(pool: PoolSnapshot, held: dict[str, Held]) -> bool:
    """Write into the row what its references mean now; whether that is something new. The caller saves it."""
    before = {(one.application.lower(), one.version.lower()): one for one in contents(pool)}
    now = timezone.now()
    found = [_content(str(name), str(version), held, before, now) for name, version in pool.packages]
    known = [one for one in found if one is not None]
    kept = [one.as_dict() for one in known]
    changed = _latest(known)
    if (pool.contents, pool.contents_changed) == (kept, changed):
        return False
    pool.contents, pool.contents_changed = kept, changed
    return True


def _latest(found: Sequence[Content]) -> datetime | None:
    return max(filter(None, (one.changed for one in found)), default=None)


def _content(
    name: str, version: str, held: dict[str, Held], before: dict[tuple[str, str], Content], now: datetime
) -> Content | None:
    """What one reference means. What cannot be read now stays as it was."""
    last = before.get((name.lower(), version.lower()))
    application = held.get(name.lower())
    if application is None:
        return last
    means = version or application.default_version
    since = last.default_since if last else None
    if not version and last is not None and last.means.lower() != means.lower():
        since = now
    return Content(name, version, means, application.activated.get(means.lower()), since)
