"""People for tests: factories, and the cast whose members differ in nothing but what they may do."""

# factory_boy's declarations carry no types.
# mypy: disallow_untyped_calls=False, disallow_untyped_decorators=False
from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone
from factory.declarations import LazyAttribute, Sequence
from factory.django import DjangoModelFactory, Password
from factory.helpers import post_generation

from apps.accounts.models import AuthMethod, BatchAccount
from apps.people.actors import Actor
from apps.people.models import ApiToken, Grant, Team, User
from apps.people.roles import Role
from apps.people.tokens import new_secret

PASSWORD = "correct horse battery staple"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = Sequence(lambda number: f"person{number}")
    email = LazyAttribute(lambda user: f"{user.username}@example.com")
    password = Password(PASSWORD)


class TeamFactory(DjangoModelFactory[Team]):
    class Meta:
        model = Team
        skip_postgeneration_save = True

    name = Sequence(lambda number: f"Team {number}")
    slug = Sequence(lambda number: f"team-{number}")

    @post_generation
    def members(team: Any, create: bool, members: list[User] | None, **_: Any) -> None:  # noqa: N805
        team.members.add(*(members or []))


class BatchAccountFactory(DjangoModelFactory[BatchAccount]):
    """An account of the local Batch service; nothing listens at its address unless the test starts one."""

    class Meta:
        model = BatchAccount

    slug = Sequence(lambda number: f"account{number}")
    name = Sequence(lambda number: f"account{number}")
    subscription_id = "00000000-0000-0000-0000-000000000001"
    resource_group = "local"
    batch_endpoint = LazyAttribute(lambda account: f"http://127.0.0.1:9/{account.name}")
    location = "westeurope"
    auth_method = AuthMethod.MANAGED_IDENTITY


class GrantFactory(DjangoModelFactory[Grant]):
    class Meta:
        model = Grant

    role = Role.READER


def make_token(owner: User | Team, role: Role = Role.ADMINISTRATOR, **fields: Any) -> tuple[ApiToken, str]:
    """A token of a person or team, and its text."""
    secret = new_secret()
    holder = {"team": owner} if isinstance(owner, Team) else {"user": owner}
    values: dict[str, Any] = {"expires_at": timezone.now() + timedelta(days=1), "name": secret.prefix, **fields}
    token = ApiToken.objects.create(role=role, prefix=secret.prefix, digest=secret.digest, **holder, **values)
    return token, secret.text


def bearer(text: str) -> dict[str, Any]:
    """Headers of a request with a token, for Django's test client."""
    return {"headers": {"Authorization": f"Bearer {text}"}}


def signed_in(user: User | None, **options: Any) -> Client:
    """A browser in which this person is signed in; with None nobody is."""
    client = Client(**options)
    if user:
        client.force_login(user, backend=BACKEND)
    return client


@dataclass(frozen=True)
class Cast:
    """One account and everybody who may meet it: by role, and those without one."""

    account: BatchAccount
    other_account: BatchAccount
    team: Team
    portal_admin: User
    admin: User
    operator: User
    uploader: User
    reader: User
    stranger: User

    NAMES = ("anonymous", "stranger", "reader", "uploader", "operator", "admin", "portal_admin")

    def person(self, name: str) -> User | None:
        """A member of the cast by name; nobody for "anonymous"."""
        found: User | None = None if name == "anonymous" else getattr(self, name)
        return found

    def actor(self, name: str) -> Actor:
        return Actor(user=self.person(name))


def make_cast(account: BatchAccount | None = None) -> Cast:
    """The cast on a new account, or a given one. The uploader's role comes through the team, the others' are direct."""
    account = account or BatchAccountFactory.create(slug="local", name="local")
    people = {name: UserFactory.create(username=name) for name in Cast.NAMES[1:]}
    User.objects.filter(pk=people["portal_admin"].pk).update(is_superuser=True)
    people["portal_admin"].is_superuser = True
    team = TeamFactory.create(name="Rendering", slug="rendering", members=[people["uploader"]])
    GrantFactory.create(account=account, team=team, role=Role.UPLOADER)
    for name, role in (("reader", Role.READER), ("operator", Role.OPERATOR), ("admin", Role.ADMINISTRATOR)):
        GrantFactory.create(account=account, user=people[name], role=role)
    other = BatchAccountFactory.create(slug="other", name="other")
    GrantFactory.create(account=other, user=people["stranger"], role=Role.ADMINISTRATOR)
    return Cast(account=account, other_account=other, team=team, **people)
