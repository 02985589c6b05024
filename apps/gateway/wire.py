"""Reading the data plane's models: what several kinds of things have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from azure.core.paging import ItemPaged
from azure.core.rest import HttpRequest, HttpResponse

from apps.gateway import clients, endpoints
from apps.gateway.errors import GatewayInvalid
from apps.gateway.translation import DATA, translating
from apps.gateway.types import Connection
from apps.gateway.types_pools import Fault, Page

M = TypeVar("M")
JSON = {"Content-Type": "application/json; odata=minimalmetadata", "Accept": "application/json"}


def text(value: Any) -> str:
    """An enumeration value, known to the SDK or newer than it, as the service spells it."""
    return str(getattr(value, "value", value) or "")


def pairs(found: Iterable[Any] | None) -> tuple[tuple[str, str], ...]:
    """Name and value of each item."""
    return tuple((str(item.name or ""), str(item.value or "")) for item in found or ())


def fault(found: Any) -> Fault:
    """An error of the service's: resize, auto-scale, node and task errors name their values differently."""
    details = getattr(found, "error_details", None) or getattr(found, "error_values", None)
    details = details or getattr(found, "details", None)
    return Fault(
        code=str(found.code or ""),
        message=str(found.message or ""),
        details=pairs(details),
        category=text(getattr(found, "category", "")),
    )


def page(connection: Connection, found: ItemPaged[M], token: str) -> Page[M]:
    """One page of an SDK's list, which `token` (from the page before) leads to. Raises `GatewayInvalid` for others'."""
    if token and not _same_service(connection, token):
        raise GatewayInvalid("gateway-page-token")
    with translating(DATA):
        pages: Any = found.by_page(continuation_token=token or None)
        items = tuple(next(pages, ()))
    return Page(items, str(pages.continuation_token or ""))


def pages(found: ItemPaged[M]) -> Iterator[list[M]]:
    """The pages of an SDK's list, each asked for when it is wanted."""
    source = found.by_page()
    while True:
        with translating(DATA):
            items = next(source, None)
        if items is None:
            return
        with translating(DATA):
            listed = list(items)
        yield listed


def document_page(
    connection: Connection,
    path: str,
    *,
    where: str = "",
    select: Sequence[str] = (),
    size: int,
    token: str = "",
) -> Page[dict[str, Any]]:
    """One page of a list as the service's own JSON, for lists so long that the SDK's models would be what costs most.

    Arguments and errors as with `page`; `path` as with `post`.
    """
    if token and not _same_service(connection, token):
        raise GatewayInvalid("gateway-page-token")
    named = {"maxresults": str(size), "$filter": where, "$select": ",".join(select)}
    params = {} if token else {name: value for name, value in named.items() if value}
    answer = document(connection, token or f"{{endpoint}}{path}", params)
    return Page(tuple(answer.get("value") or ()), str(answer.get("odata.nextLink") or ""))


def document(connection: Connection, url: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The service's own JSON at an address of it."""
    # What the address itself says, as links to the next page do, wins.
    quoted = {name: quote(value, safe="") for name, value in (params or {}).items()}
    quoted["api-version"] = clients.BATCH_API_VERSION
    request = HttpRequest("GET", url, params=quoted, headers={"Accept": JSON["Accept"]})
    with translating(DATA):
        response = clients.batch(connection).send_request(request)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
    return found


def _same_service(connection: Connection, token: str) -> bool:
    """A token is an address, and the signature goes where it says: it must be the account's own service."""
    return urlsplit(token).netloc == urlsplit(endpoints.batch_endpoint(connection.batch_endpoint)).netloc


def post(
    connection: Connection, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> None:
    """Have the service do something, without the thread that the SDK polls what takes long with.

    `path` below the account's endpoint, quoted. Raises `GatewayError`.
    """
    send(connection, "POST", path, body, headers)


def send(
    connection: Connection,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    with translating(DATA):
        client = clients.batch(connection)
        request = HttpRequest(
            method,
            f"{{endpoint}}{path}",
            params={"api-version": clients.BATCH_API_VERSION},
            headers={**JSON, **(headers or {})},
            json=body,
        )
        response = client.send_request(request)
        response.raise_for_status()
    return response
