"""People, a team and an account to begin with, on a portal that runs with the local Batch service."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.accounts.details import Details
from apps.accounts.models import AuthMethod, BatchAccount
from apps.accounts.services.accounts import account_connect
from apps.core.exceptions import PortalError
from apps.people.actors import system_actor
from apps.people.models import Grant, Team, User
from apps.people.roles import Role

SUBSCRIPTION, RESOURCE_GROUP, ACCOUNT = "00000000-0000-0000-0000-000000000000", "local", "local"
TEAM = "Rendering"
PEOPLE = {"admin": Role.ADMINISTRATOR, "uploader": Role.UPLOADER, "reader": Role.READER}


class Command(BaseCommand):
    help = "Prepare a portal to try out: an administrator, an uploader, a reader, and the local Batch account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the sign-ins as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        require_local()
        passwords = kept_passwords(settings.STATE_DIR / "demo.json")
        with transaction.atomic():
            people = {name: person(name, passwords[name]) for name in PEOPLE}
        try:
            account = connected_account()
        except PortalError as error:
            raise CommandError(f"The local Batch account was not connected: {error.message}") from error
        with transaction.atomic():
            share(account, people)
        users = [{"username": name, "password": passwords[name], "role": role.value} for name, role in PEOPLE.items()]
        if options["json"]:
            self.stdout.write(json.dumps({"users": users, "account": account.slug}))
            return
        for user in users:
            self.stdout.write(f"{user['role']:15} {user['username']:10} {user['password']}")


def require_local() -> None:
    """Refuse anywhere but beside a local Batch service: these sign-ins lie in a file."""
    host = urlsplit(settings.GATEWAY_ARM_ENDPOINT).hostname or ""
    if not (settings.DEMO or settings.DEBUG) or host not in {"127.0.0.1", "localhost", "::1", "emulator"}:
        raise CommandError(
            "The demo is for a portal with the local Batch service: set BATCHPORTAL_DEMO=true and let "
            "GATEWAY_ARM_ENDPOINT name it."
        )


def kept_passwords(file: Path) -> dict[str, str]:
    """The same passwords at every start, made at the first; only the owner of the file can read them."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    passwords = {name: known.get(name) or secrets.token_urlsafe(12) for name in PEOPLE}
    if passwords != known:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(passwords, out)
        draft.replace(file)
    return passwords


def person(name: str, password: str) -> User:
    administrator = PEOPLE[name] is Role.ADMINISTRATOR
    user, _made = User.objects.get_or_create(
        username=name, defaults={"email": f"{name}@example.org", "is_superuser": administrator}
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def connected_account() -> BatchAccount:
    known = BatchAccount.objects.filter(name=ACCOUNT, subscription_id=SUBSCRIPTION, resource_group=RESOURCE_GROUP)
    if (account := known.first()) is not None:
        return account
    details = Details(
        name=ACCOUNT,
        auth_method=AuthMethod.MANAGED_IDENTITY,
        subscription_id=SUBSCRIPTION,
        resource_group=RESOURCE_GROUP,
    )
    return account_connect(actor=system_actor(), details=details).account


def share(account: BatchAccount, people: dict[str, User]) -> None:
    """Roles for everybody and a team for the uploader; what was changed since by hand is left as it is."""
    team, made = Team.objects.get_or_create(slug="rendering", defaults={"name": TEAM})
    if made:
        team.members.add(people["uploader"])
    for name, user in people.items():
        Grant.objects.get_or_create(account=account, user=user, defaults={"role": PEOPLE[name]})
