"""What commands have used of processors, disks and time."""

from datetime import datetime

import msgspec

from emulator.clock import iso


class Usage(msgspec.Struct, omit_defaults=True):
    """Sums. Times are seconds; ``peak`` is the largest resident memory of one process, in bytes.

    ``reads`` and ``writes`` are system calls, the bytes those that went from and to disks. ``updated`` is when
    something was added last.
    """

    user: float = 0.0
    kernel: float = 0.0
    wall: float = 0.0
    reads: int = 0
    writes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0
    peak: int = 0
    updated: str = ""

    def add(self, other: "Usage", now: datetime) -> None:
        self.user += other.user
        self.kernel += other.kernel
        self.wall += other.wall
        self.reads += other.reads
        self.writes += other.writes
        self.read_bytes += other.read_bytes
        self.written_bytes += other.written_bytes
        self.peak = max(self.peak, other.peak)
        self.updated = iso(now)


class JobUsage(msgspec.Struct, omit_defaults=True):
    """What the tasks of a job, or of all jobs of a schedule, have come to. Deleted ones stay counted."""

    used: Usage = msgspec.field(default_factory=Usage)
    retries: int = 0
    succeeded: int = 0
    failed: int = 0

    def add(self, other: "JobUsage", now: datetime) -> None:
        self.used.add(other.used, now)
        self.retries += other.retries
        self.succeeded += other.succeeded
        self.failed += other.failed
