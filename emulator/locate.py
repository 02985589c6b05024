"""Which plane a request is for, and which Batch account."""

import ipaddress
import re

from starlette.requests import Request

from emulator.call import Call
from emulator.domain.accounts import BatchAccount
from emulator.domain.names import RESERVED_ACCOUNTS
from emulator.errors import Plane
from emulator.services import Services

_LOGIN = re.compile(r"/[^/]+/(v2\.0|oauth2)(/.*)?$")


def locate(request: Request, services: Services) -> Call:
    path = request.scope["raw_path"].decode("latin-1")
    call = Call(
        request=request,
        services=services,
        request_id=services.ids.guid(),
        now=services.clock.now(),
        path=path,
        base=f"{request.url.scheme}://{request.url.netloc}",
        plane=_plane(path),
    )
    if call.plane is Plane.DATA:
        _find_account(call)
    return call


def _plane(path: str) -> Plane:
    first = path.split("/", 2)[1].lower() if path.startswith("/") else ""
    if first == "_emulator":
        return Plane.LOGIN if path.startswith("/_emulator/identity/") else Plane.CONTROL
    if first in {"subscriptions", "providers", "tenants"}:
        return Plane.ARM
    return Plane.LOGIN if path == "/metadata/endpoints" or _LOGIN.match(path) else Plane.DATA


def _find_account(call: Call) -> None:
    """By the host's first label, the first path segment, the name in the signature, or as the only account there is.

    A path that begins with the account loses that segment, whichever of the four has named it.
    """
    first = call.path.split("/", 2)[1] if call.path.count("/") else ""
    in_path = None if first.lower() in RESERVED_ACCOUNTS else _account(call, first)
    call.account = _account(call, _host_label(call)) or in_path or _account(call, _signer(call)) or _only(call)
    if in_path and call.account is not None and in_path.name == call.account.name:
        call.path = call.path[1 + len(first) :] or "/"
        call.base = f"{call.base}/{first}"


def _account(call: Call, name: str) -> BatchAccount | None:
    found = call.services.repositories.accounts.get("", name) if name else None
    return None if found is None or found.is_gone(call.now) else found


def _host_label(call: Call) -> str:
    host = call.request.url.hostname or ""
    label, dot, _ = host.partition(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return label if dot else ""
    return ""


def _signer(call: Call) -> str:
    scheme, _, rest = call.header("authorization").partition(" ")
    return rest.partition(":")[0].strip() if scheme.lower() == "sharedkey" else ""


def _only(call: Call) -> BatchAccount | None:
    found = call.services.repositories.accounts.page("", limit=2)
    return found[0] if len(found) == 1 and not found[0].is_gone(call.now) else None
