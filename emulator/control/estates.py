"""Estates: accounts with applications, pools, jobs and schedules, described in JSON and made at once.

Pools, jobs, tasks and job schedules are written as the data plane takes them and obey its rules. What exists already
is left as it is, so that seeding twice is as good as once.
"""

import asyncio
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.responses import Response

from emulator import answers, first_start
from emulator.call import Call
from emulator.domain import names
from emulator.domain.accounts import AutoStorage, BatchAccount
from emulator.domain.applications import Application, Package, container_name
from emulator.errors import ServiceError
from emulator.nodes import requests as pool_requests
from emulator.scheduler import requests
from emulator.services import Services
from emulator.settings import DEFAULT_GROUP, DEFAULT_SUBSCRIPTION
from emulator.wire.base import Shape
from emulator.wire.base import read as read_wire
from emulator.wire.jobs import NewJob
from emulator.wire.pools import NewPool
from emulator.wire.schedules import NewSchedule
from emulator.wire.tasks import NewTask

DEMO = Path(__file__).parent / "demo.json"

S = TypeVar("S", bound=Shape)

_EXISTS = {"PoolExists", "JobExists", "JobScheduleExists", "TaskExists"}
_MOST_TASKS = 1_000_000


class ApplicationPlan(Shape):
    """``versions`` are packages by their version: the text of each file by its name in the package."""

    display_name: str | None = None
    allow_updates: bool = True
    default_version: str | None = None
    versions: dict[str, dict[str, str]] = {}


class AccountPlan(Shape):
    """``storage`` names a connected storage account; left out it is the first. A job may have ``tasks``.

    A task with ``repeat`` is added that often, ``{number}`` in its texts being 0, 1 and so on.
    """

    storage: str | None = None
    applications: dict[str, ApplicationPlan] = {}
    pools: list[dict[str, Any]] = []
    jobs: list[dict[str, Any]] = []
    job_schedules: list[dict[str, Any]] = []


class Estate(Shape):
    accounts: dict[str, AccountPlan]


async def seed(call: Call) -> Response:
    """The estate of the body; without a body the demo."""
    given = await call.json_object()
    estate = read(given or msgspec.json.decode(DEMO.read_bytes()), Estate)
    seeding = _Seeding(call.services)
    for name, plan in estate.accounts.items():
        await seeding.account(name, plan)
    return answers.json({"created": seeding.created, "kept": seeding.kept, "leftOut": seeding.left_out})


class _Seeding:
    def __init__(self, services: Services) -> None:
        self._services = services
        self.created: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self.left_out: list[str] = []

    async def account(self, name: str, plan: AccountPlan) -> None:
        if problem := names.account_problem(name):
            raise ServiceError("InvalidRequestContent", f"The account name {name!r} is invalid: {problem}")
        pools = [read(pool, NewPool) for pool in plan.pools]
        jobs = [_job(job) for job in plan.jobs]
        schedules = [read(schedule, NewSchedule) for schedule in plan.job_schedules]
        account = self._account(name)
        without = await self._applications(account, plan)
        for pool in pools:
            if pool.application_package_references:
                pool.application_package_references = [
                    found for found in pool.application_package_references if found.application_id not in without
                ]
            self._do("pools", lambda pool=pool: pool_requests.add_pool(self._services, account.name, pool))
        for job, tasks in jobs:
            self._do("jobs", lambda job=job: requests.add_job(self._services.scheduler, account.name, job))
            await self._tasks(account.name, job.id, tasks)
        for schedule in schedules:
            self._do(
                "jobSchedules",
                lambda schedule=schedule: requests.add_schedule(self._services.scheduler, account.name, schedule),
            )

    def _do(self, what: str, action: Any) -> None:
        try:
            action()
        except ServiceError as error:
            if error.code not in _EXISTS:
                raise
            self.kept[what] += 1
        else:
            self.created[what] += 1

    def _account(self, name: str) -> BatchAccount:
        kept = self._services.repositories.accounts
        found = kept.get("", name)
        if found is not None and not found.is_gone(self._services.clock.now()):
            self.kept["accounts"] += 1
            return found
        made = first_start.new_account(self._services, name)
        kept.put("", name, made)
        self.created["accounts"] += 1
        return made

    # Applications

    async def _applications(self, account: BatchAccount, plan: AccountPlan) -> set[str]:
        """Names of the applications that could not be had, because there is nowhere to keep packages."""
        if not plan.applications and plan.storage is None:
            return set()
        if not self._link(account, plan.storage):
            self.left_out += [f"application {name}: no storage account is connected" for name in plan.applications]
            return set(plan.applications)
        for name, application in plan.applications.items():
            await self._application(account, name, application)
        return set()

    def _link(self, account: BatchAccount, wanted: str | None) -> bool:
        if account.auto_storage is not None:
            return True
        connected = [found.name for found in self._services.blobs.connections]
        if wanted is not None and wanted not in connected:
            raise ServiceError("InvalidAutoStorageAccount", f"No storage account {wanted} is connected.")
        if not connected:
            return False
        name = wanted or connected[0]
        account.auto_storage = AutoStorage(
            storage_account_id=f"/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/{DEFAULT_GROUP}"
            f"/providers/Microsoft.Storage/storageAccounts/{name}",
            storage_account=name,
            last_key_sync=self._services.clock.now(),
        )
        self._services.repositories.accounts.put("", account.name, account)
        return True

    async def _application(self, account: BatchAccount, name: str, plan: ApplicationPlan) -> None:
        names.check_application(name)
        if plan.default_version is not None and plan.default_version not in plan.versions:
            raise ServiceError(
                "InvalidRequestContent", f"The application {name} has no version {plan.default_version!r}"
            )
        kept, ids, now = self._services.repositories.applications, self._services.ids, self._services.clock.now()
        application = kept.get(account.name, name)
        self._count("applications", new=application is None)
        if application is None:
            application = Application(name=name, container=container_name(name, ids.hex32()), etag=ids.etag(now))
            application.display_name, application.allow_updates = plan.display_name, plan.allow_updates
            kept.put(account.name, name, application)
        for version, files in plan.versions.items():
            await self._package(account, application, version, files)
        if application.default_version is None and plan.default_version is not None:
            application.default_version = plan.default_version
            kept.put(account.name, name, application)

    async def _package(self, account: BatchAccount, application: Application, version: str, files: Any) -> None:
        names.check_version(version)
        kept, scope = self._services.repositories.packages, f"{account.name}/{application.name}"
        is_new = kept.get(scope, version) is None
        self._count("packages", new=is_new)
        if not is_new or account.auto_storage is None:
            return
        storage, now = account.auto_storage.storage_account, self._services.clock.now()
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "package.zip"
            _zip(archive, files)
            await self._services.blobs.ensure_container(storage, application.container)
            await self._services.blobs.put(storage, application.container, version, archive)
        package = Package(name=version, etag=self._services.ids.etag(now))
        package.activate("zip", now)
        kept.put(scope, version, package)

    def _count(self, what: str, *, new: bool) -> None:
        (self.created if new else self.kept)[what] += 1

    # Tasks

    async def _tasks(self, account: str, job_id: str, plans: list[dict[str, Any]]) -> None:
        for plan in plans:
            repeat = int(plan.get("repeat", 1))
            body = msgspec.json.encode({name: value for name, value in plan.items() if name != "repeat"})
            for start in range(0, repeat, 100):
                self._collection(account, job_id, body, range(start, min(start + 100, repeat)))
                await asyncio.sleep(0)

    def _collection(self, account: str, job_id: str, body: bytes, numbers: range) -> None:
        job = self._services.repositories.jobs.get(account, job_id)
        if job is None or job.job.state in {"terminating", "completed", "deleting"}:
            self.kept["tasks"] += len(numbers)
            return
        wanted = [_task(body, number) for number in numbers]
        for result in requests.add_tasks(self._services.scheduler, account, job, wanted):
            if isinstance(result, ServiceError) and result.code not in _EXISTS:
                raise result
            self._count("tasks", new=not isinstance(result, ServiceError))


def read(body: object, shape: type[S]) -> S:
    """As the data plane reads it, with what is wrong in the message. Raises InvalidRequestContent."""
    try:
        return read_wire(body, shape)
    except ServiceError as error:
        reason = error.values.get("Reason") or error.message
        where = error.values.get("PropertyName", "")
        raise ServiceError("InvalidRequestContent", reason if where in reason else f"{where}: {reason}") from None


def _job(plan: dict[str, Any]) -> tuple[NewJob, list[dict[str, Any]]]:
    """The job and its tasks, each checked once."""
    tasks = plan.get("tasks") or []
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise ServiceError("InvalidRequestContent", "tasks of a job must be a list of objects")
    for task in tasks:
        repeat = task.get("repeat", 1)
        if not isinstance(repeat, int) or isinstance(repeat, bool) or not 1 <= repeat <= _MOST_TASKS:
            raise ServiceError("InvalidRequestContent", f"repeat must be a number from 1 to {_MOST_TASKS}")
        _task(msgspec.json.encode({name: value for name, value in task.items() if name != "repeat"}), 0)
    return read({name: value for name, value in plan.items() if name != "tasks"}, NewJob), tasks


def _task(body: bytes, number: int) -> NewTask:
    return read(msgspec.json.decode(body.replace(b"{number}", str(number).encode())), NewTask)


def _zip(target: Path, files: dict[str, str]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
