"""One application and one package, as Azure Batch has them and as the portal knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from apps.accounts.connections import connection_for
from apps.accounts.models import BatchAccount
from apps.applications.conflicts import operations_of, package_key
from apps.applications.listing import Quota, natural_key
from apps.applications.models import PackageRecord
from apps.applications.names import clean_application_id, clean_version, name_key
from apps.applications.ownership import may_touch, owner_of
from apps.applications.records import records_of, still_true
from apps.applications.snapshot import snapshot_read
from apps.core.exceptions import Invalid, NotVisible
from apps.gateway import management
from apps.gateway.errors import GatewayNotFound, ManagementPlaneMissing
from apps.gateway.types import Application, Package
from apps.operations.models import Operation
from apps.people.actors import Actor
from apps.people.models import Team
from apps.people.roles import Permission


@dataclass(frozen=True, slots=True)
class PackageDetails:
    """One version. `record` is what the portal knows of its bytes, None where another tool uploaded them.

    `replaced` tells that there was a record, and another tool has replaced the bytes since. `operation` is the one
    that runs on this package now.
    """

    application_id: str
    version: str
    state: str
    is_active: bool
    is_default: bool
    format: str
    last_activation: datetime | None
    record: PackageRecord | None
    replaced: bool
    operation: Operation | None

    @property
    def size(self) -> int | None:
        """Bytes, None while unknown."""
        return self.record.size if self.record else None


@dataclass(frozen=True, slots=True)
class ApplicationDetails:
    """An application with its packages, newest activation first; settings are None where only the data plane speaks."""

    id: str
    display_name: str
    default_version: str | None
    allow_updates: bool | None
    etag: str
    packages: list[PackageDetails]
    operations: list[Operation]
    team: Team | None
    may_touch: bool
    managed: bool

    @property
    def active_versions(self) -> list[str]:
        return sorted((one.version for one in self.packages if one.is_active), key=natural_key, reverse=True)

    @property
    def size(self) -> int:
        """Bytes of the packages whose size is known."""
        return sum(one.size or 0 for one in self.packages)

    @property
    def size_is_partial(self) -> bool:
        """Another tool's packages have no size here; neither have those that are still on their way."""
        return any(one.size is None and one.operation is None for one in self.packages)

    @property
    def quota(self) -> Quota:
        return Quota(len(self.packages), settings.APPLICATION_PACKAGE_QUOTA)

    @property
    def may_add(self) -> bool:
        return self.may_touch and self.managed

    @property
    def may_change(self) -> bool:
        """Whether existing packages may be replaced or deleted."""
        return self.may_add and bool(self.allow_updates)

    def package(self, version: str) -> PackageDetails:
        """Raises `NotVisible` for a version that is not there."""
        for one in self.packages:
            if name_key(one.version) == name_key(version):
                return one
        raise NotVisible("package-gone", application=self.id, version=version)


def application_get(*, actor: Actor, account: BatchAccount, application_id: str) -> ApplicationDetails:
    """One application in two service calls. Raises `NotVisible` for an unknown one, `GatewayError` otherwise."""
    actor.require(Permission.VIEW_APPLICATIONS, account)
    check_address(application_id)
    if account.has_management_plane:
        application, packages = _managed(account, application_id)
    else:
        application, packages = _data_plane_only(account, application_id)
    return _details(actor, account, application, packages)


def package_of(*, account: BatchAccount, application_id: str, version: str) -> Package:
    """One version from the management plane, for services. Raises `NotVisible` when it is not there."""
    try:
        return management.package_get(connection_for(account), application_id, version)
    except GatewayNotFound as error:
        raise NotVisible("package-gone", application=application_id, version=version) from error


def application_of(*, account: BatchAccount, application_id: str) -> Application:
    """One application from the management plane, for services. Raises `NotVisible` when it is not there."""
    try:
        return management.application_get(connection_for(account), application_id)
    except GatewayNotFound as error:
        raise NotVisible("application-gone", application=application_id) from error


def check_address(application_id: str, version: str = "") -> None:
    """Raise `NotVisible` for names that no application or package can have; nothing is asked of the service."""
    try:
        clean_application_id(application_id)
        if version:
            clean_version(version)
    except Invalid as error:
        raise NotVisible from error


def _managed(account: BatchAccount, application_id: str) -> tuple[Application, list[Package]]:
    application = application_of(account=account, application_id=application_id)
    try:
        return application, list(management.package_list(connection_for(account), application_id))
    except GatewayNotFound as error:
        raise NotVisible("application-gone", application=application_id) from error


def _data_plane_only(account: BatchAccount, application_id: str) -> tuple[Application, list[Package]]:
    for one in snapshot_read(account=account).active or ():
        if name_key(one.id) == name_key(application_id):
            packages = [Package(one.id, version, "Active", "", None) for version in one.versions]
            return Application(one.id, one.display_name, "", allow_updates=False), packages
    raise NotVisible("application-gone", application=application_id)


def _details(
    actor: Actor, account: BatchAccount, application: Application, packages: list[Package]
) -> ApplicationDetails:
    owner = owner_of(account=account, application_id=application.id)
    managed = account.has_management_plane
    operations = list(operations_of(account=account, application_id=application.id))
    return ApplicationDetails(
        id=application.id,
        display_name=application.display_name,
        default_version=application.default_version if managed else None,
        allow_updates=application.allow_updates if managed else None,
        etag=application.etag,
        packages=_package_rows(account, application, packages, operations),
        operations=operations,
        team=owner.team if owner else None,
        may_touch=may_touch(actor=actor, account=account, team_id=owner.team_id if owner else None),
        managed=managed,
    )


def _package_rows(
    account: BatchAccount, application: Application, packages: list[Package], operations: list[Operation]
) -> list[PackageDetails]:
    records = records_of(account=account, application_id=application.id)
    running = {operation.subject_key: operation for operation in operations}
    rows = [_package_row(application, package, records, running) for package in packages]
    rows.sort(key=lambda row: natural_key(row.version), reverse=True)
    rows.sort(key=lambda row: row.last_activation.timestamp() if row.last_activation else 0, reverse=True)
    return rows


def _package_row(
    application: Application,
    package: Package,
    records: dict[str, PackageRecord],
    running: dict[str, Operation],
) -> PackageDetails:
    record = records.get(name_key(package.version))
    true = record is not None and still_true(record, package.last_activation_time)
    return PackageDetails(
        application_id=application.id,
        version=package.version,
        state=package.state,
        is_active=package.is_active,
        is_default=bool(application.default_version)
        and name_key(application.default_version) == name_key(package.version),
        format=package.format,
        last_activation=package.last_activation_time,
        record=record if true and package.is_active else None,
        replaced=record is not None and not true,
        operation=running.get(package_key(application.id, package.version)),
    )


def require_management_plane(account: BatchAccount) -> None:
    """Raise `ManagementPlaneMissing` for an account that is connected by shared key."""
    if not account.has_management_plane:
        raise ManagementPlaneMissing
