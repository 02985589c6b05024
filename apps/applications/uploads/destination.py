"""Where an upload's blocks go: the signed URL that the service gave, renewed before it ends or when it is refused."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from django.utils import timezone

from apps.accounts.selectors import connection_for
from apps.applications.models import Upload
from apps.gateway import management
from apps.gateway.types import Connection, Package
from apps.operations.runners import Run

# A block that is being sent when the URL ends is lost, so it is renewed this long before.
MARGIN = timedelta(minutes=10)


class Destination:
    """`url()` is asked for each block and may be called by several threads; only `open` and `renew` ask the service.

    The URL is kept encrypted with the upload, so that a run that resumes needs no new one.
    """

    def __init__(self, run: Run, upload: Upload) -> None:
        self._run = run
        self._upload = upload
        self._lock = threading.Lock()
        self._url: str = upload.destination.get("url", "")
        expires = upload.destination.get("expires", "")
        self._expires = datetime.fromisoformat(expires) if expires else None
        self.connection: Connection = connection_for(upload.account)

    @property
    def is_known(self) -> bool:
        return bool(self._url) and not self.is_ending

    @property
    def is_ending(self) -> bool:
        return self._expires is not None and self._expires - timezone.now() < MARGIN

    def url(self) -> str:
        with self._lock:
            return self._url

    def renew(self) -> None:
        """Ask the service for a place to upload to. A version that was Active stays so meanwhile."""
        upload = self._upload
        package = management.package_create(self.connection, upload.application_id, upload.version)
        if self._run.state.get("was_active") and not package.is_active:
            self._keep_active(package)
        with self._lock:
            self._url, self._expires = package.storage_url, package.storage_url_expiry
        self._remember()

    def _keep_active(self, package: Package) -> None:
        """A service that takes the version out of use at this point is asked to put its old bytes back in."""
        management.package_activate(self.connection, package.application_id, package.version)

    def _remember(self) -> None:
        expires = self._expires.isoformat() if self._expires else ""
        self._upload.destination = {"url": self._url, "expires": expires}
        with self._run.transaction():
            self._upload.save(update_fields=["destination"])
