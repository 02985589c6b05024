"""File systems that pools mount: none is mounted here, but directories can stand in for them."""

import hashlib
from pathlib import Path

from emulator.runners.downloads import inside
from emulator.runners.failures import PreparationError
from emulator.wire.machines import Mount


def mount(wanted: Mount, mounts: Path, shares: Path | None) -> None:
    """Put a directory where a file system is to be mounted; it is the same wherever the same one is wanted.

    Raises PreparationError without ``shares``, the place for such directories.
    """
    kind, source, path = _described(wanted)
    if shares is None:
        raise PreparationError(
            "MountConfigurationError",
            "This local service mounts no file systems; started with --mounts directories it puts directories there",
            MountType=kind,
            Source=source,
            RelativeMountPath=path,
        )
    share = shares / hashlib.sha256(f"{kind} {source}".encode()).hexdigest()[:16]
    share.mkdir(parents=True, exist_ok=True)
    share.chmod(0o1777)
    place = inside(mounts, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink():
        place.symlink_to(share)


def _described(wanted: Mount) -> tuple[str, str, str]:
    """Kind, source and path; nothing secret."""
    if (blobs := wanted.azure_blob_file_system_configuration) is not None:
        source = f"{blobs.account_name}/{blobs.container_name}"
        return "azureBlobFileSystemConfiguration", source, blobs.relative_mount_path
    if (share := wanted.azure_file_share_configuration) is not None:
        return "azureFileShareConfiguration", share.azure_file_url, share.relative_mount_path
    if (nfs := wanted.nfs_mount_configuration) is not None:
        return "nfsMountConfiguration", nfs.source, nfs.relative_mount_path
    if (cifs := wanted.cifs_mount_configuration) is not None:
        return "cifsMountConfiguration", cifs.source, cifs.relative_mount_path
    raise ValueError("a mount without a file system")
