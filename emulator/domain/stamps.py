"""What every resource with a state carries: its tag, its times and the state it was in before."""

from datetime import datetime
from typing import Any, Protocol

from emulator.clock import iso


class Stamped(Protocol):
    e_tag: str
    last_modified: str
    state: Any
    state_transition_time: str
    previous_state: Any
    previous_state_transition_time: str | None


def touch(resource: Stamped, now: datetime, etag: str) -> None:
    """The resource was changed by a client: its state goes its own way and leaves tag and time as they are."""
    resource.e_tag = etag
    resource.last_modified = iso(now)


def move(resource: Stamped, state: str, now: datetime) -> None:
    """Go to another state; going to the present one does nothing."""
    if resource.state == state:
        return
    resource.previous_state = resource.state
    resource.previous_state_transition_time = resource.state_transition_time
    resource.state = state
    resource.state_transition_time = iso(now)
