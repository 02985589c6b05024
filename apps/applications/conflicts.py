"""One change at a time: the running operations that stand in the way of another."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from apps.accounts.models import BatchAccount
from apps.applications.names import name_key
from apps.core.exceptions import Conflict
from apps.operations.models import ACTIVE, Operation


def package_key(application_id: str, version: str) -> str:
    """The `subject_key` of operations on one package."""
    return f"package:{name_key(application_id)}:{name_key(version)}"


def application_key(application_id: str) -> str:
    """The `subject_key` of operations on an application as a whole."""
    return f"application:{name_key(application_id)}"


def operations_of(*, account: BatchAccount, application_id: str) -> QuerySet[Operation]:
    """The running operations on an application and on its packages, newest first."""
    name = name_key(application_id)
    about = Q(subject_key=f"application:{name}") | Q(subject_key__startswith=f"package:{name}:")
    return Operation.objects.filter(about, account=account, status__in=sorted(ACTIVE))


def require_idle(*, account: BatchAccount, application_id: str, version: str = "") -> None:
    """Raise `Conflict` where an operation runs on the application, or on this package of it; without a version on any.

    The conflict names the person and the operation: values `actor`, `kind`, `subject`, `operation` (id).
    """
    running = operations_of(account=account, application_id=application_id)
    if version:
        keys = [application_key(application_id), package_key(application_id, version)]
        running = running.filter(subject_key__in=keys)
    if found := running.first():
        raise busy(found)


def busy(operation: Operation) -> Conflict:
    return Conflict(
        "operation-conflict",
        subject=operation.subject,
        kind=str(operation.get_kind_display()),
        actor=operation.actor_name,
        operation=str(operation.pk),
    )
