"""What the portal knows of packages beyond the service, matched with what the service has now."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from apps.accounts.models import BatchAccount
from apps.applications.models import PackageRecord
from apps.applications.names import name_key


def sizes_of_account(*, account: BatchAccount) -> dict[tuple[str, str], int]:
    """Bytes of every recorded package, by application key and version key; one query.

    Times are left out on purpose: making objects of thousands of them costs more than all the rest.
    """
    rows = PackageRecord.objects.filter(account=account).values_list("application_key", "version_key", "size")
    return {(application, version): size for application, version, size in rows.iterator()}


def last_uploads_of_account(*, account: BatchAccount) -> dict[str, datetime]:
    """When somebody last uploaded to each application, by application key; one query."""
    rows = PackageRecord.objects.filter(account=account).values_list("application_key")
    return dict(rows.annotate(Max("uploaded_at")))


def records_of(*, account: BatchAccount, application_id: str) -> dict[str, PackageRecord]:
    """The records of one application by version key."""
    records = PackageRecord.objects.select_related("uploaded_by")
    found = records.filter(account=account, application_key=name_key(application_id))
    return {record.version_key: record for record in found}


def still_true(record: PackageRecord, activated_at: datetime | None) -> bool:
    """Whether the service still has the bytes that the record describes.

    Every tool that replaces a package activates it again, which moves the service's activation time past ours.
    """
    return record.activated_at is None or activated_at is None or activated_at <= record.activated_at


def records_forget(*, account: BatchAccount, application_id: str, version: str = "") -> None:
    """Drop what is known of a deleted package, or of all packages of a deleted application."""
    gone = PackageRecord.objects.filter(account=account, application_key=name_key(application_id))
    if version:
        gone = gone.filter(version_key=name_key(version))
    gone.delete()
