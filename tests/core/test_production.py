"""Production settings: what leaves the server, and what stops it from starting."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.people.factories import Cast, signed_in

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "DJANGO_SETTINGS_MODULE": "batchportal.settings.production",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "ALLOWED_HOSTS": "portal.example.com",
    "FIELD_ENCRYPTION_KEYS": "dGVzdC1vbmx5LWtleS10ZXN0LW9ubHkta2V5LTAwMDE=",
    "DATABASE_URL": "sqlite:///:memory:",
}
ASK = """
import django, json, sys
django.setup()
from django.test import Client
response = Client().get("/accounts/login/", headers={"Host": "portal.example.com", "X-Forwarded-Proto": sys.argv[1]})
cookies = {name: str(cookie.OutputString()) for name, cookie in response.cookies.items()}
print(json.dumps({"status": response.status_code, "headers": dict(response.headers), "cookies": cookies}))
"""


def python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these variables as its whole environment; an empty one is left out."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    given = {name: value for name, value in {**known, **GOOD, **variables}.items() if value}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=given, capture_output=True, text=True, check=False
    )


def answer(tmp_path: Path, proto: str = "https") -> dict[str, Any]:
    (tmp_path / "collected").mkdir(exist_ok=True)
    paths = {name: name for name in ("app.css", "app.js", "icons.svg", "mark.svg")}
    manifest = json.dumps({"paths": paths, "version": "1.1", "hash": ""})
    (tmp_path / "collected" / "staticfiles.json").write_text(manifest, encoding="utf-8")
    done = python("-c", ASK, proto, STATIC_ROOT=str(tmp_path / "collected"), BATCHPORTAL_STATE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_headers_and_cookies(tmp_path: Path) -> None:
    found = answer(tmp_path)
    headers, cookies = found["headers"], found["cookies"]
    assert found["status"] == 200
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "no-store" in headers["Cache-Control"]
    assert "Server" not in headers
    assert "X-Powered-By" not in headers
    (name, cookie), *_others = cookies.items()
    assert name.startswith("__Host-")
    assert all(part in cookie for part in ("Secure", "Path=/", "SameSite=Lax"))
    assert "Domain" not in cookie


def test_without_tls_one_is_sent_to_it(tmp_path: Path) -> None:
    found = answer(tmp_path, "http")
    assert (found["status"], found["headers"]["Location"]) == (301, "https://portal.example.com/accounts/login/")


def test_the_content_policy_allows_nothing_inline_and_nobody_else(cast: Cast) -> None:
    for client, address in ((Client(), "/accounts/login/"), (signed_in(cast.reader), "/people/me/")):
        policy = client.get(address)["Content-Security-Policy"]
        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert directives["default-src"] == "'none'"
        for name in ("script-src", "style-src", "connect-src", "font-src", "form-action"):
            assert directives[name] == "'self'", name
        assert directives["img-src"] == "'self' data:"
        for name in ("object-src", "base-uri", "frame-ancestors"):
            assert directives[name] == "'none'", name
        assert "unsafe" not in policy
        assert "http" not in policy


def test_djangos_own_checks_find_nothing(tmp_path: Path) -> None:
    done = python("manage.py", "check", "--deploy", "--fail-level", "INFO", BATCHPORTAL_STATE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "at least 50 characters"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS must name"),
        ({"FIELD_ENCRYPTION_KEYS": ""}, "FIELD_ENCRYPTION_KEYS must hold"),
        ({"SECURE_SSL_REDIRECT": "perhaps"}, "must be true or false"),
        ({"SIGN_IN_FAILURE_LIMIT": "0"}, "at least 3"),
    ],
)
def test_settings_that_would_open_a_door_stop_the_start(variables: dict[str, str], told: str, tmp_path: Path) -> None:
    done = python("manage.py", "check", BATCHPORTAL_STATE_DIR=str(tmp_path), **variables)
    assert done.returncode != 0
    assert told in done.stderr
