"""What handlers work with, made once at the start and handed to every call."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from emulator.agenda import Agenda
from emulator.blobs import BlobStore
from emulator.clock import Clock
from emulator.faults import Faults
from emulator.ids import IdSource
from emulator.locks import KeyedLocks
from emulator.nodes.fleet import Fleet
from emulator.repositories import Repositories
from emulator.request_log import RequestLog
from emulator.scheduler.engine import Scheduler
from emulator.settings import Settings
from emulator.store import MemoryStore, SqliteStore, Store
from emulator.tokens import Tokens

CLOCK = "clock"


@dataclass(slots=True)
class Services:
    settings: Settings
    store: Store
    repositories: Repositories
    clock: Clock
    ids: IdSource
    blobs: BlobStore
    tokens: Tokens
    faults: Faults
    locks: KeyedLocks
    request_log: RequestLog
    agenda: Agenda
    scheduler: Scheduler
    fleet: Fleet
    temporary: "TemporaryDirectory[str] | None" = None

    def folder(self, name: str) -> Path:
        """A folder of the data folder, or of one that is gone with this process."""
        if self.settings.data is None:
            self.temporary = self.temporary or TemporaryDirectory(prefix="batch-emulator-", ignore_cleanup_errors=True)
        found = (self.settings.data or Path(self.temporary.name if self.temporary else "")) / name
        found.mkdir(parents=True, exist_ok=True)
        return found

    def go_on(self) -> None:
        """Take up what the store says is under way, as after a start."""
        with self.scheduler.together():
            self.scheduler.restore()
            self.fleet.restore()
            self.scheduler.restored()


def build(settings: Settings, clock: Clock | None = None) -> Services:
    """Raises StoreInUseError when the data folder belongs to another process."""
    store: Store = MemoryStore() if settings.data is None else SqliteStore(settings.data)
    repositories = Repositories(store)
    clock = clock or Clock()
    if (kept := repositories.clock.get("", CLOCK)) is not None:
        clock.restore(kept)
    ids, agenda, blobs = IdSource(settings.seed), Agenda(clock), BlobStore(settings.storage)
    scheduler = Scheduler(store, repositories, clock, ids, agenda)
    fleet = Fleet(
        store=store,
        repositories=repositories,
        clock=clock,
        ids=ids,
        agenda=agenda,
        settings=settings,
        blobs=blobs,
        events=scheduler,
    )
    scheduler.connect(fleet, fleet)
    agenda.together = scheduler.together
    return Services(
        settings=settings,
        store=store,
        repositories=repositories,
        clock=clock,
        ids=ids,
        blobs=blobs,
        tokens=Tokens(clock, settings.require_issuer),
        faults=Faults(),
        locks=KeyedLocks(),
        request_log=RequestLog(),
        agenda=agenda,
        scheduler=scheduler,
        fleet=fleet,
    )
