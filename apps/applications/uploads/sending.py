"""Sending a staged file to blob storage in blocks, several at once, in bounded memory, resumable.

A block's id comes from the staged file and the block's number, so whoever resumes, or retries with the same file, knows
which blocks are there already and never takes those of another upload for its own.
"""

from __future__ import annotations

import math
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import IO, cast

from django.conf import settings

from apps.applications.uploads import staging
from apps.applications.uploads.destination import Destination
from apps.gateway import blobs
from apps.gateway.errors import GatewayDenied, GatewayError, GatewayNotFound

# What the service admits (Blob Storage scalability targets).
MAX_BLOCKS = 50_000
MIB = 1024 * 1024


def block_bytes(length: int) -> int:
    """The size of all blocks but the last: as configured, larger where the file would need too many."""
    least = math.ceil(length / MAX_BLOCKS)
    return max(settings.UPLOAD_BLOCK_BYTES, math.ceil(least / MIB) * MIB)


class Blocks:
    """How a file of `length` bytes is cut: block numbers, ids, ranges."""

    def __init__(self, staged_name: str, length: int, size: int) -> None:
        self.length = length
        self.size = size
        self.count = math.ceil(length / size)
        self._prefix = staged_name[:16]

    def id(self, number: int) -> str:
        return f"{self._prefix}{blobs.block_id(number)}"

    @property
    def ids(self) -> list[str]:
        return [self.id(number) for number in range(self.count)]

    def bytes_of(self, number: int) -> int:
        return min(self.size, self.length - number * self.size)

    def complete_below(self, offset: int) -> int:
        """How many blocks are whole when the file has come up to `offset`."""
        return self.count if offset >= self.length else offset // self.size

    def staged(self, found: dict[str, int]) -> set[int]:
        """The numbers of those that the service holds whole."""
        return {number for number in range(self.count) if found.get(self.id(number)) == self.bytes_of(number)}


class Sender:
    """Sends blocks from a pool of threads. Not thread-safe itself: one coordinator feeds it and asks it.

    A failed block raises its `GatewayError` from `feed`, `pause` or `drain`. Blocks that are under way then still end.
    """

    def __init__(self, descriptor: int, blocks: Blocks, destination: Destination, staged: set[int]) -> None:
        self._descriptor = descriptor
        self._blocks = blocks
        self._destination = destination
        self._left = [number for number in range(blocks.count) if number not in staged]
        self._left.reverse()
        self._under_way: dict[Future[None], int] = {}
        self._pool = ThreadPoolExecutor(settings.UPLOAD_CONCURRENCY, thread_name_prefix="blocks")
        self.sent = sum(blocks.bytes_of(number) for number in staged)

    @property
    def is_done(self) -> bool:
        return not self._left and not self._under_way

    @property
    def is_idle(self) -> bool:
        return not self._under_way

    def feed(self, offset: int) -> None:
        """Begin blocks that are whole at `offset`, as many as the pool takes."""
        self._collect(timeout=0)
        whole = self._blocks.complete_below(offset)
        while self._left and self._left[-1] < whole and len(self._under_way) < settings.UPLOAD_CONCURRENCY:
            number = self._left.pop()
            self._under_way[self._pool.submit(self._send, number)] = number

    def pause(self, seconds: float) -> None:
        """Wait until a block has ended, for at most `seconds`."""
        self._collect(timeout=seconds)

    def _collect(self, timeout: float) -> None:
        ended, _ = wait(self._under_way, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in ended:
            number = self._under_way.pop(future)
            future.result()
            self.sent += self._blocks.bytes_of(number)

    def _send(self, number: int) -> None:
        blocks = self._blocks
        length = blocks.bytes_of(number)
        with staging.Slice(self._descriptor, number * blocks.size, length) as part:
            blobs.block_stage(self._destination.url(), blocks.id(number), cast("IO[bytes]", part), length)

    def close(self) -> None:
        """Wait for the blocks under way and end the threads; what they say no longer matters."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def is_stale(error: GatewayError) -> bool:
    """Whether the address no longer works although blob storage does, so that a new one may help.

    Its signature has ended, the storage account's keys were renewed, or somebody deleted the container.
    """
    denied = isinstance(error, GatewayDenied) and error.code == "gateway-storage-denied"
    return denied or isinstance(error, GatewayNotFound)
