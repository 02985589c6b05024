"""Where the portal may connect to, checked twice: by name before a request, by address when connecting.

The second check sees the very address that is connected to, so a name that resolves to something else a moment later
(DNS rebinding) gains nothing, and neither does a link or a redirect inside an answer.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from apps.gateway.errors import EndpointRefused

_DEFAULT_PORTS = {"https": 443, "http": 80}
# Answers inside every Azure virtual network although the address looks public: the host agent, with its secrets.
_AZURE_HOST_AGENT = ipaddress.ip_address("168.63.129.16")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def check_url(url: str) -> SplitResult:
    """The parsed URL when the portal may send requests to it.

    Raises `EndpointRefused` for schemes other than https (http where a private host allows it), for names outside the
    allow-list, and for URLs that carry a user name.
    """
    parts = _parsed(url)
    host, port = str(parts.hostname), parts.port
    if parts.scheme == "http" and not _private_exactly(host, port):
        raise EndpointRefused("gateway-endpoint-scheme", host=parts.netloc)
    default = _DEFAULT_PORTS[parts.scheme]
    if is_private_host(host, port or default):
        return parts
    if not any(_matches(entry, host, port or default, default) for entry in settings.GATEWAY_ALLOWED_HOSTS):
        raise EndpointRefused("gateway-endpoint-refused", host=parts.netloc)
    return parts


def batch_endpoint(text: str) -> str:
    """A Batch account's endpoint as an URL without trailing slash.

    Azure gives it without a scheme. https is put in front, but http where the management endpoint itself is plain and
    the host is one that an operator named. Raises `EndpointRefused` as `check_url` does.
    """
    text = text.strip().rstrip("/")
    if "://" not in text:
        parts = urlsplit(f"//{text}")
        plain = settings.GATEWAY_ARM_ENDPOINT.startswith("http://") and _private_exactly(
            parts.hostname or "", _port(parts)
        )
        text = f"{'http' if plain else 'https'}://{text}"
    parts = check_url(text)
    if parts.query or parts.fragment:
        raise EndpointRefused("gateway-endpoint-malformed")
    return parts.geturl()


def is_private_host(host: str, port: int) -> bool:
    """Whether an operator allows private addresses, and for hosts named exactly also plain http, there."""
    return any(_matches(entry, host, port, None) for entry in settings.GATEWAY_PRIVATE_HOSTS)


def may_be_plain(url: str) -> bool:
    """Whether a bearer token may go over http to this URL."""
    parts = urlsplit(url)
    return parts.scheme == "http" and _private_exactly(parts.hostname or "", _port(parts))


def addresses(host: str, port: int) -> list[str]:
    """The addresses to connect to, in the resolver's order.

    Raises `EndpointRefused` when any of them is private, loopback, link-local or otherwise not public, unless the host
    is one of `GATEWAY_PRIVATE_HOSTS`; `socket.gaierror` when there are none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    names = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not is_private_host(host.rstrip(".").lower(), port) and not all(is_public(name) for name in names):
        raise EndpointRefused("gateway-endpoint-private", host=host)
    return names


def is_public(address: str) -> bool:
    """Whether an address is reachable from the whole internet, seen through the IPv6 forms that embed IPv4."""
    found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    inner = _embedded(found)
    if inner is not None and not is_public(str(inner)):
        return False
    return found.is_global and not found.is_multicast and found != _AZURE_HOST_AGENT


def _embedded(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise EndpointRefused("gateway-endpoint-malformed") from None
    host = parts.hostname or ""
    if not host or not host.isascii() or any(c in host for c in "\\ \t\r\n") or "@" in parts.netloc:
        raise EndpointRefused("gateway-endpoint-malformed")
    if parts.scheme not in _DEFAULT_PORTS:
        raise EndpointRefused("gateway-endpoint-scheme", host=parts.netloc)
    return parts


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return None


def _private_exactly(host: str, port: int | None) -> bool:
    """A whole domain may be private (Azure Private Link), but only a host that is named exactly may do without TLS."""
    return any(
        _matches(entry, host, port or _DEFAULT_PORTS["http"], None)
        for entry in settings.GATEWAY_PRIVATE_HOSTS
        if not entry.startswith(".")
    )


def _matches(entry: str, host: str, port: int, default_port: int | None) -> bool:
    """`default_port` is the only port that an entry without one admits; None admits any."""
    wanted = urlsplit(f"//{entry.lower()}")
    name, entry_port = wanted.hostname or "", wanted.port
    if entry_port is None:
        if default_port is not None and port != default_port:
            return False
    elif entry_port != port:
        return False
    host = host.rstrip(".").lower()
    return host.endswith(name) and len(host) > len(name) if name.startswith(".") else host == name


def describe(url: str) -> dict[str, Any]:
    """Host and path without the query, which may hold a signature: what logs and counters may keep."""
    parts = urlsplit(url)
    return {"host": parts.netloc, "path": parts.path}
