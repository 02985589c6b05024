"""Every kind of resource the store holds, with its type and its scope."""

from emulator.clock import ClockState
from emulator.domain.accounts import BatchAccount
from emulator.domain.applications import Application, Package
from emulator.domain.certificates import Certificate
from emulator.domain.jobs import JobRecord, JobRow, PreparationRecord, TaskCounts
from emulator.domain.long_running import LongRunning
from emulator.domain.node_users import NodeUser
from emulator.domain.nodes import NodeRecord, NodeRow
from emulator.domain.pools import PoolRecord, PoolRow
from emulator.domain.schedules import ScheduleRecord, ScheduleRow
from emulator.domain.snapshots import Swap
from emulator.domain.storage_accounts import StorageAccount
from emulator.domain.subscriptions import ResourceGroup
from emulator.domain.tasks import TaskRecord, TaskRow
from emulator.domain.usage import Usage
from emulator.scheduler.records import QueueEntry, RunRecord
from emulator.store import Collection, Store
from emulator.wire.tasks import Subtask


class Repositories:
    def __init__(self, store: Store) -> None:
        self.clock = Collection(store, "clock", ClockState)  # scope: none, one document
        self.resource_groups = Collection(store, "resource_group", ResourceGroup)  # scope: subscription
        self.storage_accounts = Collection(store, "storage_account", StorageAccount)  # scope: none
        self.accounts = Collection(store, "account", BatchAccount)  # scope: none, names are unique here
        self.operations = Collection(store, "operation", LongRunning)  # scope: none
        self.applications = Collection(store, "application", Application)  # scope: account
        self.packages = Collection(store, "package", Package)  # scope: account/application
        self.pools = Collection(store, "pool", PoolRecord)  # scope: account
        self.pool_rows = Collection(store, "pool", PoolRow)
        self.pool_usage = Collection(store, "pool_usage", Usage)  # scope: account, by pool
        self.nodes = Collection(store, "node", NodeRecord)  # scope: account/pool
        self.node_rows = Collection(store, "node", NodeRow)
        self.node_users = Collection(store, "node_user", NodeUser)  # scope: account/pool/node
        self.certificates = Collection(store, "certificate", Certificate)  # scope: account
        self.jobs = Collection(store, "job", JobRecord)  # scope: account
        self.job_rows = Collection(store, "job", JobRow)
        self.schedules = Collection(store, "job_schedule", ScheduleRecord)  # scope: account
        self.schedule_rows = Collection(store, "job_schedule", ScheduleRow)
        self.tasks = Collection(store, "task", TaskRecord)  # scope: account/job
        self.task_rows = Collection(store, "task", TaskRow)
        self.task_counts = Collection(store, "task_counts", TaskCounts)  # scope: account, by job
        self.task_queue = Collection(store, "task_queue", QueueEntry)  # scope: account/job, in the order to start
        self.subtasks = Collection(store, "subtask", Subtask)  # scope: account/job/task
        self.preparations = Collection(store, "job_preparation", PreparationRecord)  # scope: account/job
        self.runs = Collection(store, "run", RunRecord)  # scope: account
        self.swaps = Collection(store, "swap", Swap)  # scope: none, one document while a snapshot is brought back

    def kinds(self) -> list[str]:
        """Every kind of document there is, by name."""
        return sorted({collection.kind for collection in vars(self).values()})
