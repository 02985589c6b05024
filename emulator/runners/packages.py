"""Application packages on a node: fetched from the linked storage account, checked and unpacked."""

import asyncio
import shutil
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from emulator.domain.applications import Package, PackageState
from emulator.errors import ServiceError
from emulator.runners.failures import PreparationError, package_error
from emulator.runners.variables import package_variable, short_id
from emulator.wire.common import PackageReference

if TYPE_CHECKING:
    from emulator.blobs import BlobStore
    from emulator.repositories import Repositories

MOST_BYTES = 64 << 30  # unpacked, of one package
_CHUNK = 1 << 20


class Packages:
    """Installs packages into the ``applications`` directory of nodes. A directory that is complete is used as it is."""

    def __init__(self, repositories: "Repositories", blobs: "BlobStore") -> None:
        self._repositories = repositories
        self._blobs = blobs
        self._slots = asyncio.Semaphore(4)  # downloads at a time

    async def install(
        self, account: str, references: list[PackageReference], applications: Path, *, is_windows: bool = False
    ) -> dict[str, str]:
        """The variables of the packages. Raises PreparationError naming the first that cannot be had."""
        found = {}
        for reference in references:
            folder = await self._install(account, reference, applications)
            found[package_variable(reference, is_windows=is_windows)] = str(folder)
        return found

    async def _install(self, account: str, reference: PackageReference, applications: Path) -> Path:
        storage, container, package = self._find(account, reference)
        application = short_id(reference.application_id)
        activated = package.last_activation
        stamp = activated.strftime("%Y-%m-%d-%H-%M") if activated else ""
        target = applications / f"{application.lower()}{package.name.lower()}{stamp}"
        mark = applications / f".{target.name}"  # which activation it is: two can fall into one minute
        if target.is_dir() and mark.is_file() and mark.read_text() == package.etag:
            return target
        async with self._slots:
            await self._fetch(reference, storage, container, package.name, target)
        mark.write_text(package.etag)
        return target

    def _find(self, account: str, reference: PackageReference) -> tuple[str, str, Package]:
        """Storage account, container and package. Raises PreparationError."""
        owner = self._repositories.accounts.get("", account)
        application = self._repositories.applications.get(account, short_id(reference.application_id))
        if owner is None or owner.auto_storage is None or application is None:
            raise package_error(reference, "The specified application does not exist.")
        version = reference.version or application.default_version
        if version is None:
            raise package_error(reference, "The application has no default version.")
        package = self._repositories.packages.get(f"{account}/{application.name}", version)
        if package is None or package.state is not PackageState.ACTIVE:
            raise package_error(reference, "The specified application package does not exist.")
        return owner.auto_storage.storage_account, application.container, package

    async def _fetch(self, reference: PackageReference, storage: str, container: str, blob: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        place = target.parent / f".{uuid4().hex}"
        archive = place.with_suffix(".zip")
        try:
            await self._blobs.download(storage, container, blob, archive)
            await asyncio.to_thread(unpack, archive, place)
            await asyncio.to_thread(_take_place, place, target)
        except ServiceError as error:
            raise package_error(reference, f"Resource Download failed: {error.message}") from None
        except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
            raise package_error(reference, f"Resource Unzip failed: {error}") from None
        except OSError as error:
            if error.errno == 28:
                raise PreparationError("DiskFull", "There is not enough disk space on the node") from None
            raise package_error(reference, f"Resource Unzip failed: {error.strerror}") from None
        finally:
            archive.unlink(missing_ok=True)
            shutil.rmtree(place, ignore_errors=True)


def _take_place(place: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    place.rename(target)


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip, refusing whatever would not stay below its folder. Raises BadZipFile or ValueError."""
    target.mkdir(parents=True)
    with zipfile.ZipFile(archive) as package:
        entries = package.infolist()
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise ValueError("the package is too large unpacked")
        for entry in entries:
            _unpack(package, entry, target)


def _unpack(package: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    name = entry.filename.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or ".." in parts or (parts and ":" in parts[0]):
        raise ValueError(f"the entry {entry.filename!r} leads out of the package")
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise ValueError(f"the entry {entry.filename!r} is a symbolic link")
    path = target.joinpath(*parts)
    if name.endswith("/"):
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with package.open(entry) as source, path.open("wb") as file:
        while part := source.read(_CHUNK):
            written += len(part)
            if written > entry.file_size:
                raise ValueError(f"the entry {entry.filename!r} is larger than it says")
            file.write(part)
    path.chmod(_permissions(stat.S_IMODE(mode)))


def _permissions(mode: int) -> int:
    """What its owner may read and run, the users of tasks may too: packages are for them. Zips made on Windows carry
    no permissions: there everything may be run.
    """
    own = mode & 0o777 | 0o600 if mode else 0o755
    return own | (own & 0o500) >> 3 | (own & 0o500) >> 6
