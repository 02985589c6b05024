"""Where the portal connects to: names before a request, addresses when connecting, nothing else afterwards."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from apps.gateway import batch, blobs, endpoints, management
from apps.gateway.calls import counted
from apps.gateway.errors import EndpointRefused
from apps.gateway.types import Connection


@pytest.mark.parametrize(
    "url",
    [
        "https://management.azure.com/subscriptions",
        "https://myaccount.westeurope.batch.azure.com",
        "https://MyAccount.WestEurope.Batch.Azure.com.",
        "https://store.blob.core.windows.net/app/1.0?sig=x",
        "https://management.azure.com:443/",
    ],
)
def test_hosts_of_azure_are_admitted(url: str) -> None:
    assert endpoints.check_url(url).hostname


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://example.com/", "gateway-endpoint-refused"),
        ("https://batch.azure.com/", "gateway-endpoint-refused"),
        ("https://evilbatch.azure.com/", "gateway-endpoint-refused"),
        ("https://x.batch.azure.com.example.com/", "gateway-endpoint-refused"),
        ("https://myaccount.westeurope.batch.azure.com:8443/", "gateway-endpoint-refused"),
        ("http://myaccount.westeurope.batch.azure.com/", "gateway-endpoint-scheme"),
        ("http://127.0.0.1:10100/", "gateway-endpoint-scheme"),
        ("https://127.0.0.1/", "gateway-endpoint-refused"),
        ("https://[::1]/", "gateway-endpoint-refused"),
        ("https://169.254.169.254/metadata", "gateway-endpoint-refused"),
        ("file:///etc/passwd", "gateway-endpoint-malformed"),
        ("ftp://x.batch.azure.com/", "gateway-endpoint-scheme"),
        ("https://x.batch.azure.com@127.0.0.1/", "gateway-endpoint-malformed"),
        ("https://127.0.0.1\\@x.batch.azure.com/", "gateway-endpoint-malformed"),
        ("https://x.batch.azure.com:99999/", "gateway-endpoint-malformed"),
        ("https://ⓧ.batch.azure.com/", "gateway-endpoint-malformed"),
        ("https://", "gateway-endpoint-malformed"),
        ("", "gateway-endpoint-malformed"),
    ],
)
def test_anything_else_is_refused_by_name(url: str, code: str) -> None:
    with pytest.raises(EndpointRefused) as refused:
        endpoints.check_url(url)
    assert refused.value.code == code


def test_private_hosts_are_what_an_operator_names(settings: Settings) -> None:
    settings.GATEWAY_PRIVATE_HOSTS = ["127.0.0.1:10100", ".privatelink.batch.azure.com", "emulator"]
    for url in ("http://127.0.0.1:10100/x", "https://a.privatelink.batch.azure.com", "http://emulator:9000"):
        assert endpoints.check_url(url)
    # A whole domain may be private, never without TLS; and a port that was named is the only one.
    for url in ("http://a.privatelink.batch.azure.com", "http://127.0.0.1:10101", "http://127.0.0.1"):
        with pytest.raises(EndpointRefused):
            endpoints.check_url(url)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("acct.westeurope.batch.azure.com", "https://acct.westeurope.batch.azure.com"),
        (" https://acct.westeurope.batch.azure.com/ ", "https://acct.westeurope.batch.azure.com"),
        ("127.0.0.1:10100/local", "http://127.0.0.1:10100/local"),
    ],
)
def test_batch_endpoints_get_the_scheme_that_fits(settings: Settings, text: str, url: str) -> None:
    settings.GATEWAY_ARM_ENDPOINT = "http://127.0.0.1:10100"
    settings.GATEWAY_PRIVATE_HOSTS = ["127.0.0.1:10100"]
    assert endpoints.batch_endpoint(text) == url


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "168.63.129.16",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "ff02::1",
    ],
)
def test_addresses_that_are_not_the_internet(address: str) -> None:
    assert not endpoints.is_public(address)


@pytest.mark.parametrize("address", ["20.50.60.70", "2603:1030::1", "::ffff:20.50.60.70"])
def test_addresses_of_the_internet(address: str) -> None:
    assert endpoints.is_public(address)


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port on loopback that keeps whatever is sent to it, and that nobody may reach."""
    received: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=_accept, args=(server, received), daemon=True)
        thread.start()
        yield server.getsockname()[1], received


def _accept(server: socket.socket, received: list[bytes]) -> None:
    while True:
        try:
            client, _address = server.accept()
        except OSError:
            return
        with client:
            received.append(b"connected")


def resolve_to(monkeypatch: pytest.MonkeyPatch, host: str, *addresses: str) -> None:
    """Have a name resolve as an attacker's name server would answer."""
    real: Callable[..., Any] = socket.getaddrinfo

    def fake(name: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if name != host:
            return real(name, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", fake)


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["20.1.2.3", "127.0.0.1"]])
def test_an_admitted_name_that_resolves_to_a_private_address_is_never_connected_to(
    shared_key: Connection,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    listener: tuple[int, list[bytes]],
    answers: list[str],
) -> None:
    port, received = listener
    settings.GATEWAY_ALLOWED_HOSTS = [f"rebound.westeurope.batch.azure.com:{port}"]
    resolve_to(monkeypatch, "rebound.westeurope.batch.azure.com", *answers)
    rebound = replace(shared_key, batch_endpoint=f"https://rebound.westeurope.batch.azure.com:{port}")
    with pytest.raises(EndpointRefused) as refused:
        batch.node_counts(rebound)
    assert refused.value.code == "gateway-endpoint-private"
    assert received == []


def test_the_address_that_was_checked_is_the_one_that_is_used(
    shared_key: Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch, listener: tuple[int, list[bytes]]
) -> None:
    """A second look-up, which could answer differently, never happens."""
    port, _received = listener
    settings.GATEWAY_PRIVATE_HOSTS = [f"host.test:{port}"]
    asked: list[str] = []
    real: Callable[..., Any] = socket.getaddrinfo

    def fake(name: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(name)
        return real("127.0.0.1" if name == "host.test" else name, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", fake)
    check = batch.check(replace(shared_key, batch_endpoint=f"http://host.test:{port}"))
    assert not check.ok
    assert asked.count("host.test") == asked.count("127.0.0.1") > 0


class Impostor:
    """A service on loopback that gives one answer to everything, and keeps the requests."""

    def __init__(self, answer: str, body: str = "") -> None:
        self._answer = f"{answer}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
        self._server = socket.create_server(("127.0.0.1", 0))
        self.netloc = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.seen: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._server.accept()
            except OSError:
                return
            with client:
                self.seen.append(client.recv(65536))
                client.sendall(self._answer.encode())

    def close(self) -> None:
        self._server.close()


def test_links_inside_answers_are_checked_too(shared_key: Connection, settings: Settings) -> None:
    """The next page of a list is an address that the service names: it may not lead the portal elsewhere."""
    page = '{"value": [], "odata.nextLink": "http://169.254.169.254/metadata/instance"}'
    with closing(Impostor("HTTP/1.1 200 OK\r\nContent-Type: application/json", page)) as impostor:
        settings.GATEWAY_PRIVATE_HOSTS = [impostor.netloc]
        with pytest.raises(EndpointRefused):
            batch.node_counts(replace(shared_key, batch_endpoint=f"http://{impostor.netloc}"))
    assert len(impostor.seen) == 1


def test_a_token_is_not_even_asked_for_where_nothing_may_be_sent(connection: Connection, settings: Settings) -> None:
    settings.GATEWAY_PRIVATE_HOSTS = []
    with counted() as calls, pytest.raises(EndpointRefused):
        management.account_properties(connection)
    assert len(calls) == 0


def test_redirects_are_not_followed(shared_key: Connection, settings: Settings) -> None:
    with closing(Impostor("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/other")) as impostor:
        settings.GATEWAY_PRIVATE_HOSTS = [impostor.netloc]
        with pytest.raises(EndpointRefused) as refused:
            batch.node_counts(replace(shared_key, batch_endpoint=f"http://{impostor.netloc}/local"))
        assert refused.value.code == "gateway-redirect-refused"
        with pytest.raises(EndpointRefused):
            blobs.blob_info(f"http://{impostor.netloc}/account/container/blob?sig=x")
    assert len(impostor.seen) == 2
