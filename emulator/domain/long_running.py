"""Operations of the management plane that outlive their request."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

KEPT = timedelta(days=1)


class LongRunning(msgspec.Struct):
    id: str
    kind: Literal["create_account", "delete_account", "delete_pool"]
    account: str
    done_at: datetime

    def is_done(self, now: datetime) -> bool:
        return now >= self.done_at

    def is_forgotten(self, now: datetime) -> bool:
        return now >= self.done_at + KEPT

    def retry_after(self, now: datetime) -> int:
        """Whole seconds until it is worth asking again."""
        return max(1, round((self.done_at - now).total_seconds()))
