"""The audit: complete, in words, for those who may read it, and safe to open in a spreadsheet."""

from __future__ import annotations

import ast
import csv
import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.audit.actions import LABELS, details_of
from apps.audit.models import AuditEvent, Outcome
from apps.audit.selectors import EventFilter, event_list
from apps.audit.services import audit_record
from apps.core.exceptions import NotPermitted, NotVisible
from apps.operations.models import Kind
from apps.people.actors import Actor, system_actor
from tests.people.factories import Cast, bearer, make_token, signed_in

APPS = Path(__file__).resolve().parents[2] / "apps"
ACTION = re.compile(r"[a-z]+(?:[.-][a-z]+)+")
# Functions that hand an action on to audit_record, by position.
HELPERS = {"_audit", "_audited", "_visitor"}
# Operations are written down under their kind; some under the kind with a dot.
OF_KINDS = {Kind.STORAGE_LINK, Kind.STORAGE_UNLINK, Kind.STORAGE_SYNC_KEYS} | {
    kind for kind in Kind if kind.startswith("node-")
}


def actions_in_the_code() -> set[str]:
    found = {str(kind) for kind in OF_KINDS}
    for path in APPS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found |= actions_of(node)
    return found


def actions_of(call: ast.Call) -> set[str]:
    name = getattr(call.func, "id", "") or getattr(call.func, "attr", "")
    named = [word.value for word in call.keywords if word.arg == "action"]
    given = named if name.startswith("audit_record") else call.args if name in HELPERS else []
    texts = {node.value for node in given if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if ACTION.fullmatch(text)}


def test_every_action_has_words_and_all_words_an_action() -> None:
    written = actions_in_the_code()
    assert written == set(LABELS), f"no words: {written - set(LABELS)}; never written: {set(LABELS) - written}"


def record(cast: Cast, **fields: Any) -> AuditEvent:
    values: dict[str, Any] = {"actor": cast.actor("admin"), "action": "team-create", "account": cast.account}
    return audit_record(**{**values, **fields})


# --- Who reads what --------------------------------------------------------------------------------------------------


def test_an_accounts_administrators_read_of_their_account_alone(cast: Cast) -> None:
    record(cast, resource="ours")
    record(cast, resource="theirs", account=cast.other_account)
    record(cast, resource="of the portal", account=None)
    rows = event_list(actor=cast.actor("admin"), account=cast.account, wanted=EventFilter())
    assert [event.resource for event in rows] == ["ours"]
    page = signed_in(cast.admin).get("/batch/local/audit/").content.decode()
    assert "ours" in page
    assert "theirs" not in page
    everything = signed_in(cast.portal_admin).get("/audit/").content.decode()
    assert all(word in everything for word in ("ours", "theirs", "of the portal"))


def test_others_read_nothing(cast: Cast) -> None:
    for name, refusal in (("operator", NotPermitted), ("stranger", NotVisible)):
        with pytest.raises(refusal):
            event_list(actor=cast.actor(name), account=cast.account, wanted=EventFilter())
    with pytest.raises(NotPermitted):
        event_list(actor=cast.actor("admin"), account=None, wanted=EventFilter())


# --- Looking for something -------------------------------------------------------------------------------------------


def test_by_who_what_outcome_when_and_account(cast: Cast) -> None:
    old = record(cast, resource="old")
    AuditEvent.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=3))
    record(cast, resource="Blender 4.2", action="package.upload", outcome=Outcome.FAILED)
    record(cast, resource="elsewhere", account=cast.other_account, actor=cast.actor("stranger"))
    client = signed_in(cast.portal_admin)
    AuditEvent.objects.filter(action="sign-in").delete()

    def found(query: str) -> list[str]:
        return [row["event"].resource for row in client.get(f"/audit/?{query}").context["rows"]]

    assert found("q=blender") == ["Blender 4.2"]
    assert found("q=stranger") == ["elsewhere"]
    assert found("action=package.upload") == ["Blender 4.2"]
    assert found("outcome=failed") == ["Blender 4.2"]
    assert found("account=other") == ["elsewhere"]
    assert found("period=day") == ["elsewhere", "Blender 4.2"]
    assert found("sort=at") == ["old", "Blender 4.2", "elsewhere"]
    assert found("q=nothing+like+it") == []
    assert client.get("/audit/?page=x&sort=y&period=z&action=%00&outcome='").status_code == 200


def test_pages_and_the_number_of_queries(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(70):
        record(cast, resource=f"r{number}")
    client = signed_in(cast.admin)
    with django_assert_max_num_queries(9):
        page = client.get("/batch/local/audit/")
    assert len(page.context["rows"]) == 50
    assert len(client.get("/batch/local/audit/?page=2").context["rows"]) == 20


def test_an_event_outlives_what_it_is_about(cast: Cast) -> None:
    record(cast, actor=Actor(user=cast.stranger), account=cast.other_account, resource="kept")
    cast.other_account.delete()
    cast.stranger.delete()
    event = AuditEvent.objects.get(resource="kept")
    assert (event.actor_name, event.account_name, event.user, event.account) == ("stranger", "other", None, None)


def test_the_portal_itself_and_tokens_are_named(cast: Cast) -> None:
    token, _text = make_token(cast.team, name="pipeline")
    assert record(cast, actor=system_actor()).actor_name == "system"
    assert record(cast, actor=Actor(token=token)).actor_name == "Rendering · pipeline"


def test_details_are_in_words() -> None:
    values = {"address": "192.0.2.1", "empty": "", "portal_administrator": True, "people": ["a", "b"], "was": {"x": 1}}
    assert details_of(values) == [
        ("from address", "192.0.2.1"),
        ("portal administrator", "yes"),
        ("people", "a, b"),
        ("was", "x 1"),
    ]


def test_changes_are_told_as_before_and_after() -> None:
    values = {"changes": {"default_version": ["", "4.2"], "allow_updates": [True, False]}, "size": 2048}
    assert details_of(values) == [
        ("size", "2.00 KiB"),
        ("default version", "– → 4.2"),
        ("allow updates", "yes → no"),
    ]


# --- CSV and API -----------------------------------------------------------------------------------------------------


def test_the_same_rows_as_a_spreadsheet_without_formulas(cast: Cast) -> None:
    record(cast, resource='=HYPERLINK("https://evil.example")', label="-1+1")
    record(cast, resource="other", outcome=Outcome.FAILED)
    response = signed_in(cast.admin).get("/batch/local/audit/?outcome=done&format=csv")
    assert response["Content-Type"].startswith("text/csv")
    text = response.getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["On"] for row in rows] == ['\'=HYPERLINK("https://evil.example")']
    assert rows[0]["What"] == "Added a team"
    assert rows[0]["When (UTC)"].endswith("+00:00")
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_the_api_gives_an_accounts_events_to_its_administrators(cast: Cast) -> None:
    record(cast, resource="Blender 4.2", sha256="ab")
    _token, text = make_token(cast.admin)
    url = "/api/v1/accounts/local/audit-events"
    found = Client().get(f"{url}?search=blender&since=2020-01-01T00:00:00Z", **bearer(text)).json()
    assert found["count"] == 1
    assert found["results"][0] | {"id": 0, "at": ""} == {
        "id": 0,
        "at": "",
        "actor_name": "admin",
        "action": "team-create",
        "text": "Added a team",
        "resource": "Blender 4.2",
        "account": "local",
        "outcome": "done",
        "details": {"sha256": "ab"},
        "operation": None,
    }
    wrong = Client().get(f"{url}?since=yesterday&outcome=x", **bearer(text))
    assert (wrong.status_code, sorted(wrong.json()["error"]["fields"])) == (400, ["outcome", "since"])
