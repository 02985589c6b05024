"""The life of nodes: from being created through boots, actions and tasks until they are gone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from emulator.agenda import Branch
from emulator.clock import Clock, iso
from emulator.domain import nodes as rules
from emulator.domain.nodes import Action, NodeRecord
from emulator.domain.pools import PoolRecord
from emulator.errors import ServiceError
from emulator.nodes.estate import Estate, NodeGoneError, PoolKey
from emulator.runners.base import Machine, Runner
from emulator.scheduler.ports import Drain, NodeEvents, NodeRef, NodeSlots, RunEnd, RunKind, TaskStart
from emulator.settings import Settings
from emulator.wire.nodes import NodeError, NodeState, RecentTask, StartTaskInfo
from emulator.wire.pools import Deallocation

CHUNK = 200  # nodes changed in one go

RunnerOf = Callable[[PoolRecord], Runner]


@dataclass(slots=True)
class _Run:
    start: TaskStart
    began: str


class Life:
    """Implements ``Reports``. ``on_count`` is called with the pool whenever its number of nodes may have changed."""

    def __init__(
        self,
        *,
        estate: Estate,
        agenda: Branch,
        clock: Clock,
        settings: Settings,
        events: NodeEvents,
        runner_of: RunnerOf,
    ) -> None:
        self._estate = estate
        self._agenda = agenda
        self._clock = clock
        self._settings = settings
        self._events = events
        self._runner_of = runner_of
        self._pending: dict[NodeRef, Callable[[], None]] = {}
        self._runs: dict[str, _Run] = {}
        self._runs_on: dict[NodeRef, set[str]] = {}
        self._halted: list[NodeRef] = []
        self.on_count: Callable[[PoolKey], None] = lambda _: None

    def clear(self) -> None:
        self._pending.clear()
        self._halted.clear()
        self._runs.clear()
        self._runs_on.clear()

    # Boots

    def created(self, refs: list[NodeRef]) -> None:
        """The machines were obtained: they begin to start."""
        with self._estate.changing_many(refs, "creating") as found:
            for _, node in found:
                rules.move(node, "starting", self._now())
        self._agenda.after(self._settings.boot_time, partial(self.boot, [ref for ref, _ in found]))
        self.on_count(refs[0][:2])

    def boot(self, refs: list[NodeRef]) -> None:
        """The machines are up: packages and start task follow."""
        pool = self._estate.pool(*refs[0][:2]) if refs else None
        if pool is None:
            return
        now = self._now()
        boot = iso(now)
        with self._estate.changing_many(refs, "starting") as found:
            for _, node in found:
                rules.begin_boot(node, pool.pool.start_task, now)
        if found:
            self._runner_of(pool).boot([machine(ref, node, pool) for ref, node in found], boot)

    def ready(self, refs: list[NodeRef], boot: str) -> None:
        with self._estate.changing_many(refs, "starting") as found:
            fresh = [(ref, node) for ref, node in found if node.last_boot_time == boot]
            for _, node in fresh:
                rules.move(node, node.resting, self._now())
        self._announce(fresh)

    def installed(self, ref: NodeRef, packages: dict[str, str]) -> None:
        self._change(ref, lambda node: setattr(node, "packages", packages))

    def listens(self, ref: NodeRef, port: int) -> None:
        self._change(ref, lambda node: setattr(node, "ssh_port", port))

    def start_task(self, refs: list[NodeRef], info: StartTaskInfo, boot: str) -> None:
        for state in ("starting", "waitingforstarttask"):
            self._start_task(refs, info, boot, state)
        for ref in refs:  # that were not waited for go on meanwhile
            node = self._estate.node(ref)
            if node is not None and node.last_boot_time == boot and node.start_task_info != info:
                self._change(ref, lambda node: setattr(node, "start_task_info", info))

    def _start_task(self, refs: list[NodeRef], info: StartTaskInfo, boot: str, state: str) -> None:
        with self._estate.changing_many(refs, state) as found:
            fresh = [(ref, node) for ref, node in found if node.last_boot_time == boot]
            for _, node in fresh:
                rules.start_task_is(node, info, self._now())
        self._announce([(ref, node) for ref, node in fresh if node.state in rules.ONLINE_STATES])

    def broken(self, ref: NodeRef, error: NodeError) -> None:
        def change(node: NodeRecord) -> None:
            node.errors = [error]
            rules.move(node, "unusable", self._now())

        if self._change(ref, change):
            self._lost(ref)

    def _announce(self, found: list[tuple[NodeRef, NodeRecord]]) -> None:
        pools: dict[PoolKey, PoolRecord | None] = {}
        for ref, node in found:
            key = ref[:2]
            if key not in pools:
                pools[key] = self._estate.pool(*key)
            if (pool := pools[key]) is not None and node.is_online:
                self._events.node_online(slots(ref, node, pool))

    # Actions

    def act(self, ref: NodeRef, action: Action, option: Deallocation) -> None:
        """Reboot, reimage or deallocate. Raises NodeGoneError or the error of the node's state."""
        with self._estate.changing(ref) as node:
            rules.check_action(node, allow_unusable=not self._settings.refuse_unusable)
            rules.move(node, rules.ACTION_STATE[action], self._now())
        self._drain(ref, option, partial(self._halt, ref, action))

    def _halt(self, ref: NodeRef, action: Action) -> None:
        pool = self._estate.pool(*ref[:2])
        if pool is not None:
            self._runner_of(pool).halt(
                ref, lambda: self._later(partial(self._acted, ref, action), self._settings.boot_time)
            )

    def _acted(self, ref: NodeRef, action: Action) -> None:
        node, pool = self._estate.node(ref), self._estate.pool(*ref[:2])
        if node is None or pool is None or node.state != rules.ACTION_STATE[action]:
            return
        if action == "reimage":
            self._wipe(ref, pool)
        self._change(ref, partial(_after, action=action, now=self._now()))
        if action != "deallocate":
            self._later(partial(self.boot, [ref]), self._settings.boot_time)

    def start(self, ref: NodeRef) -> None:
        """Start a deallocated node. Raises NodeGoneError or the error of its state."""
        with self._estate.changing(ref) as node:
            rules.check_start(node)
            rules.move(node, "starting", self._now())
        self._later(partial(self.boot, [ref]), self._settings.boot_time)

    def disable_scheduling(self, ref: NodeRef, option: Deallocation) -> None:
        with self._estate.changing(ref) as node:
            rules.set_scheduling(node, "disabled")
        self._drain(ref, option, partial(self._rest, ref))

    def enable_scheduling(self, ref: NodeRef) -> None:
        with self._estate.changing(ref) as node:
            rules.set_scheduling(node, "enabled")
            if node.state in {"offline", "running"}:
                rules.move(node, node.resting, self._now())
        self._announce([(ref, node)])

    def _rest(self, ref: NodeRef) -> None:
        def change(node: NodeRecord) -> None:
            if node.state in rules.ONLINE_STATES:
                rules.move(node, node.resting, self._now())

        self._change(ref, change)

    def _drain(self, ref: NodeRef, option: Deallocation, then: Callable[[], None]) -> None:
        """What follows takes the place of what an earlier action had left to do."""
        self._pending[ref] = then
        self._events.node_draining(ref, Drain(option))

    def drained(self, ref: NodeRef) -> None:
        if (then := self._pending.pop(ref, None)) is not None:
            then()

    # Ends

    def leave(self, refs: Iterable[NodeRef], option: Deallocation, *, only: NodeState | None = None) -> None:
        """``only`` those in that state."""
        with self._estate.changing_many(refs, only) as found:
            for _, node in found:
                rules.move(node, "leavingpool", self._now())
        for ref, _ in found:
            self._drain(ref, option, partial(self._leave, ref))

    def _leave(self, ref: NodeRef) -> None:
        pool = self._estate.pool(*ref[:2])
        if pool is not None:
            self._runner_of(pool).halt(ref, partial(self._is_halted, ref))

    def _is_halted(self, ref: NodeRef) -> None:
        """Nodes that are halted one right after the other are gone together."""
        if not self._halted:
            self._later(self._go, 0)
        self._halted.append(ref)

    def _go(self) -> None:
        refs, self._halted = self._halted, []
        for start in range(0, len(refs), CHUNK):
            self._later(partial(self._gone, refs[start : start + CHUNK]), self._settings.boot_time)

    def _gone(self, refs: list[NodeRef]) -> None:
        for key in dict.fromkeys(ref[:2] for ref in refs):
            pool = self._estate.pool(*key)
            if pool is None:
                continue
            here = [ref for ref in refs if ref[:2] == key]
            self._estate.remove(here)
            for ref in here:
                self._events.node_lost(ref)
                self._runner_of(pool).remove(ref)
            self.on_count(key)

    def disturb(self, ref: NodeRef, state: NodeState, error: NodeError | None = None) -> None:
        """What befalls a node: preempted, unusable, unknown. Raises NodeGoneError, OperationInvalidForCurrentState."""
        with self._estate.changing(ref) as node:
            _check_move(node, state)
            rules.move(node, state, self._now())
            node.errors = [error] if error is not None else []
            if state == "preempted":
                rules.forget_runs(node)
        self._lost(ref)
        self.on_count(ref[:2])

    def recover(self, ref: NodeRef) -> None:
        """The opposite: a preempted node is created again, one that was out of contact is back."""
        with self._estate.changing(ref) as node:
            _check_move(node, "creating" if node.state == "preempted" else node.resting)
            rules.move(node, "creating" if node.state == "preempted" else node.resting, self._now())
            node.errors = []
        if node.state == "creating":
            self._create_again(ref)
        else:
            self._announce([(ref, node)])
        self.on_count(ref[:2])

    def _create_again(self, ref: NodeRef) -> None:
        """The same node on another machine: nothing of what it had is there."""
        pool = self._estate.pool(*ref[:2])
        if pool is None:
            return

        def ready() -> None:
            self._wipe(ref, pool)
            self._change(ref, lambda node: rules.new_disk(node, self._now()))
            self._later(partial(self.created, [ref]), self._settings.resize_time)

        self._runner_of(pool).halt(ref, ready)

    def _wipe(self, ref: NodeRef, pool: PoolRecord) -> None:
        self._runner_of(pool).wipe(ref)
        self._estate.forget_users(ref)

    def _lost(self, ref: NodeRef) -> None:
        pool = self._estate.pool(*ref[:2])
        if pool is not None:
            self._forget_runs(ref)
            self._events.node_lost(ref)
            self._runner_of(pool).halt(ref, lambda: None)

    def _forget_runs(self, ref: NodeRef) -> None:
        names = self._runs_on.pop(ref, set())
        for name in names:
            self._runs.pop(name, None)
        if names:
            self._change(ref, rules.forget_runs)

    # Tasks

    def run(self, start: TaskStart) -> None:
        """Raises NodeGoneError."""
        began = iso(self._now())
        with self._estate.changing(start.node) as node:
            rules.task_began(node, _recent(start, began), start.slots, self._now())
        self._runs[start.run] = _Run(start, began)
        self._runs_on.setdefault(start.node, set()).add(start.run)

    def run_started(self, run: str, at: datetime) -> None:
        self._events.run_started(run, at)

    def run_coordinated(self, run: str) -> None:
        self._events.run_coordinated(run)

    def run_ended(self, end: RunEnd) -> None:
        """Exactly once per run: what ends after its node was lost is not told."""
        known = self._runs.pop(end.run, None)
        if known is None:
            return
        ref = known.start.node
        here = self._runs_on.get(ref, set())
        here.discard(end.run)
        if not here:
            self._runs_on.pop(ref, None)
        task = _recent(known.start, known.began)
        task.task_state, task.end_time, task.exit_code = "completed", iso(end.at), end.exit_code
        task.failure_info = end.failure
        task.result = "success" if end.exit_code == 0 and end.failure is None else "failure"
        self._change(ref, lambda node: rules.task_ended(node, task, known.start.slots, self._now()))
        if end.usage is not None:
            self._estate.add_usage(ref[:2], end.usage, self._now())
        self._events.run_ended(end)

    # Restarts

    def restore(self, ref: NodeRef) -> None:
        """After a restart of the service a node goes on with what it was about, or is announced as it is."""
        with self._estate.changing(ref) as node:
            rules.forget_runs(node)
            if node.state in {"idle", "running", "offline"}:
                rules.move(node, node.resting, self._now())
            elif node.state == "waitingforstarttask":  # nobody knows how far it came
                node.state = "starting"
        pool = self._estate.pool(*ref[:2])
        if pool is None:
            return
        if node.state not in {"creating", "preempted", "deallocated"}:
            self._runner_of(pool).resume(machine(ref, node, pool))
        self._announce([(ref, node)])
        follow = {
            "creating": partial(self.created, [ref]),
            "starting": partial(self.boot, [ref]),
            "rebooting": partial(self._acted, ref, "reboot"),
            "reimaging": partial(self._acted, ref, "reimage"),
            "deallocating": partial(self._acted, ref, "deallocate"),
            "leavingpool": partial(self._leave, ref),
        }.get(node.state)
        if follow is not None:
            self._later(follow, self._settings.boot_time)

    # Small things

    def _change(self, ref: NodeRef, change: Callable[[NodeRecord], object]) -> bool:
        """False when the node is gone or may not take that change any more."""
        try:
            with self._estate.changing(ref) as node:
                change(node)
        except (NodeGoneError, rules.TransitionError):
            return False
        return True

    def _later(self, action: Callable[[], None], seconds: float) -> None:
        self._agenda.after(seconds, action)

    def _now(self) -> datetime:
        return self._clock.now()


def machine(ref: NodeRef, node: NodeRecord, pool: PoolRecord) -> Machine:
    return Machine(
        ref=ref,
        is_dedicated=node.is_dedicated,
        ip_address=node.ip_address,
        is_windows=pool.is_windows,
        start_task=node.start_task,
        packages=tuple(pool.pool.application_package_references or ()),
        accounts=tuple(pool.pool.user_accounts or ()),
        mounts=tuple(pool.pool.mount_configuration or ()),
        has_containers=pool.pool.virtual_machine_configuration.container_configuration is not None,
        ssh_port=node.ssh_port,
        ssh_ports=_ssh_ports(pool),
    )


def _ssh_ports(pool: PoolRecord) -> range | None:
    """The frontend ports of the inbound NAT pool for SSH, if there is one."""
    network = pool.pool.network_configuration
    endpoints = network.endpoint_configuration if network else None
    for nat in endpoints.inbound_nat_pools if endpoints else ():
        if nat.backend_port == 22:
            return nat.frontend_ports
    return None


def slots(ref: NodeRef, node: NodeRecord, pool: PoolRecord) -> NodeSlots:
    return NodeSlots(
        ref=NodeRef(ref.account, pool.pool.id, node.id),
        slots=pool.pool.task_slots_per_node or 1,
        is_dedicated=node.is_dedicated,
        ip_address=node.ip_address,
        boot=node.last_boot_time or "",
        disk=node.disk_since or "",
    )


def _recent(start: TaskStart, began: str) -> RecentTask:
    subtask = start.instance if start.kind is RunKind.SUBTASK else None
    return RecentTask(job_id=start.job, task_id=start.task, subtask_id=subtask, task_state="running", start_time=began)


def _after(node: NodeRecord, *, action: Action, now: datetime) -> None:
    rules.forget_runs(node)
    rules.move(node, "deallocated" if action == "deallocate" else "starting", now)
    if action == "reimage":
        rules.new_disk(node, now)


def _check_move(node: NodeRecord, state: str) -> None:
    if state not in rules.TRANSITIONS[node.state]:
        raise ServiceError("OperationInvalidForCurrentState", f"A node cannot go from {node.state} to {state}.")
