"""SharedKey signatures (Batch REST reference, authentication via Shared Key).

The string to sign is the verb, twelve headers, the ``ocp-`` headers, the resource and the query. Clients differ in
details the service accepts: old ones sign the path with ``%2F`` as ``/``, some sign an empty body's length as ``0``
and some as nothing, and query names are signed as sent or in lower case.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import product
from urllib.parse import parse_qs

from emulator.errors import ServiceError

MAX_SKEW = timedelta(minutes=15)

_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)
_SEPARATORS = re.compile("%2F|%5C", re.IGNORECASE)


def parse(authorization: str) -> tuple[str, str]:
    """Account and signature of ``SharedKey ACCOUNT:SIGNATURE``."""
    account, colon, signature = authorization.removeprefix("SharedKey ").strip().partition(":")
    if not colon or not account or not signature:
        raise ServiceError("InvalidAuthenticationInfo", "The Authorization header must be SharedKey ACCOUNT:SIGNATURE.")
    return account, signature


def verify(
    *,
    account: str,
    signature: str,
    keys: Iterable[str],
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    now: datetime,
) -> None:
    """Raises AuthenticationFailed. ``path`` and ``query`` are as they came over the wire, ``headers`` in lower case."""
    _check_date(headers, now)
    secrets = [base64.b64decode(key) for key in keys]
    given = signature.encode()
    first = ""
    for text in strings_to_sign(account=account, method=method, path=path, query=query, headers=headers):
        first = first or text
        for secret in secrets:
            computed = base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())
            if hmac.compare_digest(computed, given):
                return
    raise ServiceError(
        "AuthenticationFailed",
        values={
            "AuthenticationErrorDetail": "The MAC signature found in the HTTP request is not the same as any computed"
            f" signature. Server used following string to sign: '{first}'."
        },
    )


def strings_to_sign(*, account: str, method: str, path: str, query: str, headers: Mapping[str, str]) -> Iterator[str]:
    """Every accepted form, the most likely first."""
    ocp = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("ocp-") and headers[name])
    for length, resource, parameters in product(
        _lengths(method, headers), _distinct(path, _SEPARATORS.sub("/", path)), _queries(query)
    ):
        values = [length if name == "content-length" else headers.get(name, "") for name in _HEADERS]
        yield "\n".join([method, *values]) + f"\n{ocp}/{account}{resource}{parameters}"


def _lengths(method: str, headers: Mapping[str, str]) -> list[str]:
    length = headers.get("content-length", "")
    if length in {"", "0"}:
        return ["", "0"] if method in {"GET", "HEAD"} else ["0", ""]
    return [length]


def _queries(query: str) -> list[str]:
    values = {name: found[0] for name, found in parse_qs(query).items()}
    as_sent = "".join(f"\n{name}:{values[name]}" for name in sorted(values))
    lowered = {name.lower(): value for name, value in values.items()}
    return _distinct(as_sent, "".join(f"\n{name}:{lowered[name]}" for name in sorted(lowered)))


def _distinct(*texts: str) -> list[str]:
    return list(dict.fromkeys(texts))


def _check_date(headers: Mapping[str, str], now: datetime) -> None:
    given = headers.get("ocp-date") or headers.get("date") or ""
    try:
        sent = parsedate_to_datetime(given)
    except ValueError:
        raise _date_error("The Date or ocp-date header is missing or not an HTTP date.") from None
    if sent.tzinfo is None:
        sent = sent.replace(tzinfo=UTC)
    if abs(now - sent) > MAX_SKEW:
        raise _date_error(f"The request is dated {given}, more than 15 minutes from the server's time.")


def _date_error(detail: str) -> ServiceError:
    return ServiceError("AuthenticationFailed", values={"AuthenticationErrorDetail": detail})
