"""The HTTP transport under every SDK client: guarded, bounded, counted."""

from __future__ import annotations

import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.exceptions import ServiceRequestTimeoutError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.core.pipeline.transport import RequestsTransport
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from apps.gateway import calls, endpoints

# One write per 128 KiB instead of per 16 KiB when a block's bytes come from a file.
_SEND_BYTES = 128 * 1024
_MOST_CONNECTIONS = 32
_LONGEST_WAIT = 20.0  # seconds that a Retry-After is waited for inside a call; longer ones are the caller's to schedule


class _Guarded(HTTPConnection):
    """Connects to addresses that `endpoints` admits, and to no others."""

    def _new_conn(self) -> Any:
        name = self._dns_host
        try:
            found = endpoints.addresses(name, self.port or self.default_port)
        except OSError as error:
            raise NameResolutionError(name, self, error) from error  # type: ignore[arg-type]
        return self._first_that_answers(name, found)

    def _first_that_answers(self, name: str, found: list[str]) -> Any:
        failure: Exception | None = None
        try:
            for address in found:
                # The base class connects to whatever this names; TLS still verifies the real name, restored below.
                self._dns_host = address
                try:
                    return super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error
        finally:
            self._dns_host = name
        raise failure or NewConnectionError(self, "No address.")


class _GuardedTLS(_Guarded, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTLS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, blocksize=_SEND_BYTES)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = endpoints.check_url(request.url or "")
        if endpoints.is_private_host(str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)):
            # A proxy of the environment is for the outside world.
            kwargs["proxies"] = {}
        return super().send(request, *args, **kwargs)


class PatientTransport(RequestsTransport):  # type: ignore[misc]  # untyped where it is imported from
    """Bounds each request, and each pause between tries, by the caller's patience, and counts what leaves."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            connection_timeout=settings.GATEWAY_CONNECT_TIMEOUT, read_timeout=settings.GATEWAY_READ_TIMEOUT, **options
        )

    def send(self, request: Any, **kwargs: Any) -> Any:
        self._bound(kwargs)
        started = time.perf_counter()
        status = 0
        try:
            response = super().send(request, **kwargs)
            status = response.status_code
            return response
        finally:
            found = endpoints.describe(request.url)
            calls.record(calls.Call(request.method, **found, status=status, seconds=time.perf_counter() - started))

    def _bound(self, options: dict[str, Any]) -> None:
        left = calls.remaining()
        if left is None:
            return
        if left <= 0:
            raise ServiceRequestTimeoutError("The caller waits no longer.")
        options["connection_timeout"] = min(options.get("connection_timeout") or self.connection_config.timeout, left)
        options["read_timeout"] = min(options.get("read_timeout") or self.connection_config.read_timeout, left)

    def sleep(self, duration: float) -> None:
        """Between tries, no longer than the caller waits."""
        left = calls.remaining()
        super().sleep(duration if left is None else max(0.0, min(duration, left)))


class GuardedTransport(PatientTransport):
    """Reaches what `endpoints` admits. Safe to share between threads: it keeps no cookies and no client closes it."""

    def __init__(self) -> None:
        session = _Session()
        session.cookies.set_policy(_NoCookies())
        # Set, so that requests looks for no password of this host in a .netrc.
        session.auth = _as_it_is
        adapter = _Adapter(pool_maxsize=_MOST_CONNECTIONS, max_retries=Retry(total=False, redirect=False))
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        super().__init__(session=session, session_owner=False)


class _Session(requests.Session):
    """Looks for proxies and certificates in the environment once per host; doing so anew is a fifth of a call."""

    def __init__(self) -> None:
        super().__init__()
        self._of_host: dict[tuple[str, str], dict[str, Any]] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        parts = urlsplit(url)
        key = parts.scheme, parts.netloc
        if proxies or verify not in {True, None} or cert:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        found = self._of_host.get(key)
        if found is None:
            found = super().merge_environment_settings(f"{parts.scheme}://{parts.netloc}/", {}, None, verify, None)
            self._of_host[key] = found
        return {**found, "proxies": dict(found["proxies"]), "stream": stream or found["stream"]}


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _NoCookies(DefaultCookiePolicy):
    def set_ok(self, *_: Any) -> bool:
        return False


class BoundedRetryPolicy(RetryPolicy[Any, Any]):
    """Few and quick tries. A Retry-After is respected: waited for where it fits, handed to the caller where not."""

    def __init__(self) -> None:
        super().__init__(
            retry_total=3,
            retry_connect=1,
            retry_read=1,
            retry_status=2,
            retry_backoff_factor=0.4,
            retry_backoff_max=4,
        )

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        wanted = self.get_retry_after(response)
        if calls.hands_back_throttling() and (wanted or response.http_response.status_code == 429):
            return False
        left = calls.remaining()
        longest = _LONGEST_WAIT if left is None else min(_LONGEST_WAIT, left)
        if (wanted or 0) > longest:
            return False
        return bool(super().is_retry(settings, response))
