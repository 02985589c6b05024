"""Sign-in: the parts of Entra ID that azure-identity's credentials for services ask.

Any identity may sign in, except with the client secret ``wrong``, so that a refusal can be seen too.
"""

from urllib.parse import parse_qs

from starlette.responses import Response

from emulator import answers
from emulator.call import Call
from emulator.errors import Plane, ServiceError
from emulator.operations import Operation
from emulator.tokens import LIFETIME, audience_of_scope

WRONG_SECRET = "wrong"  # noqa: S105
MANAGEMENT_AUDIENCE, BATCH_AUDIENCE = "https://management.azure.com/", "https://batch.core.windows.net/"
SYSTEM_ASSIGNED = "22222222-2222-2222-2222-222222222222"

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


async def openid_configuration(call: Call) -> Response:
    authority = f"{call.base}/{call.parameters['tenant']}"
    return answers.json(
        {
            "issuer": f"{authority}/v2.0",
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "EU",
        }
    )


async def cloud(call: Call) -> Response:
    """What ``az cloud register --endpoint-resource-manager`` asks a cloud about itself."""
    return answers.json(
        {
            "name": "LocalBatch",
            "resourceManager": call.base,
            "portal": call.base,
            "batch": BATCH_AUDIENCE,
            "graphAudience": "https://graph.windows.net/",
            "authentication": {
                "loginEndpoint": call.base,
                "audiences": [MANAGEMENT_AUDIENCE],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "suffixes": {"storage": "core.windows.net"},
        }
    )


async def token(call: Call) -> Response:
    """The client credentials grant, with a secret or a signed assertion (certificate, workload identity)."""
    form = {name: values[0] for name, values in parse_qs((await call.raw_body()).decode("utf-8", "replace")).items()}
    if form.get("grant_type") != "client_credentials":
        raise _refused("unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.", 400)
    application = form.get("client_id", "")
    if not application:
        raise _refused("invalid_request", "AADSTS900144: The request body must contain: 'client_id'.", 400)
    _check_proof(form)
    audience = audience_of_scope(form.get("scope", ""))
    if not audience:
        raise _refused(
            "invalid_scope", "AADSTS70011: The provided value for the input parameter 'scope' is not valid.", 400
        )
    access_token, _ = _issue(call, call.parameters["tenant"], audience, application)
    return answers.json(
        {"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": access_token}
    )


async def managed_identity(call: Call) -> Response:
    """App Service's protocol of 2019-08-01: IDENTITY_ENDPOINT is this address, IDENTITY_HEADER anything."""
    resource = call.query("resource")
    if not call.header("x-identity-header"):
        raise _refused("unauthorized_client", "The X-IDENTITY-HEADER header is missing.", 401)
    if call.query("api-version") != "2019-08-01" or not resource:
        raise _refused("invalid_request", "api-version must be 2019-08-01 and resource must be given.", 400)
    application = call.query("client_id") or SYSTEM_ASSIGNED
    access_token, expires = _issue(call, call.services.settings.tenant, resource.rstrip("/"), application)
    return answers.json(
        {
            "access_token": access_token,
            "expires_on": str(expires),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": application,
        }
    )


def _check_proof(form: dict[str, str]) -> None:
    secret, assertion = form.get("client_secret"), form.get("client_assertion")
    if secret == WRONG_SECRET:
        raise _refused("invalid_client", "AADSTS7000215: Invalid client secret provided.", 401)
    if secret is None and assertion is None:
        raise _refused(
            "invalid_client",
            "AADSTS7000218: The request body must contain: 'client_assertion' or 'client_secret'.",
            401,
        )
    if assertion is not None and (assertion.count(".") != 2 or form.get("client_assertion_type") != _ASSERTION):
        raise _refused("invalid_client", "AADSTS50027: JWT token is invalid or malformed.", 401)


def _issue(call: Call, tenant: str, audience: str, application: str) -> tuple[str, int]:
    origin = f"{call.request.url.scheme}://{call.request.url.netloc}"
    return call.services.tokens.issue(
        issuer=f"{origin}/{tenant}/v2.0", tenant=tenant, audience=audience, application=application
    )


def _refused(code: str, description: str, status: int) -> ServiceError:
    return ServiceError(code, description, status=status)


OPERATIONS = (
    Operation(
        "login.openid_configuration",
        Plane.LOGIN,
        "GET",
        "/{tenant}/v2.0/.well-known/openid-configuration",
        openid_configuration,
    ),
    Operation("login.cloud", Plane.LOGIN, "GET", "/metadata/endpoints", cloud, frozenset({"api-version"})),
    Operation("login.token", Plane.LOGIN, "POST", "/{tenant}/oauth2/v2.0/token", token),
    Operation(
        "login.managed_identity",
        Plane.LOGIN,
        "GET",
        "/_emulator/identity/token",
        managed_identity,
        frozenset({"api-version", "resource", "client_id"}),
    ),
)
