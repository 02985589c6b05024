"""Conditional headers and the headers of a resource."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from starlette.responses import Response

from emulator import answers
from emulator.call import Call
from emulator.clock import http_date
from emulator.errors import ServiceError
from emulator.wire import times


class NotModified(Exception):
    """What was asked for is as the client has it: the answer is a 304."""


def check(call: Call, e_tag: str, last_modified: str) -> None:
    """Compare If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since with the resource as it is.

    Raises ConditionNotMet, or NotModified when a read has nothing new to tell.
    """
    _check_tags(call, e_tag)
    _check_dates(call, last_modified)


def _check_tags(call: Call, e_tag: str) -> None:
    wanted, unwanted = _tags(call, "if-match"), _tags(call, "if-none-match")
    if wanted and "*" not in wanted and e_tag not in wanted:
        raise ServiceError("ConditionNotMet")
    if "*" in unwanted or e_tag in unwanted:
        _refuse(call)


def _check_dates(call: Call, last_modified: str) -> None:
    modified = times.moment(last_modified).replace(microsecond=0)  # dates of headers have no fractions
    since, unmodified = _date(call, "if-modified-since"), _date(call, "if-unmodified-since")
    if unmodified is not None and modified > unmodified:
        raise ServiceError("ConditionNotMet")
    if since is not None and modified <= since and not _tags(call, "if-none-match"):
        _refuse(call)


def _refuse(call: Call) -> None:
    raise NotModified if call.request.method in {"GET", "HEAD"} else ServiceError("ConditionNotMet")


def not_modified(e_tag: str, last_modified: str) -> Response:
    return answers.empty(304, stamps(e_tag, last_modified))


def stamps(e_tag: str, last_modified: str) -> dict[str, str]:
    """ETag and Last-Modified of a resource."""
    return {"ETag": e_tag, "Last-Modified": http_date(times.moment(last_modified))}


def _tags(call: Call, name: str) -> set[str]:
    return {tag.strip().removeprefix("W/").strip('"') for tag in call.header(name).split(",") if tag.strip()}


def _date(call: Call, name: str) -> datetime | None:
    text = call.header(name)
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        raise ServiceError("InvalidHeaderValue", values={"HeaderName": name, "HeaderValue": text}) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
