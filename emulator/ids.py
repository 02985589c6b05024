"""Identifiers, keys and entity tags. A seed makes a run repeatable; without one they come from the system."""

import base64
import random
import uuid
from datetime import UTC, datetime

_TICK_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


class IdSource:
    def __init__(self, seed: int | None = None) -> None:
        self._random: random.Random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311
        self._last_tick = 0

    def guid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def hex32(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def account_key(self) -> str:
        """64 random bytes in Base64, the form of a Batch account key."""
        return base64.b64encode(self._random.randbytes(64)).decode()

    def etag(self, now: datetime) -> str:
        """A tag that never repeats, even for two changes in the same tick or with a paused clock."""
        tick = int((now - _TICK_EPOCH).total_seconds() * 10_000_000)
        self._last_tick = max(tick, self._last_tick + 1)
        return f"0x{self._last_tick:X}"
