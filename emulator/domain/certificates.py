"""Certificates of an account, as versions up to 2024-07-01.20.0 have them. They are kept, not put on nodes."""

import base64
import binascii
import hashlib
import re
from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta

from emulator.clock import iso
from emulator.errors import ServiceError
from emulator.wire import times
from emulator.wire.base import Shape, invalid

DELETING = timedelta(seconds=0.2)  # how long a deletion takes

_KEY = re.compile(r"\(\s*thumbprintAlgorithm=([^,]+),\s*thumbprint=([^)]+)\)", re.IGNORECASE)


class NewCertificate(Shape):
    """``data`` is base64 of a ``cer`` (DER or PEM) or of a ``pfx`` with its password."""

    thumbprint: Annotated[str, Meta(min_length=1)]
    thumbprint_algorithm: Literal["sha1"]
    data: Annotated[str, Meta(min_length=1)]
    certificate_format: Literal["pfx", "cer"] = "pfx"
    password: str | None = None


class Certificate(Shape):
    thumbprint: str
    thumbprint_algorithm: str
    public_data: str
    state: Literal["active", "deleting"]
    state_transition_time: str
    previous_state: str | None = None
    previous_state_transition_time: str | None = None
    gone: str | None = None

    @property
    def key(self) -> str:
        return key(self.thumbprint_algorithm, self.thumbprint)

    def is_gone(self, now: datetime) -> bool:
        return self.gone is not None and times.moment(self.gone) <= now


def key(algorithm: str, thumbprint: str) -> str:
    return f"{algorithm}-{thumbprint}".lower()


def key_of_path(given: str) -> str:
    """The key of ``(thumbprintAlgorithm=A,thumbprint=B)``. Raises InvalidUri."""
    match = _KEY.fullmatch(given)
    if match is None:
        raise ServiceError("InvalidUri")
    return key(match[1], match[2])


def new_certificate(wanted: NewCertificate, now: datetime) -> Certificate:
    """Raises InvalidPropertyValue for what cannot be read, or is another certificate than its thumbprint says."""
    public = _public(wanted)
    thumbprint = hashlib.sha1(public, usedforsecurity=False).hexdigest()
    if thumbprint != wanted.thumbprint.lower():
        raise invalid("thumbprint", "It is not the thumbprint of the certificate in data", wanted.thumbprint)
    return Certificate(
        thumbprint=thumbprint,
        thumbprint_algorithm=wanted.thumbprint_algorithm,
        public_data=base64.b64encode(public).decode(),
        state="active",
        state_transition_time=iso(now),
    )


def _public(wanted: NewCertificate) -> bytes:
    """The certificate itself, in DER."""
    from cryptography import x509  # noqa: PLC0415 - only old clients with a certificate pay for it
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs12  # noqa: PLC0415

    found: x509.Certificate | None
    try:
        raw = base64.b64decode(wanted.data, validate=True)
        if wanted.certificate_format == "cer":
            pem = raw.lstrip().startswith(b"-----BEGIN")
            found = x509.load_pem_x509_certificate(raw) if pem else x509.load_der_x509_certificate(raw)
        else:
            found = pkcs12.load_key_and_certificates(raw, (wanted.password or "").encode())[1]
    except (ValueError, binascii.Error) as error:
        raise invalid("data", f"It cannot be read as {wanted.certificate_format}: {error}") from None
    if found is None:
        raise invalid("data", "It holds no certificate")
    return found.public_bytes(Encoding.DER)


def begin_deleting(found: Certificate, now: datetime) -> None:
    """Raises CertificateBeingDeleted."""
    if found.state == "deleting":
        raise ServiceError("CertificateBeingDeleted")
    found.previous_state, found.previous_state_transition_time = found.state, found.state_transition_time
    found.state, found.state_transition_time = "deleting", iso(now)
    found.gone = iso(now + DELETING)
