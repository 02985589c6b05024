"""What the errors of nodes and start tasks mean, and what to do about them.

Codes: Batch documentation, "Job and task error checking" and "Pool and node errors".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_HINTS: dict[str, Promise] = {
    "ApplicationPackageError": _(
        "An application package could not be downloaded or unpacked. Check that its version is Active and that the "
        "linked storage account answers, then reboot the node."
    ),
    "ContainerInvalidImage": _("The container image does not exist, or its name is wrong."),
    "ContainerPoolSetupFailed": _("A container image could not be fetched. Check its name and the registry's sign-in."),
    "DiskFull": _("The node's disk is full. Delete files under Files, or reimage the node; consider a larger size."),
    "NodeAgentUnreachable": _("The node does not answer. If that stays, reboot or remove it."),
    "MountConfigurationException": _("A file system could not be mounted. Check its address and its key."),
    "MountConfigurationError": _("A file system could not be mounted. Check its address and its key."),
    "StartTaskFailed": _(
        "The start task ended with an error, so the node takes no tasks. Its output below says more; correct the start "
        "task of the pool, then reboot the node."
    ),
    "StartTaskFailure": _("The start task ended with an error. Its output below says more."),
    "FailureExitCode": _("The command line ended with this exit code. Its output below says more."),
    "CommandProgramNotFound": _(
        "The program is not on the node. Command lines run without a shell: begin with /bin/bash -c for variables "
        "and shell commands."
    ),
    "CommandLaunchFailed": _("The program could not be started. Check that it may be executed and fits the system."),
    "ResourceContainerAccessDenied": _("A resource file may not be read. Its signature may have run out."),
    "ResourceFileNotFound": _("A resource file does not exist at its address."),
    "BlobAccessDenied": _("A file in blob storage may not be read. Its signature may have run out."),
    "BlobNotFound": _("A file in blob storage does not exist."),
    "BlobDownloadTimedOut": _("A file did not arrive in time. Try again; consider storage in the same region."),
    "BlobDownloadTimeout": _("A file did not arrive in time. Try again; consider storage in the same region."),
    "BlobDownloadMiscError": _("A file could not be downloaded. Check its address."),
    "ResourceFileCreateFailed": _("A resource file could not be made on the node. Check its path and the disk."),
    "ResourceFileWriteFailed": _("A resource file could not be written on the node. The disk may be full."),
    "ResourceDirectoryCreateFailed": _("A directory for resource files could not be made. Check their paths."),
    "MaxInternalRetryCountReached": _("The service tried several times and gave up. Reboot or reimage the node."),
    "TaskSchedulingConstraintFailed": _("The task's conditions cannot be met on this node."),
    "TaskWallClockTimeExceeded": _("The task took longer than its limit."),
    "TaskEnded": _("The task was ended by a request."),
    "NodePreempted": _("The Spot node was taken back. Batch tries to restore it."),
}
_UNUSABLE_SILENT = _(
    "The service lost contact with the node and gives no reason. It tries to recover it, and the node costs money "
    "meanwhile. Reboot or remove it if that stays; check that the network lets it reach the Batch service."
)


@dataclass(frozen=True, slots=True)
class Explained:
    """An error of the service with our word on it; `hint` is "" for a code that we do not know."""

    code: str
    message: str
    hint: Any
    details: list[tuple[str, str]]


def explained(fault: Mapping[str, Any]) -> Explained:
    """From what the poller keeps of a fault."""
    code = str(fault.get("code", ""))
    details = [(str(name), str(value)) for name, value in fault.get("details", [])]
    return Explained(code, str(fault.get("message", "")), _HINTS.get(code, ""), details)


def silent_hint(state: str) -> Any:
    """A word on a broken state that comes without an error."""
    return _UNUSABLE_SILENT if state in {"unusable", "unknown"} else ""
