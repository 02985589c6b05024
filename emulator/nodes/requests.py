"""What clients ask of pools, over whichever plane."""

from collections.abc import Iterable

from emulator.domain import pools as rules
from emulator.domain.applications import PackageState
from emulator.domain.pools import PoolRecord
from emulator.errors import ServiceError
from emulator.runners.variables import short_id
from emulator.services import Services
from emulator.wire.common import PackageReference
from emulator.wire.pools import AutoScale, AutoScaleRun, PoolChange, PoolReplacement, PoolSpecification


def add_pool(services: Services, account: str, wanted: PoolSpecification, pool_id: str | None = None) -> PoolRecord:
    check_packages(services, account, wanted.application_package_references)
    return services.fleet.create_pool(account, pool_id or str(getattr(wanted, "id", "")), wanted)


def change_pool(services: Services, account: str, record: PoolRecord, wanted: PoolChange) -> None:
    rules.check_not_deleting(record)
    rules.check_change(wanted)
    check_packages(services, account, wanted.application_package_references)
    has_nodes = services.fleet.estate.has_nodes((account, record.pool.id))
    rules.change(record, wanted, has_nodes=has_nodes, now=services.clock.now(), etag=_etag(services))
    _save(services, account, record)


def replace_properties(services: Services, account: str, record: PoolRecord, wanted: PoolReplacement) -> None:
    rules.check_not_deleting(record)
    rules.check_start_task(wanted.start_task)
    check_packages(services, account, wanted.application_package_references)
    rules.replace_properties(record, wanted, services.clock.now(), _etag(services))
    _save(services, account, record)


def enable_auto_scale(services: Services, account: str, record: PoolRecord, wanted: AutoScale) -> None:
    if wanted.auto_scale_formula is not None:
        services.fleet.scaling.check(wanted.auto_scale_formula)
    formula, interval = wanted.auto_scale_formula, wanted.auto_scale_evaluation_interval
    rules.enable_auto_scale(record, formula, interval, services.clock.now(), _etag(services))
    _save(services, account, record)
    services.fleet.scaling.watch((account, record.pool.id))


def disable_auto_scale(services: Services, account: str, record: PoolRecord) -> None:
    rules.disable_auto_scale(record, services.clock.now(), _etag(services))
    _save(services, account, record)


def evaluate(services: Services, account: str, record: PoolRecord, formula: str) -> AutoScaleRun:
    """Raises OperationInvalidForCurrentState for a pool that is not scaled automatically."""
    rules.check_not_deleting(record)
    if not record.pool.enable_auto_scale:
        raise ServiceError("OperationInvalidForCurrentState", "Automatic scaling is not enabled on the pool.")
    return services.fleet.scaling.evaluate((account, record.pool.id), formula, record)


def check_packages(services: Services, account: str, references: Iterable[PackageReference] | None) -> None:
    """Raises InvalidApplicationPackageReferences naming each that cannot be had, InvalidPropertyValue for doubles."""
    given = list(references or ())
    bad = {}
    for reference in given:
        if (reason := _problem(services, account, reference)) is not None:
            bad[short_id(reference.application_id)] = reason
    if bad:
        raise ServiceError("InvalidApplicationPackageReferences", values=bad)
    names = [(short_id(found.application_id).lower(), (found.version or "").lower()) for found in given]
    if len(set(names)) != len(names):
        raise ServiceError(
            "InvalidPropertyValue",
            values={"PropertyName": "applicationPackageReferences", "Reason": "A package is referenced twice"},
        )


def _problem(services: Services, account: str, reference: PackageReference) -> str | None:
    name = short_id(reference.application_id)
    application = services.repositories.applications.get(account, name)
    if application is None:
        return "The specified application does not exist."
    version = reference.version or application.default_version
    if version is None:
        return "The application has no default version."
    package = services.repositories.packages.get(f"{account}/{application.name}", version)
    if package is None or package.state is not PackageState.ACTIVE:
        return "The specified application package does not exist."
    return None


def _etag(services: Services) -> str:
    return services.ids.etag(services.clock.now())


def _save(services: Services, account: str, record: PoolRecord) -> None:
    services.fleet.estate.save_pool(account, record)
    services.scheduler.pool_changed(account, record.pool.id)
