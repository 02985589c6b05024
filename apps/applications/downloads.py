"""Answers that stream a package or a file of it in bounded memory."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import chain

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from apps.accounts.models import BatchAccount
from apps.applications.blobs import BlobSource, PackageBlob, package_blob
from apps.applications.models import PackageRecord
from apps.applications.names import name_key
from apps.people.actors import Actor

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def file_response(name: str, size: int, blocks: Iterator[bytes]) -> StreamingHttpResponse:
    """A file to save, never to show: whatever it holds, the browser does not run it as part of the portal."""
    response = StreamingHttpResponse(blocks, content_type="application/octet-stream")
    response["Content-Length"] = str(size)
    disposition = content_disposition_header(as_attachment=True, filename=safe_filename(name))
    response["Content-Disposition"] = disposition or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def safe_filename(path: str) -> str:
    """The last part of a path as a file name: no separators of any system, no control characters, never empty."""
    name = re.split(r"[/\\]", path.rstrip("/\\"))[-1]
    name = "".join(one if one.isprintable() and one not in '<>:"|?*' else "_" for one in name).strip(". ")
    return name[:200] or "file"


def package_response(
    request: HttpRequest, *, actor: Actor, account: BatchAccount, application_id: str, version: str
) -> HttpResponseBase:
    """The zip of a package. Honours a single `Range`, `If-Range` and `If-None-Match`; errors of `package_blob`."""
    found = package_blob(actor=actor, account=account, application_id=application_id, version=version)
    tag = f'"{found.source.etag}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    wanted = byte_range(request, found.source.size, tag)
    if wanted is None:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{found.source.size}"})
    response = _ranged(request, found, *wanted)
    response["ETag"] = tag
    response["Accept-Ranges"] = "bytes"
    if checksum := _checksum(account, found):
        response["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(checksum)).decode()}:"
    return response


def byte_range(request: HttpRequest, size: int, tag: str) -> tuple[int, int] | None:
    """First byte and length of what is asked for; all of it without a usable `Range`, None where it lies outside."""
    asked = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if asked is None or request.headers.get("If-Range", tag) != tag or asked.group(0) == "bytes=-":
        return 0, size
    first, last = asked.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, length) if length else None
    end = min(int(last) + 1, size) if last else size
    return (int(first), end - int(first)) if int(first) < end else None


def _ranged(request: HttpRequest, found: PackageBlob, start: int, length: int) -> StreamingHttpResponse:
    source, package = found.source, found.package
    name = f"{package.application_id}-{package.version}.zip"
    blocks = iter(()) if request.method == "HEAD" else _begun(source, start, length)
    response = file_response(name, length, blocks)
    response["Content-Type"] = "application/zip"
    if length != source.size:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{start + length - 1}/{source.size}"
    return response


def _begun(source: BlobSource, start: int, length: int) -> Iterator[bytes]:
    """The bytes, the first piece read already: an error before it still becomes a page."""
    pieces = source.stream(start, length)
    return chain([next(pieces, b"")], pieces)


def _checksum(account: BatchAccount, found: PackageBlob) -> str:
    """The SHA-256 of these very bytes, where the portal knows it."""
    records = PackageRecord.objects.filter(
        account=account,
        application_key=name_key(found.package.application_id),
        version_key=name_key(found.package.version),
        blob_etag=found.source.etag,
    )
    return records.values_list("sha256", flat=True).first() or ""
