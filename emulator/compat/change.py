"""What changed with a version."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Edit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Change:
    """``last`` is the last version that has it the old way. The edits are made on every object of a body."""

    last: str
    request: Edit | None = None
    answer: Edit | None = None


def rename(body: dict[str, Any], old: str, new: str) -> None:
    if old in body:
        body[new] = body.pop(old)
