"""The steps of an upload, each recorded in the operation's state before the next begins. A killed worker's successor
goes on after the last one; `tests/badday` kills a worker at each.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Step(StrEnum):
    """In the order in which they are reached."""

    # The application is about to be made: from here on it is this upload's to undo
    NEW_APPLICATION = "new_application"
    # It exists and is owned
    APPLICATION_READY = "application_ready"
    # What the service had of the version is known: `new_version`, `was_active`
    VERSION_SEEN = "version_seen"
    # Blocks go to blob storage, while bytes may still be coming: `block_bytes`
    SENDING = "sending"
    # Length, checksum and zip hold: `sha256`, `entries`, `uncompressed`
    CHECKED = "checked"
    # The block list is about to be committed: no way back from here
    COMMITTING = "committing"
    # `etag`
    COMMITTED = "committed"
    # `activated_at`
    ACTIVATED = "activated"
    # Verified and written down
    RECORDED = "recorded"


def is_reached(state: Mapping[str, Any], step: Step) -> bool:
    """Whether the state of an operation records the step."""
    return step.value in state.get("steps", ())


def reaching(state: Mapping[str, Any], step: Step, **found: Any) -> dict[str, Any]:
    """The changes of the state that record the step with what it found."""
    steps = list(state.get("steps", ()))
    return {"steps": [*steps, step.value] if step.value not in steps else steps, **found}
