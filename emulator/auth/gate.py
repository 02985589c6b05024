"""Authentication of each plane: the first scheme that fits decides, everything else is refused."""

from emulator.auth import shared_key
from emulator.call import Call
from emulator.domain.accounts import BatchAccount
from emulator.errors import Plane, ServiceError


def authenticate(call: Call) -> None:
    """Raises ServiceError unless the caller may go on. Sign-in and control routes are open."""
    if call.plane is Plane.ARM:
        _management(call)
    elif call.plane is Plane.DATA:
        _data(call)


def _management(call: Call) -> None:
    scheme, token = _authorization(call)
    if not scheme:
        raise ServiceError(
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
            status=401,
            headers=_challenge(call, "https://management.azure.com"),
        )
    if scheme != "bearer" or not token:
        raise ServiceError(
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header must be a bearer token.",
            status=401,
        )
    call.services.tokens.check(token, Plane.ARM)


def _data(call: Call) -> None:
    scheme, rest = _authorization(call)
    if not scheme:
        raise ServiceError(
            "InvalidAuthenticationInfo", status=401, headers=_challenge(call, "https://batch.core.windows.net/")
        )
    if scheme == "sharedkey":
        _shared_key(call, *shared_key.parse(call.header("authorization")))
    elif scheme == "bearer" and rest:
        call.services.tokens.check(rest, Plane.DATA)
        _check_mode(call.batch_account, "AAD")
    else:
        raise ServiceError("InvalidAuthenticationInfo")


def _shared_key(call: Call, name: str, signature: str) -> None:
    account = call.account
    if account is None or account.name.lower() != name.lower():
        raise ServiceError(
            "AuthenticationFailed",
            values={"AuthenticationErrorDetail": f"The account {name} does not exist or is not the one addressed."},
        )
    _check_mode(account, "SharedKey")
    scope = call.request.scope
    shared_key.verify(
        account=name,
        signature=signature,
        keys=account.keys(),
        method=call.request.method,
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=dict(call.request.headers),
        now=call.services.clock.wall(),
    )


def _check_mode(account: BatchAccount, mode: str) -> None:
    if mode not in account.allowed_authentication_modes:
        raise ServiceError("AuthenticationModeNotAllowed", values={"AuthenticationMode": mode})


def _authorization(call: Call) -> tuple[str, str]:
    scheme, _, rest = call.header("authorization").strip().partition(" ")
    return scheme.lower(), rest.strip()


def _challenge(call: Call, resource: str) -> dict[str, str]:
    tenant = call.services.settings.tenant
    origin = f"{call.request.url.scheme}://{call.request.url.netloc}"
    return {"WWW-Authenticate": f'Bearer authorization_uri="{origin}/{tenant}", resource_id="{resource}"'}
