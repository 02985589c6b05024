"""Why something on a node failed, as the service words it."""

from emulator.wire.common import ContainerSettings, FailureInfo, NameValue, PackageReference
from emulator.wire.nodes import NodeError


class PreparationError(Exception):
    """What a command needs could not be made ready. ``info`` says what and why."""

    def __init__(self, code: str, message: str, **details: str) -> None:
        super().__init__(message)
        system = code in {"ApplicationPackageError", "DiskFull"}
        self.info = FailureInfo(
            category="servererror" if system else "usererror",
            code=code,
            message=message,
            details=[NameValue(name=name, value=value) for name, value in details.items()] or None,
        )


def package_error(reference: PackageReference, reason: str) -> PreparationError:
    name = f"{reference.application_id}#{reference.version}" if reference.version else reference.application_id
    return PreparationError(
        "ApplicationPackageError",
        "One or more application packages specified for the task are invalid",
        PackageReference=name,
        Reason=reason,
    )


def no_container(settings: ContainerSettings, *, pool_has_containers: bool) -> PreparationError:
    """A command for a container is never run outside of one."""
    if not pool_has_containers:
        return PreparationError("ContainerPoolNotSupported", "The specified pool does not support container tasks")
    return PreparationError(
        "ContainerRuntimeNotAvailable",
        "This local service runs no containers: for here, use the command without containerSettings",
        ImageName=settings.image_name,
    )


def as_node_error(info: FailureInfo) -> NodeError:
    return NodeError(code=info.code, message=info.message or "", error_details=info.details)


def exit_failure(code: int | None) -> FailureInfo | None:
    """The failure of a command that ran, None for exit code 0."""
    if code == 0:
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
