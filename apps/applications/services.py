"""Changes to applications and packages. What takes longer than one call to the service becomes an operation.

Azure is asked first and the audit event written after it, because the truth lies there; a refusal of the service
leaves an event as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.applications.conflicts import application_key, package_key, require_idle
from apps.applications.models import ApplicationOwner
from apps.applications.names import clean_application_id, clean_display_name, name_key
from apps.applications.ownership import owner_claim, owner_of, require_owner, team_for_new
from apps.applications.selectors import application_of, check_address, package_of, require_management_plane
from apps.applications.snapshot import snapshot_forget, snapshot_read
from apps.audit.models import Outcome
from apps.audit.services import audit_record
from apps.core.exceptions import Conflict, Invalid, NotVisible
from apps.gateway import management
from apps.gateway.errors import AutoStorageMissing, GatewayConflict, GatewayError, GatewayUnavailable
from apps.gateway.types import Application, Package
from apps.operations.models import Kind, Operation
from apps.operations.services import operation_create
from apps.people.actors import Actor
from apps.people.models import Team
from apps.people.roles import Permission


def application_create(
    *,
    actor: Actor,
    account: BatchAccount,
    application_id: str,
    display_name: str = "",
    allow_updates: bool = True,
    team: Team | None = None,
) -> Application:
    """An application without packages, owned by `team` or the actor's only team.

    Raises `Invalid` for a bad name or team, `Conflict` for a name that is taken (in any case) or a reached quota.
    """
    actor.require(Permission.UPLOAD_PACKAGES, account)
    require_management_plane(account)
    name = clean_application_id(application_id)
    owner = team_for_new(actor=actor, account=account, application_id=name, team=team)
    display_name = clean_display_name(display_name)
    require_free_name(account=account, application_id=name)
    with _audited(actor, account, "application.create", name, team=str(owner) if owner else ""):
        application = management.application_create(
            connection_for(account), name, display_name=display_name, allow_updates=allow_updates
        )
        owner_claim(account=account, application_id=name, team=owner)
    return application


def require_free_name(*, account: BatchAccount, application_id: str) -> None:
    """Raise `Conflict` at the ID when the account has an application of that name, or no room for another."""
    for one in _applications(account, fresh=True):
        if name_key(one.id) == name_key(application_id):
            raise Conflict("application-exists", field="application_id", application=one.id)
    require_room(account=account)


def require_room(*, account: BatchAccount) -> None:
    """Raise `Conflict` when the quota of applications is used up.

    The service knows its own limit and does not tell it; ours is the documented one, and a larger one is a setting.
    """
    if len(_applications(account)) >= settings.APPLICATION_QUOTA:
        raise Conflict("application-quota", field="application_id", limit=settings.APPLICATION_QUOTA)


def application_update(
    *,
    actor: Actor,
    account: BatchAccount,
    application_id: str,
    display_name: str | None = None,
    default_version: str | None = None,
    allow_updates: bool | None = None,
) -> Application:
    """Change settings; None leaves one as it is and `default_version=""` sets none.

    Raises `Invalid` at the field for a default version that is no Active package.
    """
    require_owner(actor=actor, account=account, application_id=application_id)
    check_address(application_id)
    require_management_plane(account)
    if display_name is not None:
        display_name = clean_display_name(display_name)
    before = application_of(account=account, application_id=application_id)
    if default_version:
        default_version = _active_version(account, application_id, default_version)
    wanted = {"display_name": display_name, "default_version": default_version, "allow_updates": allow_updates}
    changes: dict[str, Any] = {
        name: value for name, value in wanted.items() if value is not None and value != getattr(before, name)
    }
    if not changes:
        return before
    with _audited(actor, account, "application.update", before.id, changes=_changed(before, changes)):
        return management.application_update(connection_for(account), before.id, **changes)


def owner_assign(
    *, actor: Actor, account: BatchAccount, application_id: str, team: Team | None
) -> ApplicationOwner | None:
    """Give an application to a team, or (None) to the administrators alone. Raises `NotPermitted` to all but them."""
    actor.require(Permission.MANAGE_APPLICATIONS, account)
    check_address(application_id)
    name = _listed_name(account, application_id)
    with transaction.atomic():
        before = owner_of(account=account, application_id=name)
        owner = _owner_write(account, name, team)
        audit_record(
            actor=actor,
            action="application.assign",
            account=account,
            resource=name,
            before=str(before.team) if before else "",
            after=str(team) if team else "",
        )
    return owner


def package_delete(*, actor: Actor, account: BatchAccount, application_id: str, version: str) -> Operation:
    """Start deleting one package. Raises `Conflict` where updates are not allowed or something runs on it."""
    application, package = _changeable(actor, account, application_id, version)
    if not application.allow_updates:
        raise Conflict("application-updates-off", application=application.id)
    return _start(
        actor,
        account,
        Kind.PACKAGE_DELETE,
        application.id,
        package.version,
        was_default=name_key(application.default_version) == name_key(package.version),
    )


def package_activate(*, actor: Actor, account: BatchAccount, application_id: str, version: str) -> Operation:
    """Start activating a Pending package whose bytes another tool, or an upload that died, has left."""
    application, package = _changeable(actor, account, application_id, version)
    if package.is_active:
        raise Conflict("package-active-already", application=application.id, version=package.version)
    return _start(actor, account, Kind.PACKAGE_ACTIVATE, application.id, package.version)


def application_delete(
    *, actor: Actor, account: BatchAccount, application_id: str, versions: Iterable[str] = ()
) -> Operation:
    """Start deleting an application with exactly these packages, which the person has seen and named.

    Raises `Conflict` when the application holds others by now, when updates are not allowed, or while something runs.
    """
    require_owner(actor=actor, account=account, application_id=application_id)
    check_address(application_id)
    require_management_plane(account)
    application = application_of(account=account, application_id=application_id)
    present = {name_key(one.version): one.version for one in _packages(account, application.id)}
    if unseen := present.keys() - {name_key(version) for version in versions}:
        raise Conflict("application-not-empty", application=application.id, versions=_named(present, unseen))
    if present and not application.allow_updates:
        raise Conflict("application-updates-off", application=application.id)
    require_idle(account=account, application_id=application.id)
    return _start(actor, account, Kind.APPLICATION_DELETE, application.id, versions=sorted(present.values()))


def _changeable(actor: Actor, account: BatchAccount, application_id: str, version: str) -> tuple[Application, Package]:
    require_owner(actor=actor, account=account, application_id=application_id)
    check_address(application_id, version)
    require_management_plane(account)
    application = application_of(account=account, application_id=application_id)
    package = package_of(account=account, application_id=application.id, version=version)
    require_idle(account=account, application_id=application.id, version=package.version)
    return application, package


def _start(
    actor: Actor, account: BatchAccount, kind: Kind, application_id: str, version: str = "", **parameters: Any
) -> Operation:
    """Create the operation, which is dispatched on commit, with its audit event."""
    subject = f"{application_id} {version}".strip()
    with transaction.atomic():
        operation = operation_create(
            actor=actor,
            account=account,
            kind=kind,
            subject=subject,
            subject_key=package_key(application_id, version) if version else application_key(application_id),
            subject_url=_address(account, application_id),
            parameters={"application_id": application_id, "version": version, **parameters},
        )
        audit_record(
            actor=actor,
            action=kind.value.replace("-", "."),
            account=account,
            resource=subject,
            outcome=Outcome.STARTED,
            operation=operation,
            **parameters,
        )
    return operation


@contextmanager
def _audited(actor: Actor, account: BatchAccount, action: str, resource: str, **values: Any) -> Iterator[None]:
    """Write the event of a call to the service, whether it did it or refused, and drop what was known before."""
    event = {"actor": actor, "action": action, "account": account, "resource": resource, **values}
    try:
        yield
    except GatewayError as error:
        refused = isinstance(error, GatewayConflict)
        audit_record(outcome=Outcome.REFUSED if refused else Outcome.FAILED, error=error.code, **event)
        raise
    finally:
        # Also after an error: a call without an answer may have been carried out.
        snapshot_forget(account)
    audit_record(**event)


def _active_version(account: BatchAccount, application_id: str, version: str) -> str:
    """The version in its own spelling. Raises `Invalid` at the default version when it is no Active package."""
    for one in _packages(account, application_id):
        if name_key(one.version) == name_key(version):
            if one.is_active:
                return one.version
            raise Invalid("default-version-pending", field="default_version", version=one.version)
    raise Invalid("default-version-unknown", field="default_version", version=version)


def _applications(account: BatchAccount, *, fresh: bool = False) -> tuple[Application, ...]:
    """Raises `AutoStorageMissing` without a storage account, `GatewayUnavailable` where only old lists are known."""
    found = snapshot_read(account=account, fresh=fresh)
    if found.storage_missing:
        raise AutoStorageMissing
    if found.managed is None:
        raise GatewayUnavailable
    return found.managed


def _packages(account: BatchAccount, application_id: str) -> list[Package]:
    return list(management.package_list(connection_for(account), application_id))


def _changed(before: Application, changes: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [getattr(before, name), value] for name, value in changes.items()}


def _named(present: dict[str, str], keys: Iterable[str]) -> str:
    return ", ".join(sorted(present[key] for key in keys))


def _listed_name(account: BatchAccount, application_id: str) -> str:
    """The application's own spelling. Raises `NotVisible` when neither plane lists it."""
    if account.has_management_plane:
        return application_of(account=account, application_id=application_id).id
    for one in snapshot_read(account=account).active or ():
        if name_key(one.id) == name_key(application_id):
            return one.id
    raise NotVisible("application-gone", application=application_id)


def _owner_write(account: BatchAccount, application_id: str, team: Team | None) -> ApplicationOwner | None:
    rows = ApplicationOwner.objects.filter(account=account, application_key=name_key(application_id))
    if team is None:
        rows.delete()
        return None
    owner, _created = ApplicationOwner.objects.update_or_create(
        account=account,
        application_key=name_key(application_id),
        defaults={"application_id": application_id, "team": team},
    )
    return owner


def _address(account: BatchAccount, application_id: str) -> str:
    return reverse("applications:detail", kwargs={"account": account.slug, "application": application_id})
