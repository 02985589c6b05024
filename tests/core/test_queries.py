"""No page and no answer of the API asks the database more often because there is more to show."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.applications.models import ApplicationOwner, PackageRecord
from apps.audit.models import AuditEvent
from apps.nodes.models import NodeSnapshot, NodeStateChange, NodeWork, PoolUser, PoolUserNode
from apps.operations.models import Kind, Operation, OperationEvent, Status
from apps.people.models import Grant, User
from apps.people.roles import Role
from apps.pools.models import PoolSample, PoolSnapshot, VmPrice
from tests.core.routes import Route, walk
from tests.core.test_routes import send, url_of
from tests.core.world import World
from tests.people.factories import BatchAccountFactory, TeamFactory, UserFactory, make_token

ROUTES = [route for route in walk() if "GET" in route.methods]
FEW, MANY = range(3), range(3, 23)


def test_more_rows_cost_no_more_queries(world: World) -> None:
    client = world.client("portal_admin")
    add_rows(world, FEW)
    few = {route.name: queries(client, route, world) for route in ROUTES}
    add_rows(world, MANY)
    many = {route.name: queries(client, route, world) for route in ROUTES}
    grown = {name: (few[name], many[name]) for name in few if many[name] > few[name]}
    assert not grown, f"More queries with {len(MANY)} more of everything: {grown}"


def queries(client: Client, route: Route, world: World) -> int:
    """Of the second of two requests: the first may fill what is kept for a while."""
    captured = CaptureQueriesContext(connection)
    for _ in range(2):
        with captured:
            response = send(client, route, "GET", url_of(route, world))
            if response.streaming:
                b"".join(response.streaming_content)
    return len(captured)


def add_rows(world: World, numbers: range) -> None:
    """As many more of everything that a page lists, each connected to others of its own."""
    people = UserFactory.create_batch(len(numbers))
    for number, person in zip(numbers, people, strict=True):
        team = TeamFactory.create(members=[person, world.cast.uploader])
        make_token(person)
        make_token(world.cast.portal_admin)
        make_token(team, Role.UPLOADER)
        account = BatchAccountFactory.create()
        for granted in (account, world.cast.account):
            Grant.objects.create(account=granted, user=person, role=Role.OPERATOR)
            Grant.objects.create(account=granted, team=team, role=Role.UPLOADER)
        application = f"application{number}"
        ApplicationOwner.objects.create(
            account=world.cast.account, application_id=application, application_key=application, team=team
        )
        record(world, application, "1", person)
        record(world, world.application, f"9.{number}", person)
        work(world, number, person)
        fleet(world, number)


def record(world: World, application: str, version: str, person: User) -> None:
    PackageRecord.objects.create(
        account=world.cast.account,
        application_id=application,
        application_key=application.lower(),
        version=version,
        version_key=version,
        size=1,
        sha256="0" * 64,
        filename="package.zip",
        uploaded_by=person,
        uploaded_by_name="somebody",
    )


def work(world: World, number: int, person: User) -> None:
    """Operations of each status with lines in their log, work on nodes, and lines of the audit log."""
    for status in (Status.RUNNING, Status.SUCCEEDED, Status.FAILED):
        operation = Operation.objects.create(
            kind=Kind.NODE_REBOOT,
            account=world.cast.account,
            subject=f"pool{number}",
            subject_key=f"pool{number}",
            user=person,
            status=status,
            message_code="nodes-some-failed" if status == Status.FAILED else "",
            message_values={"done": 1, "failed": 1},
        )
        AuditEvent.objects.create(
            action=Kind.NODE_REBOOT, account=world.cast.account, user=person, operation=operation, actor_name="somebody"
        )
    for operation in (world.operation, world.node_operation):
        OperationEvent.objects.create(operation=operation, code="operation-tries-again", values={"seconds": 1})
    NodeWork.objects.create(operation=world.node_operation, pool_id=world.pool, node_id=f"tvmps_{number}_more")


def fleet(world: World, number: int) -> None:
    """Pools with nodes, their history and users, and more of all that in the world's own pool."""
    account, now = world.cast.account, timezone.now()
    packages = [["Blender", "4.2"], [f"application{number}", ""]]
    pool = PoolSnapshot.objects.create(
        account=account, pool_id=f"pool{number}", state="active", packages=packages, vm_size=f"size{number}"
    )
    VmPrice.objects.create(account=account, vm_size=f"size{number}", currency="EUR", dedicated=1)
    for row in (pool, PoolSnapshot.objects.get(pool_id=world.pool)):
        node = f"tvmps_{number}_{row.pk}"
        NodeSnapshot.objects.create(pool=row, node_id=node, state="idle", last_boot=now)
        NodeStateChange.objects.create(pool=row, node_id=world.node, before="idle", after="offline", at=now)
        PoolSample.objects.create(pool=row, at=now, by_state={"idle": 1})
        later = now + timedelta(days=1)
        user = PoolUser.objects.create(account=account, pool_id=row.pool_id, name=f"user{number}", expires_at=later)
        PoolUserNode.objects.create(user=user, node_id=node)
    guest = PoolUser.objects.get(pool_id=world.pool, name=world.pool_user)
    PoolUserNode.objects.create(user=guest, node_id=f"tvmps_{number}_guest")
