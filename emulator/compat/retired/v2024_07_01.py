"""2024-07-01.20.0: the last version with certificates and remote desktop files."""

from typing import Any

import msgspec
from starlette.responses import Response

from emulator import answers, odata
from emulator.call import Call
from emulator.clock import http_date
from emulator.data import nodes
from emulator.data.common import body_of
from emulator.data.listing import listed
from emulator.domain import certificates as rules
from emulator.domain import nodes as node_rules
from emulator.domain.certificates import Certificate, NewCertificate
from emulator.errors import Plane, ServiceError
from emulator.odata.fields import CERTIFICATE
from emulator.operations import Handler, Operation

LAST = "2024-07-01.20.0"

_SELECTABLE = frozenset(Certificate.__struct_encode_fields__) - {"gone"} | {"url"}


async def get_remote_desktop(call: Call) -> Response:
    """The file that a Remote Desktop client opens. Linux nodes have none."""
    ref, node, pool = nodes.find(call)
    if not pool.is_windows:
        raise ServiceError(
            "OperationInvalidForCurrentState", "Nodes with Linux have no remote desktop: use remoteloginsettings."
        )
    if node.state not in {"idle", "running", "offline", "waitingforstarttask", "starttaskfailed"}:
        raise node_rules.conflict(node)
    address = f"{nodes.host(call)}:{node.ssh_port or 50000 + node.number % 5000}"
    headers = {"DataServiceId": f"{nodes.address(call, ref.pool, ref.node)}/rdp"}
    file = f"full address:s:{address}\r\nprompt for credentials:i:1\r\n"
    return Response(file.encode(), 200, headers, "application/octet-stream")


async def add_certificate(call: Call) -> Response:
    wanted = await body_of(call, NewCertificate)
    if _get(call, rules.key(wanted.thumbprint_algorithm, wanted.thumbprint)) is not None:
        raise ServiceError("CertificateExists")
    found = rules.new_certificate(wanted, call.now)
    _put(call, found)
    return answers.empty(201, {"DataServiceId": _address(call, found), "Location": _address(call, found)})


async def list_certificates(call: Call) -> Response:
    kept = call.services.repositories.certificates
    wanted = odata.query(call, CERTIFICATE, _SELECTABLE)

    def read(after: str, limit: int) -> list[Certificate]:
        return kept.page(call.batch_account.name, after, limit)

    def present(found: Certificate) -> tuple[str, dict[str, Any]]:
        return found.key, _body(call, found)

    _sweep(call)
    return await listed(call, "certificates", read, present, wanted)


async def get_certificate(call: Call) -> Response:
    found = _found(call)
    wanted = odata.query(call, known=_SELECTABLE)
    shape = {"odata.metadata": f"{call.base}/$metadata#certificates/@Element", **wanted.select(_body(call, found))}
    headers = {"Last-Modified": http_date(call.now)}
    return answers.json(shape, media_type=answers.DATA_JSON, headers=headers)


async def delete_certificate(call: Call) -> Response:
    found = _found(call)
    rules.begin_deleting(found, call.now)
    _put(call, found)
    return answers.empty(202, {"DataServiceId": _address(call, found)})


async def cancel_certificate_deletion(call: Call) -> Response:
    """Only a deletion that failed can be cancelled, and none fails here: no node holds a certificate."""
    raise ServiceError("CertificateBeingDeleted" if _found(call).state == "deleting" else "CertificateStateActive")


def _found(call: Call) -> Certificate:
    found = _get(call, rules.key_of_path(call.parameters["certificate"]))
    if found is None:
        raise ServiceError("CertificateNotFound")
    return found


def _get(call: Call, key: str) -> Certificate | None:
    found = call.services.repositories.certificates.get(call.batch_account.name, key)
    return None if found is None or found.is_gone(call.now) else found


def _put(call: Call, found: Certificate) -> None:
    call.services.repositories.certificates.put(call.batch_account.name, found.key, found)


def _sweep(call: Call) -> None:
    kept = call.services.repositories.certificates
    for found in kept.all(call.batch_account.name):
        if found.is_gone(call.now):
            kept.delete(call.batch_account.name, found.key)


def _body(call: Call, found: Certificate) -> dict[str, Any]:
    body: dict[str, Any] = {"url": _address(call, found), **msgspec.to_builtins(found)}
    body.pop("gone", None)
    return body


def _address(call: Call, found: Certificate) -> str:
    return f"{call.base}/certificates(thumbprintAlgorithm={found.thumbprint_algorithm},thumbprint={found.thumbprint})"


def _op(handler: Handler, method: str, path: str, query: str = "") -> Operation:
    name = f"data.{handler.__name__}"
    return Operation(name, Plane.DATA, method, path, handler, frozenset(query.split()), last=LAST)


OPERATIONS = (
    _op(get_remote_desktop, "GET", "/pools/{poolId}/nodes/{nodeId}/rdp"),
    _op(add_certificate, "POST", "/certificates"),
    _op(list_certificates, "GET", "/certificates", "maxresults $filter $select"),
    _op(get_certificate, "GET", "/certificates/{certificate}", "$select"),
    _op(delete_certificate, "DELETE", "/certificates/{certificate}"),
    Operation("data.get_all_pools_lifetime_statistics", Plane.DATA, "GET", "/lifetimepoolstats", last=LAST),
    Operation("data.get_all_jobs_lifetime_statistics", Plane.DATA, "GET", "/lifetimejobstats", last=LAST),
    _op(cancel_certificate_deletion, "POST", "/certificates/{certificate}/canceldelete"),
)
