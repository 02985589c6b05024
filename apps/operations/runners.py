"""What runs in the background, by kind of operation.

An app registers its kinds in its own `runners` module::

    @runner(Kind.PACKAGE_DELETE, permission=Permission.UPLOAD_PACKAGES)
    def package_delete(run: Run) -> Outcome:
        ...
        return Outcome("package-deleted", {"version": version})

A runner works in short steps that may be repeated, writes what it did with `run.checkpoint` before it waits for
anything, and starts from `run.state` when it is run again after a crash. It ends by

- returning an `Outcome` (succeeded) or a `Later` (the worker is free meanwhile, the runner is called again),
- raising a `PortalError` (failed, with its code and values); a `GatewayError` that is `retryable` is tried again by
  itself with growing pauses, for `OPERATION_RETRY_SECONDS` in all,
- anything else: errored, with a reference that stands in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from apps.operations.leases import Fenced
from apps.operations.models import Kind, Operation, Status
from apps.operations.run import Cancelled, Run, Stopping
from apps.people.actors import Actor
from apps.people.roles import Permission

__all__ = [
    "Cancelled",
    "Fenced",
    "Kind",
    "Later",
    "Outcome",
    "Run",
    "Runner",
    "Stopping",
    "is_registered",
    "permission_of",
    "runner",
    "runner_for",
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The good end: a message code with its values."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Later:
    """Call the runner again after `seconds`, or when `leases.wake` is called for the operation (None: only then).

    `paused` shows the operation as paused: it waits for a person, not for time or for the service.
    """

    seconds: float | None = None
    paused: bool = False


RunFunction = Callable[[Run], Outcome | Later]
Cleanup = Callable[[Run, Status], None]
PrepareRetry = Callable[[Operation, Operation, Actor], None]
CanRetry = Callable[[Operation], bool]


@dataclass(frozen=True, slots=True)
class Runner:
    """`cleanup` undoes what a cancelled or failed run must not leave behind; it may run more than once.

    `can_retry` says whether a retry makes sense; `prepare_retry(ended, new, actor)` carries over what the new row
    needs, in the transaction that makes it, and checks what the actor may beyond `permission`.
    """

    run: RunFunction
    permission: Permission
    cleanup: Cleanup | None = None
    can_retry: CanRetry | None = None
    prepare_retry: PrepareRetry | None = None


_RUNNERS: dict[str, Runner] = {}


def runner(
    kind: Kind,
    *,
    permission: Permission = Permission.MANAGE_ACCOUNT,
    cleanup: Cleanup | None = None,
    can_retry: CanRetry | None = None,
    prepare_retry: PrepareRetry | None = None,
) -> Callable[[RunFunction], RunFunction]:
    """Register a function as the runner of a kind; `permission` is what a retry asks of the person."""

    def register(function: RunFunction) -> RunFunction:
        if kind in _RUNNERS:
            raise ValueError(f"{kind} has a runner already.")
        _RUNNERS[kind] = Runner(function, permission, cleanup, can_retry, prepare_retry)
        return function

    return register


def is_registered(kind: str) -> bool:
    return kind in _RUNNERS


def permission_of(kind: str) -> Permission:
    """What starting, repeating or cancelling work of this kind takes."""
    return _RUNNERS[kind].permission if kind in _RUNNERS else Permission.MANAGE_ACCOUNT


def runner_for(kind: str) -> Runner:
    """Raises `LookupError` for a kind without a runner."""
    return _RUNNERS[kind]
