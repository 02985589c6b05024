"""The environment of what runs on nodes
(https://learn.microsoft.com/azure/batch/batch-compute-node-environment-variables)."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from emulator.scheduler.ports import NodeRef
from emulator.wire.common import PackageReference

PACKAGE_PREFIX = "AZ_BATCH_APP_PACKAGE_"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_REPLACED = re.compile(r"[.#-]")


def package_variable(reference: PackageReference, *, is_windows: bool = False) -> str:
    """Without a version it is that of the default version."""
    name = short_id(reference.application_id)
    full = f"{name}#{reference.version}" if reference.version else name
    return PACKAGE_PREFIX + (full if is_windows else _REPLACED.sub("_", full))


def short_id(application_id: str) -> str:
    """Applications may be named by their id in the management plane."""
    return application_id.rstrip("/").rpartition("/")[2]


def package_names(references: Iterable[PackageReference]) -> dict[str, str]:
    return {package_variable(reference): "" for reference in references}


def of_node(ref: NodeRef, root: Path, *, account_url: str, is_dedicated: bool) -> dict[str, str]:
    """What every command on a node sees. Nothing of this process's own environment is part of it."""
    return {
        "PATH": SYSTEM_PATH,
        "LANG": "C.UTF-8",
        "HOME": str(root),
        "AZ_BATCH_ACCOUNT_NAME": ref.account,
        "AZ_BATCH_ACCOUNT_URL": account_url,
        "AZ_BATCH_POOL_ID": ref.pool,
        "AZ_BATCH_NODE_ID": ref.node,
        "AZ_BATCH_NODE_IS_DEDICATED": "true" if is_dedicated else "false",
        "AZ_BATCH_NODE_ROOT_DIR": str(root),
        "AZ_BATCH_NODE_SHARED_DIR": str(root / "shared"),
        "AZ_BATCH_NODE_STARTUP_DIR": str(root / "startup"),
        "AZ_BATCH_NODE_STARTUP_WORKING_DIR": str(root / "startup" / "wd"),
        "AZ_BATCH_NODE_MOUNTS_DIR": str(root / "fsmounts"),
    }


def of_task(folder: Path) -> dict[str, str]:
    return {"AZ_BATCH_TASK_DIR": str(folder), "AZ_BATCH_TASK_WORKING_DIR": str(folder / "wd")}


def of_preparation(folder: Path | None) -> Mapping[str, str]:
    if folder is None:
        return {}
    return {"AZ_BATCH_JOB_PREP_DIR": str(folder), "AZ_BATCH_JOB_PREP_WORKING_DIR": str(folder / "wd")}
