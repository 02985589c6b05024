"""`manage.py rotate_secrets` and `manage.py demo`."""

from __future__ import annotations

import json
import stat
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from apps.accounts.models import AuthMethod, BatchAccount
from apps.core.crypto import SecretDict
from apps.people.actors import Actor
from apps.people.models import Team, User
from apps.people.roles import Role
from emulator.testing import Emulator


def keyed(name: str) -> BatchAccount:
    account = BatchAccount(slug=name, name=name, auth_method=AuthMethod.SHARED_KEY)
    account.secrets = SecretDict(shared_key=f"key of {name}")
    account.save()
    return account


def stored(account: BatchAccount) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM accounts_batchaccount WHERE id = %s", [account.pk])
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_after_rotation_the_old_key_may_go(settings: Settings) -> None:
    old, new = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    account = keyed("one")
    before = stored(account)
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    out = StringIO()
    call_command("rotate_secrets", stdout=out)
    assert "accounts.BatchAccount.secrets: 1 rotated" in out.getvalue()
    assert stored(account) != before
    settings.FIELD_ENCRYPTION_KEYS = [new]
    account.refresh_from_db()
    assert account.secrets == {"shared_key": "key of one"}
    settings.FIELD_ENCRYPTION_KEYS = [old]
    with pytest.raises(ImproperlyConfigured):
        account.refresh_from_db()


@pytest.mark.django_db
def test_rotation_without_the_key_of_a_row_changes_nothing(settings: Settings) -> None:
    old, new = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    first = keyed("first")
    settings.FIELD_ENCRYPTION_KEYS = [new]
    second = keyed("second")
    before = stored(first), stored(second)
    newer = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [newer, new]
    with pytest.raises(CommandError, match="lacks"):
        call_command("rotate_secrets", stdout=StringIO())
    assert (stored(first), stored(second)) == before
    settings.FIELD_ENCRYPTION_KEYS = [newer, new, old]
    call_command("rotate_secrets", stdout=StringIO())
    assert (stored(first), stored(second)) != before


def demo() -> dict[str, object]:
    out = StringIO()
    call_command("demo", "--json", stdout=out)
    return dict(json.loads(out.getvalue()))


@pytest.mark.django_db
def test_the_demo_prints_the_same_however_often_it_runs(settings: Settings, service: Emulator, tmp_path: Path) -> None:
    settings.STATE_DIR, settings.DEMO = tmp_path, True
    first = demo()
    assert demo() == first
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    account = BatchAccount.objects.get()
    assert (first["account"], account.name, account.auth_method) == ("local", "local", AuthMethod.MANAGED_IDENTITY)
    users = {user["role"]: user for user in first["users"]}  # type: ignore[attr-defined]
    assert set(users) == {"administrator", "uploader", "reader"}
    for role, user in users.items():
        person = User.objects.get(username=user["username"])
        assert person.check_password(user["password"])
        assert Actor(user=person).role_on(account) == Role(role)
    assert [str(member) for member in Team.objects.get().members.all()] == ["uploader"]


@pytest.mark.django_db
def test_the_demo_is_refused_beside_azure(settings: Settings, tmp_path: Path) -> None:
    settings.STATE_DIR, settings.DEMO = tmp_path, True
    settings.GATEWAY_ARM_ENDPOINT = "https://management.azure.com"
    with pytest.raises(CommandError):
        demo()
    assert not User.objects.exists()
    assert not (tmp_path / "demo.json").exists()


@pytest.mark.django_db
def test_the_demo_is_refused_on_a_portal_that_is_none(settings: Settings, service: Emulator, tmp_path: Path) -> None:
    settings.STATE_DIR, settings.DEMO = tmp_path, False
    with pytest.raises(CommandError):
        demo()
