"""What follows from how a run of a task ended (task exit conditions of the service)."""

from dataclasses import dataclass
from typing import Literal

from emulator.scheduler.ports import Phase, RunEnd
from emulator.wire.common import FailureInfo, NameValue
from emulator.wire.tasks import ExitConditions, ExitOptions, Task

JobAction = Literal["none", "disable", "terminate"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """``failure`` is None for success. ``satisfies`` lets tasks that depend on this one go on."""

    failure: FailureInfo | None
    retries: bool
    satisfies: bool
    job_action: JobAction


def judge(task: Task, end: RunEnd) -> Outcome:
    """The outcome of a run that was not ended by the service."""
    failure = end.failure or exit_failure(end.exit_code)
    options = exit_options(task.exit_conditions, end, failed=failure is not None)
    action, dependency = _actions(options, failed=failure is not None)
    return Outcome(failure, _retries(task, end), dependency == "satisfy", action)


def ended_by_service(message: str) -> FailureInfo:
    """The failure of a task that a client or a limit ended."""
    return FailureInfo(category="usererror", code="TaskEnded", message=message)


def exit_failure(exit_code: int | None) -> FailureInfo | None:
    """The failure that an exit code is, None for zero."""
    if exit_code == 0:
        return None
    return FailureInfo(
        category="usererror",
        code="FailureExitCode",
        message="The task exited with an exit code representing a failure",
        details=[
            NameValue(name="Message", value="The task process exited with an unexpected exit code"),
            NameValue(name="AdditionalErrorCode", value="FailureExitCode"),
        ],
    )


def _retries(task: Task, end: RunEnd) -> bool:
    """Only a command that ended with another exit code than zero is tried again; -1 is without limit."""
    if end.phase is not Phase.COMMAND or end.exit_code in {0, None}:
        return False
    most = (task.constraints.max_task_retry_count if task.constraints else None) or 0
    return most == -1 or task.execution_info.retry_count < most


def exit_options(conditions: ExitConditions | None, end: RunEnd, *, failed: bool) -> ExitOptions | None:
    """The options of the condition that holds. An exit code that is named wins over a failed upload."""
    if conditions is None:
        return None
    if end.phase is Phase.PREPARING:
        return conditions.pre_processing_error or conditions.default
    named = _of_code(conditions, end.exit_code)
    if named is not None:
        return named
    if end.phase is Phase.UPLOAD and failed:
        return conditions.file_upload_error or conditions.default
    return conditions.default if failed else None


def _of_code(conditions: ExitConditions, code: int | None) -> ExitOptions | None:
    if code is None:
        return None
    for single in conditions.exit_codes or ():
        if single.code == code:
            return single.exit_options
    for span in conditions.exit_code_ranges or ():
        if span.start <= code <= span.end:
            return span.exit_options
    return None


def _actions(options: ExitOptions | None, *, failed: bool) -> tuple[JobAction, Literal["satisfy", "block"]]:
    """Without an option a failure terminates the job (if its job listens to failures) and blocks dependents."""
    action: JobAction = "terminate" if failed else "none"
    dependency: Literal["satisfy", "block"] = "block" if failed else "satisfy"
    if options is None:
        return action, dependency
    return options.job_action or action, options.dependency_action or dependency
