"""What can be wrong with a request that carries bytes, each with its HTTP status."""

from apps.core.exceptions import Invalid, PortalError


class ProtocolError(PortalError):
    """The request does not follow tus 1.0."""

    status = 400


class ProtocolVersionError(PortalError):
    code = "upload-protocol"
    status = 412


class WrongMediaTypeError(PortalError):
    code = "upload-content-type"
    status = 415


class OffsetError(PortalError):
    """The client goes on elsewhere than where the server stands."""

    code = "upload-offset"
    status = 409


class BusyError(PortalError):
    """Another request writes to the upload."""

    code = "upload-busy"
    status = 423


class OverError(PortalError):
    """The upload was cancelled, has expired or has ended."""

    code = "upload-over"
    status = 410


class TooLargeError(Invalid):
    code = "upload-too-large"
    status = 413


class ExceedsError(PortalError):
    """More bytes than announced."""

    code = "upload-exceeds"
    status = 413


class ChecksumError(PortalError):
    """460 is tus's own status for it."""

    code = "upload-checksum"
    status = 460


class NoSpaceError(PortalError):
    """The staging volume is full."""

    code = "upload-no-space"
    status = 507
