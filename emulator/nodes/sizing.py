"""Resizes: from targets to nodes."""

import fnmatch
from collections import Counter
from collections.abc import Iterator
from functools import partial

import msgspec

from emulator.agenda import Branch
from emulator.catalogue import vm_sizes
from emulator.clock import Clock
from emulator.domain import allocation
from emulator.domain import nodes as node_rules
from emulator.domain import pools as rules
from emulator.domain.allocation import Limit, Plan
from emulator.domain.pools import PoolRecord, Token
from emulator.ids import IdSource
from emulator.nodes import usage
from emulator.nodes.estate import Estate, NodeGoneError, PoolKey, current
from emulator.nodes.life import CHUNK, Life
from emulator.scheduler.ports import NodeEvents, NodeRef
from emulator.settings import Settings
from emulator.wire.pools import Deallocation, ResizeError


class Shortage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A resize that is to go wrong: patterns of account and pool, how many nodes come nevertheless, and why no more.

    With ``stall`` the nodes never come, so that the resize times out. ``count`` is for how many resizes (None: all).
    """

    account: str = "*"
    pool: str = "*"
    nodes: int = 0
    code: str = "AllocationFailed"
    message: str = "Desired number of nodes could not be allocated."
    stall: bool = False
    count: int | None = None


class Sizing:
    def __init__(
        self,
        *,
        estate: Estate,
        life: Life,
        agenda: Branch,
        clock: Clock,
        ids: IdSource,
        settings: Settings,
        events: NodeEvents,
    ) -> None:
        self._estate = estate
        self._life = life
        self._agenda = agenda
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._events = events
        self._parts: Counter[tuple[PoolKey, Token]] = Counter()  # of resizes, that are still to be done
        self._errors: dict[PoolKey, list[ResizeError]] = {}
        self.shortages: list[Shortage] = []
        life.on_count = self.counted

    def clear(self) -> None:
        self._parts.clear()
        self._errors.clear()
        self.shortages.clear()

    def begin(self, key: PoolKey) -> None:
        """Go on with a resize that the pool's record has begun."""
        pool = self._estate.pool(*key)
        if pool is None or pool.resize is None:
            return
        token = pool.resize.token
        self._part(key, token, partial(self._apply, key, token))
        if not pool.is_deleting:
            self._agenda.at(pool.resize.deadline, partial(self._time_out, key, token))

    def stop(self, key: PoolKey) -> None:
        """The record says ``stopping``: what is not there yet does not come any more."""
        self._errors[key] = [allocation.error("ResizeStopped", "Resize operation on the pool was stopped by the user.")]
        self._give_up(key, partial(self.counted, key))

    # Steps

    def _apply(self, key: PoolKey, token: Token) -> None:
        pool = self._resizing(key, token)
        if pool is None or pool.resize is None:
            return
        if pool.is_deleting:
            self._empty(key, token, "")
            return
        shortage = self._shortage(key)
        plan = self._plan(key, pool, shortage)
        self._errors[key] = list(plan.errors)
        for refs in _chunks([NodeRef(*key, name) for name in plan.remove]):
            self._part(key, token, partial(self._remove, refs, pool.resize.option))
        stalls = shortage is not None and shortage.stall
        for is_dedicated, wanted in ((True, plan.dedicated), (False, plan.low_priority)):
            for size in _sizes(wanted):
                self._part(
                    key, token, partial(self._create, key, token, size, is_dedicated=is_dedicated, stalls=stalls)
                )

    def _empty(self, key: PoolKey, token: Token, after: str) -> None:
        """All nodes leave, those behind a key after the others."""
        pool = self._resizing(key, token)
        found = self._estate.page(key, after, CHUNK)
        if pool is None or pool.resize is None or not found:
            return
        self._part(key, token, partial(self._empty, key, token, found[-1].id.lower()))
        staying = [NodeRef(*key, node.id) for node in found if node.state != "leavingpool"]
        self._remove(staying, pool.resize.option)

    def _plan(self, key: PoolKey, pool: PoolRecord, shortage: Shortage | None) -> Plan:
        limits = [*self._limits(key, pool)]
        spare = [Limit(shortage.nodes, _shortage_error(shortage))] if shortage and not shortage.stall else []
        return allocation.plan(
            self._estate.rows(key),
            dedicated=pool.pool.target_dedicated_nodes or 0,
            low_priority=pool.pool.target_low_priority_nodes or 0,
            remove=(pool.resize.remove if pool.resize else None) or (),
            dedicated_limits=[*spare, *limits, *self._core_limits(key, pool, is_dedicated=True)],
            low_priority_limits=[*spare, *limits, *self._core_limits(key, pool, is_dedicated=False)],
        )

    def _remove(self, refs: list[NodeRef], option: Deallocation) -> None:
        self._life.leave(refs, option)

    def _create(self, key: PoolKey, token: Token, size: int, *, is_dedicated: bool, stalls: bool) -> None:
        if self._resizing(key, token) is None:
            return
        with self._estate.changing_pool(key) as pool:
            first = pool.created_nodes
            pool.created_nodes += size
        made = [
            node_rules.new_node(
                node_rules.node_name(self._ids.hex32() + self._ids.hex32(), is_dedicated=is_dedicated),
                first + index,
                is_dedicated=is_dedicated,
                now=self._clock.now(),
            )
            for index in range(size)
        ]
        self._estate.add(key, made)
        if not stalls:
            refs = [NodeRef(key[0], pool.pool.id, node.id) for node in made]
            self._agenda.after(self._settings.resize_time, partial(self._life.created, refs))

    def _part(self, key: PoolKey, token: Token, action: partial[None]) -> None:
        """Do a part later, so that requests are answered in between."""
        self._parts[key, token] += 1

        def do() -> None:
            try:
                action()
            finally:
                self._part_done(key, token)

        self._agenda.after(0, do)

    def _part_done(self, key: PoolKey, token: Token) -> None:
        self._parts[key, token] -= 1
        if not self._parts[key, token]:
            del self._parts[key, token]
        self.counted(key)

    def _time_out(self, key: PoolKey, token: Token) -> None:
        if self._resizing(key, token) is None:
            return
        self._errors.setdefault(key, []).append(
            allocation.error(
                "AllocationTimedOut",
                "Desired number of nodes could not be allocated as the resize timeout was reached.",
            )
        )
        self._give_up(key, partial(self._timed_out, key, token))

    def _timed_out(self, key: PoolKey, token: Token) -> None:
        if self._resizing(key, token) is None:
            return
        with self._estate.changing_pool(key) as pool:
            if pool.resize is not None:  # nodes that wait for their tasks leave in their own time
                rules.settle(pool, self._errors.pop(key, []), self._clock.now())

    def _give_up(self, key: PoolKey, then: partial[None]) -> None:
        """What is not there yet leaves. The pool is no steady one until ``then``."""
        creating = [NodeRef(*key, row.id) for row in self._estate.rows(key) if row.state == "creating"]
        for refs in _chunks(creating):
            self._agenda.after(0, partial(self._life.leave, refs, "requeue", only="creating"))
        if creating:
            self._agenda.after(0, then)
        else:
            then()

    # Ends

    def counted(self, key: PoolKey) -> None:
        """The number of nodes may have changed: keep the pool's own figures, and end a resize that has arrived."""
        counts = self._estate.counts(key)
        try:
            with self._estate.changing_pool(key) as pool:
                usage.meter(pool, self._clock.now())
                pool.pool.current_dedicated_nodes, pool.pool.current_low_priority_nodes = current(counts)
                unsettled = counts[True, "creating"] + counts[False, "creating"]
                unsettled += counts[True, "leavingpool"] + counts[False, "leavingpool"]
                arrived = not unsettled and not (pool.resize and (key, pool.resize.token) in self._parts)
                if arrived and pool.resize is not None:
                    rules.settle(pool, self._errors.pop(key, []), self._clock.now())
                is_gone = arrived and pool.is_deleting
        except NodeGoneError:
            return
        if is_gone:
            self._estate.remove_pool(key)
            self._events.pool_changed(*key)

    def _resizing(self, key: PoolKey, token: Token) -> PoolRecord | None:
        """The pool while that resize is under way."""
        pool = self._estate.pool(*key)
        same = pool is not None and pool.resize is not None and pool.resize.token == token
        return pool if same and pool is not None and pool.pool.allocation_state == "resizing" else None

    # Limits

    def _limits(self, key: PoolKey, pool: PoolRecord) -> Iterator[Limit]:
        if pool.pool.enable_inter_node_communication:
            error = allocation.error(
                "CommunicationEnabledPoolReachedMaxVMCount",
                f"A pool with inter-node communication has at most {rules.MOST_INTER_NODE} nodes.",
            )
            yield Limit(rules.MOST_INTER_NODE - self._estate.counts(key).total(), error)
        if not pool.simulated:
            most = self._settings.process_nodes
            error = allocation.error(
                "AllocationFailed",
                f"This service runs at most {most} nodes as real processes (--process-nodes)."
                " Larger pools can have simulated nodes: metadata item emulator:nodes with the value simulated.",
            )
            yield Limit(most - self._process_nodes(), error)

    def _process_nodes(self) -> int:
        return sum(self._estate.counts(key).total() for key, pool in self._estate.pools() if not pool.simulated)

    def _core_limits(self, key: PoolKey, pool: PoolRecord, *, is_dedicated: bool) -> Iterator[Limit]:
        """Quotas of cores: all of the account, and for dedicated nodes those of the VM family."""
        family = vm_sizes.family(pool.pool.vm_size)
        account, of_family = self._used_cores(key[0], family, is_dedicated=is_dedicated)
        if not is_dedicated:
            quota = self._settings.low_priority_core_quota
            error = _quota_error("AccountLowPriorityCoreQuotaReached", "low-priority core", quota, account)
            yield Limit((quota - account) // pool.cores, error)
            return
        quota = self._settings.dedicated_core_quota
        yield Limit((quota - account) // pool.cores, _quota_error("AccountCoreQuotaReached", "core", quota, account))
        if family is not None:
            quota = self._settings.family_core_quota
            error = _quota_error("AccountVMSeriesCoreQuotaReached", f"{family} core", quota, of_family)
            yield Limit((quota - of_family) // pool.cores, error)

    def _used_cores(self, account: str, family: str | None, *, is_dedicated: bool) -> tuple[int, int]:
        total = in_family = 0
        for pool in self._estate.pools_of(account):
            counts = self._estate.counts((account, pool.pool.id))
            nodes = sum(number for (kind, _), number in counts.items() if kind is is_dedicated)
            total += nodes * pool.cores
            in_family += nodes * pool.cores if vm_sizes.family(pool.pool.vm_size) == family else 0
        return total, in_family

    def _shortage(self, key: PoolKey) -> Shortage | None:
        for shortage in self.shortages:
            if shortage.count == 0:
                continue
            if fnmatch.fnmatchcase(key[0], shortage.account) and fnmatch.fnmatchcase(key[1], shortage.pool):
                if shortage.count is not None:
                    shortage.count -= 1
                return shortage
        return None


def _shortage_error(shortage: Shortage) -> ResizeError:
    return allocation.error(shortage.code, shortage.message)


def _quota_error(code: str, what: str, quota: int, used: int) -> ResizeError:
    return allocation.error(
        code, f"The specified account has reached {what} quota.", QuotaLimit=str(quota), CurrentUsage=str(used)
    )


def _chunks(refs: list[NodeRef]) -> Iterator[list[NodeRef]]:
    for start in range(0, len(refs), CHUNK):
        yield refs[start : start + CHUNK]


def _sizes(number: int) -> Iterator[int]:
    while number > 0:
        yield min(number, CHUNK)
        number -= CHUNK
