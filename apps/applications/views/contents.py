from __future__ import annotations

import re
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase

from apps.applications.contents import Node, PackageContents, entry_open, package_contents
from apps.applications.downloads import file_response, package_response
from apps.applications.views.shared import AccountView
from apps.core.exceptions import NotVisible, PortalError
from apps.core.http import wants_fragment
from apps.people.roles import Permission

LEVEL_SIZE = 200
SEARCH_SIZE = 200


class PackageContentsView(AccountView):
    """The tree of a package, one level at a time, and the search in it.

    `?path=` names the folder, `?etag=` the state of the package that the page shows, `?page=` the part of a long
    folder, `?q=` words to search for.
    """

    permission = Permission.VIEW_APPLICATIONS
    http_method_names = ["get", "head"]

    def get(self, request: Any, application: str, version: str, **_: Any) -> HttpResponse:
        self.names = {"application": application, "version": version}
        found = package_contents(
            actor=self.actor,
            account=self.account,
            application_id=application,
            version=version,
            etag=request.GET.get("etag", ""),
        )
        if "path" in request.GET:
            return self._level(found, request.GET["path"])
        return self._panel(found, request.GET.get("q", "").strip()[:200])

    def refused(self, error: PortalError) -> HttpResponse:
        """In the page the reason stands where the contents would; a fragment with an error status is not shown."""
        if not wants_fragment(self.request) or not hasattr(self, "names"):
            return super().refused(error)
        context = {"error": error, "again_url": self.request.path}
        return self.page("applications/_contents_refused.html", context)

    def _panel(self, found: PackageContents, words: str) -> HttpResponse:
        context: dict[str, Any] = {
            **self.names,
            "contents": found.contents,
            "size": found.size,
            "words": words,
            "contents_url": f"{self.address('package-contents', **self.names)}?{urlencode({'etag': found.etag})}",
            "etag": found.etag,
        }
        if words:
            nodes, total = found.contents.search(words, SEARCH_SIZE)
            context |= {"nodes": [self._hit(found, node, words) for node in nodes], "total": total}
        else:
            context |= self._nodes(found, "")
        return self.page_or_fragment("applications/contents.html", "applications/_contents.html", context)

    def _level(self, found: PackageContents, path: str) -> HttpResponse:
        if path and not path.endswith("/"):
            raise NotVisible("package-entry-gone")
        return self.page("components/tree_nodes.html", self._nodes(found, path))

    def _nodes(self, found: PackageContents, path: str) -> dict[str, Any]:
        pages = Paginator(found.contents.children(path), LEVEL_SIZE)
        page = pages.get_page(self.request.GET.get("page"))
        more = self._level_url(found, path, page.next_page_number()) if page.has_next() else ""
        return {"nodes": [self._node(found, node) for node in page.object_list], "more_url": more}

    def _node(self, found: PackageContents, node: Node) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "name": printable(node.name),
            "is_dir": node.is_dir,
            "size": node.size,
            "count": node.files,
        }
        if node.is_dir:
            return shown | {"children_url": self._level_url(found, node.path)}
        query = urlencode({"etag": found.etag, "entry": node.number})
        return shown | {"href": f"{self.address('package-file', **self.names)}?{query}"}

    def _hit(self, found: PackageContents, node: Node, words: str) -> dict[str, Any]:
        return self._node(found, node) | {"mark": marked(printable(node.path), words)}

    def _level_url(self, found: PackageContents, path: str, page: int = 1) -> str:
        query: dict[str, Any] = {"etag": found.etag, "path": path}
        if page > 1:
            query["page"] = page
        return f"{self.address('package-contents', **self.names)}?{urlencode(query)}"


class PackageFileView(AccountView):
    """One file of a package, inflated while it passes through."""

    permission = Permission.VIEW_APPLICATIONS
    http_method_names = ["get", "head"]

    def get(self, request: Any, application: str, version: str, **_: Any) -> HttpResponseBase:
        number = request.GET.get("entry", "")
        if not re.fullmatch(r"[0-9]{1,9}", number):
            raise NotVisible("package-entry-gone")
        found = entry_open(
            actor=self.actor,
            account=self.account,
            application_id=application,
            version=version,
            etag=request.GET.get("etag", ""),
            number=int(number),
        )
        if request.method == "HEAD":
            return file_response(found.entry.name, found.entry.size, iter(()))
        # The first block is read before the answer begins, so that an error still becomes a page.
        first = next(found.blocks, b"")
        return file_response(found.entry.name, found.entry.size, chain([first], found.blocks))


class PackageDownloadView(AccountView):
    """The zip, through the portal: the signature of blob storage stays here. Ranges work, so a download can resume."""

    permission = Permission.VIEW_APPLICATIONS
    http_method_names = ["get", "head"]

    def get(self, request: Any, application: str, version: str, **_: Any) -> HttpResponseBase:
        return package_response(
            request, actor=self.actor, account=self.account, application_id=application, version=version
        )


def printable(name: str) -> str:
    """A path as it can be read: control characters, and those that change the direction of text, as escapes."""
    if name.isprintable():
        return name
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in name)


def marked(path: str, words: str) -> list[tuple[str, bool]]:
    """The path in parts, each with whether it is a hit of the search."""
    pattern = "|".join(re.escape(word) for word in sorted(words.split(), key=len, reverse=True))
    parts = re.split(f"({pattern})", path, flags=re.IGNORECASE)
    return [(part, bool(number % 2)) for number, part in enumerate(parts) if part]
