"""What the environment says of proxies and certificates holds, although it is not looked up for every call."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from apps.gateway import transport

URLS = ["https://a.westeurope.batch.azure.com/pools?x=1", "https://inside.example.org/", "http://plain.example.org:81/"]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> requests.Session:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example.org")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/own.pem")
    session: requests.Session = transport.GuardedTransport().session
    return session


def settings_of(session: requests.Session, url: str, verify: Any = True) -> Any:
    return session.merge_environment_settings(url, {}, None, verify, None)


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("verify", [True, None, False, "/etc/ssl/given.pem"])
def test_the_first_and_every_later_call_get_what_requests_would_give(
    session: requests.Session, url: str, verify: Any
) -> None:
    expected = settings_of(requests.Session(), url, verify)
    assert settings_of(session, url, verify) == expected
    assert settings_of(session, url, verify) == expected


def test_one_host_says_nothing_of_another(session: requests.Session) -> None:
    proxied, inside, _plain = (settings_of(session, url) for url in URLS)
    assert proxied["proxies"]["https"] == "http://proxy.example.org:3128"
    assert "https" not in inside["proxies"]


def test_what_a_caller_does_with_its_proxies_is_its_own(session: requests.Session) -> None:
    settings_of(session, URLS[0])["proxies"].clear()
    assert settings_of(session, URLS[0])["proxies"]
