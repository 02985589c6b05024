from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header, parse_header_parameters
from django.utils.translation import gettext

from apps.core.exceptions import Invalid, PortalError
from apps.core.http import go_to, wants_fragment
from apps.nodes.files import PIECE, NodeFiles, clean_path, node_file_delete, node_files
from apps.nodes.forms import SelectionForm
from apps.nodes.selectors import node_snapshot
from apps.nodes.views.details import node_context
from apps.nodes.views.shared import NodesView, show_error
from apps.people.roles import Permission

if TYPE_CHECKING:
    from apps.gateway.types_nodes import NodeFile


class _FilesView(NodesView):
    abstract = True
    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def files(self, pool: str, node: str) -> NodeFiles:
        self.names = {"pool": pool, "node": node}
        return node_files(actor=self.actor, account=self.account, pool_id=pool, node_id=node)

    def url(self, route: str, **query: Any) -> str:
        return f"{self.address(route, **self.names)}?{urlencode(query)}"


class FilesView(_FilesView):
    """The files of a node, one level at a time. The page itself asks the service nothing."""

    permission = Permission.VIEW_ACCOUNT

    def get(self, _request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        found = node_snapshot(actor=self.actor, account=self.account, pool_id=pool, node_id=node)
        context = node_context(self, found, "files") | {"level_url": self.address("level", pool=pool, node=node)}
        return self.page("nodes/files.html", context)


class LevelView(_FilesView):
    """One level of the tree: the first as a whole, deeper ones as rows."""

    permission = Permission.VIEW_ACCOUNT

    def get(self, request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        files = self.files(pool, node)
        under = clean_path(request.GET.get("path", ""))
        context: dict[str, Any] = {"again_url": self.url("level", path=under), "under": under}
        try:
            found, token = files.level(under, request.GET.get("token", ""))
        except PortalError as error:
            return self.page("nodes/_level_refused.html", context | {"error": error})
        found = sorted(found, key=lambda file: (not file.is_directory, file.path.lower()))
        more = self.url("level", path=under, token=token) if token else ""
        context |= {"nodes": [self._node(file) for file in found], "more_url": more}
        if under or request.GET.get("token"):
            return self.page("nodes/_level.html", context)
        return self.page_or_fragment("nodes/files_level.html", "nodes/_tree.html", context)

    def _node(self, file: NodeFile) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "name": file.path.rstrip("/").rpartition("/")[2],
            "is_dir": file.is_directory,
            "size": file.size,
            "modified": file.modified,
            "delete_url": self.url("file-delete", path=file.path),
        }
        if file.is_directory:
            return shown | {"children_url": self.url("level", path=file.path)}
        return shown | {
            "href": self.url("file", path=file.path),
            "download_url": self.url("file-download", path=file.path),
        }


class FileView(_FilesView):
    """A file as text: its end, or any piece of it. With script it grows as the file does."""

    permission = Permission.VIEW_ACCOUNT

    def get(self, request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        files = self.files(pool, node)
        snapshot = node_snapshot(actor=self.actor, account=self.account, pool_id=pool, node_id=node)
        path = clean_path(request.GET.get("path", ""))
        info = files.info(path)
        offset = _number(request.GET.get("from"), max(0, info.size - PIECE))
        data = files.piece(path, offset, PIECE) if info.size else b""
        end = offset + len(data)
        context = node_context(self, snapshot, "files") | {
            "file": info,
            "name": path.rpartition("/")[2],
            "path": path,
            "text": data.decode(errors="replace"),
            "binary": b"\x00" in data[:4096],
            "offset": offset,
            "end": end,
            "start_url": self.url("file", path=path, **{"from": 0}) if offset else "",
            "before_url": self.url("file", path=path, **{"from": max(0, offset - PIECE)}) if offset else "",
            "after_url": self.url("file", path=path, **{"from": end}) if end < info.size else "",
            "end_url": self.url("file", path=path),
            "piece_url": self.url("file-piece", path=path),
            "download_url": self.url("file-download", path=path),
            "delete_url": self.url("file-delete", path=path),
        }
        return self.page("nodes/file.html", context)


class PieceView(_FilesView):
    """What a file has from `?from=` on, for the live tail: text, the next offset and the size."""

    permission = Permission.VIEW_ACCOUNT

    def get(self, request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        files = self.files(pool, node)
        path = clean_path(request.GET.get("path", ""))
        offset = _number(request.GET.get("from"), 0)
        try:
            size = files.info(path).size
            if size < offset:  # begun anew
                offset = 0
            data = files.piece(path, offset, PIECE) if size > offset else b""
        except PortalError as error:
            return JsonResponse({"error": error.message}, status=error.status)
        data = _whole_characters(data)
        answer = {"text": data.decode(errors="replace"), "from": offset, "next": offset + len(data), "size": size}
        return JsonResponse(answer, headers={"Cache-Control": "no-store"})


def _whole_characters(data: bytes) -> bytes:
    """Without the beginning of a UTF-8 character that is cut off at the end; the next piece has it whole."""
    for back in range(1, min(4, len(data)) + 1):
        first = data[-back]
        if first & 0xC0 == 0x80:
            continue
        needed = 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2 if first >= 0xC0 else 1
        return data if needed <= back else data[:-back]
    return data


class FileDownloadView(_FilesView):
    """The bytes as they come from the node, or those of one range."""

    permission = Permission.VIEW_ACCOUNT

    def get(self, request: Any, pool: str, node: str, **_: Any) -> HttpResponseBase:
        files = self.files(pool, node)
        path = clean_path(request.GET.get("path", ""))
        info = files.info(path)
        return file_response(request.headers.get("Range", ""), files, path, info, head=request.method == "HEAD")


def file_response(wanted: str, files: NodeFiles, path: str, info: NodeFile, *, head: bool = False) -> HttpResponseBase:
    """A download, streamed; `wanted` is the request's Range header."""
    span = _span(wanted, info.size)
    first, length = span or (0, info.size)
    if head or not length:
        response: HttpResponseBase = HttpResponse()
    else:
        blocks = files.stream(path, first, length)
        # The first block is read before the answer begins, so that an error still becomes a page.
        response = StreamingHttpResponse(chain([next(blocks, b"")], blocks))
    if span:
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{first + length - 1}/{info.size}"
    name = path.rpartition("/")[2]
    response["Content-Type"] = "application/octet-stream"
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return response


def _span(wanted: str, size: int) -> tuple[int, int] | None:
    """First byte and length of a single range; None for no range, one we cannot read, or several."""
    kind, _parameters = parse_header_parameters(wanted)
    unit, _separator, text = kind.partition("=")
    first, dash, last = text.partition("-")
    if unit.strip() != "bytes" or not dash or "," in text:
        return None
    if not first.strip():
        count = _number(last, 0)
        return (max(0, size - count), min(count, size)) if count and size else None
    start, end = _number(first, -1), _number(last, size - 1) if last.strip() else size - 1
    if not 0 <= start < size or end < start:
        return None
    return start, min(end, size - 1) - start + 1


def _number(text: str | None, default: int) -> int:
    cleaned = (text or "").strip()
    return int(cleaned) if cleaned.isascii() and cleaned.isdecimal() and len(cleaned) < 16 else default


class FileDeleteView(_FilesView):
    """Delete a file or a directory."""

    permission = Permission.OPERATE
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        return self._ask(pool, node, clean_path(request.GET.get("path", "")))

    def post(self, request: Any, pool: str, node: str, **_: Any) -> HttpResponse:
        path = clean_path(request.GET.get("path", ""))
        info = self.files(pool, node).info(path)
        try:
            if request.POST.get("confirm", "").strip() != path.rpartition("/")[2]:
                raise Invalid("node-confirm-mismatch", field="confirm", name=path.rpartition("/")[2])
            node_file_delete(
                actor=self.actor,
                account=self.account,
                pool_id=pool,
                node_id=node,
                path=path,
                recursive=info.is_directory,
            )
        except PortalError as error:
            return self._ask(pool, node, path, error)
        messages.success(request, gettext("%(path)s is deleted.") % {"path": path})
        return go_to(request, self.address("files", pool=pool, node=node))

    def _ask(self, pool: str, node: str, path: str, error: PortalError | None = None) -> HttpResponse:
        info = self.files(pool, node).info(path)
        form = SelectionForm({})
        form.is_valid()
        at_name = error is not None and error.field == "confirm"
        if error is not None and not at_name:
            show_error(form, error)
        text = (
            gettext("The directory and everything in it are deleted from the node.")
            if info.is_directory
            else gettext("The file is deleted from the node.")
        )
        context = {
            "title": gettext("Delete %(name)s") % {"name": path.rpartition("/")[2]},
            "text": text,
            "items": [path],
            "form": form,
            "confirm_name": path.rpartition("/")[2],
            "confirm_error": error.message if error is not None and at_name else "",
            "typed": self.request.POST.get("confirm", ""),
            "submit_label": gettext("Delete"),
            "tone": "danger",
            "action_url": self.url("file-delete", path=path),
            "cancel_url": self.address("files", pool=pool, node=node),
        }
        return self.page("nodes/act.html", context, error.status if error and not wants_fragment(self.request) else 200)
