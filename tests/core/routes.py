"""The live URL configuration as the tests walk it, with what each route needs that its view does not state.

A new route needs no entry here unless it takes an argument that no other takes, checks more than its view states, or
comes from a library. The tests name what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.views import View

from apps.core.api import PortalApi
from apps.core.routes import PUBLIC_ROUTES
from apps.core.views import PortalView
from apps.people.roles import Permission
from tests.core.world import World

# The value of each URL argument.
ARGUMENTS: dict[str, Callable[[World], Any]] = {
    "account": lambda world: world.cast.account.slug,
    "application": lambda world: world.application,
    "version": lambda world: world.version,
    "pool": lambda world: world.pool,
    "operation": lambda world: world.operation.pk,
    "upload": lambda world: world.upload.pk,
    "person": lambda world: world.cast.reader.pk,
    "team": lambda world: world.cast.team.slug,
    "grant": lambda world: world.cast.reader.grants.get().pk,
    "token": lambda world: world.team_token.pk,
    "node": lambda world: world.node,
    "name": lambda world: world.pool_user,
    "action": lambda _world: "reboot",
    "uidb36": lambda _world: "zz",
    "key": lambda _world: "never-made",
    "path": lambda _world: "v1/no-such-route",
    # Where two routes mean different things by one name
    "nodes:work.operation": lambda world: world.node_operation.pk,
    "nodes:work-csv.operation": lambda world: world.node_operation.pk,
    "api-operation-nodes.operation": lambda world: world.node_operation.pk,
    "accounts:key-reveal.key": lambda _world: "primary",
    "accounts:key-regenerate.key": lambda _world: "primary",
}

# What a route needs to be asked at all.
QUERIES = {
    "applications:package-file": "?entry=0",
    "nodes:file": "?path=startup/stdout.txt",
    "nodes:file-piece": "?path=startup/stdout.txt",
    "nodes:file-download": "?path=startup/stdout.txt",
    "nodes:file-delete": "?path=startup/stdout.txt",
    "api-node-file-content": "?path=startup/stdout.txt",
}
HEADERS = {
    "api-upload": {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"},
    "api-uploads": {"Tus-Resumable": "1.0.0"},
}

# Routes without an account in their address whose view looks at the account of the thing they are about.
DEEPER: dict[str, Permission | dict[str, Permission]] = {
    "operations:detail": Permission.VIEW_ACCOUNT,
    "operations:cancel": Permission.VIEW_ACCOUNT,
    "operations:retry": Permission.VIEW_ACCOUNT,
    "api-operation": Permission.VIEW_ACCOUNT,
    "api-operation-cancel": Permission.VIEW_ACCOUNT,
    "api-operation-retry": Permission.VIEW_ACCOUNT,
    "api-upload": Permission.VIEW_ACCOUNT,
}

# Routes that, besides the role, ask for the team that owns the application (administrators need none): of those with
# the role the operator is refused, who is in no team.
OF_THE_TEAM = {
    "applications:detail POST",
    "applications:delete",
    "applications:package-add",
    "applications:package-update",
    "applications:package-delete",
    "applications:package-activate",
    "operations:cancel",
    "operations:retry",
    "api-application DELETE",
    "api-package DELETE",
    "api-package-activate",
    "api-operation-cancel",
    "api-operation-retry",
    "api-upload HEAD",
    "api-upload PATCH",
    "api-upload DELETE",
}
TEAM = {"uploader", "admin", "portal_admin"}

# Things that only some of the cast see, whatever their role; everybody else gets 404.
OWNERS: dict[str, set[str]] = {
    # The token belongs to the uploader's team.
    "people:token-revoke": {"uploader", "portal_admin"},
}

# Views of libraries that are not public: what a signed-in visitor may get from them.
LIBRARY: dict[str, set[int]] = {
    "account_change_password": {200, 302},
    "account_reauthenticate": {200, 302},
    "api-schema": {200},
    "mfa_index": {200},
    "mfa_reauthenticate": {200, 302},
    "mfa_activate_totp": {200, 302},
    "mfa_deactivate_totp": {302, 404},
    "mfa_view_recovery_codes": {404},
    "mfa_generate_recovery_codes": {200, 302},
    "mfa_download_recovery_codes": {404},
}

# What a permitted visitor may also get, besides success or an error about the (empty) input.
ALSO: dict[str, set[int]] = {
    "api-not-found": {404},
    "account_reset_password": {409},
    # The operator belongs to no team that could own the application.
    "applications:new": {422},
    # The world's node has no such file, and it is not named in the address.
    "nodes:act": {422},
    "nodes:file": {404},
    "nodes:file-piece": {404},
    "nodes:file-download": {404},
    "nodes:file-delete": {404},
    "api-node-files": {404},
    "api-node-file-content": {404},
    # Asked without the ETag of the package whose contents were shown.
    "applications:package-file": {409},
}

# Pages that many may read and some may change; every other form is for those alone who may send it.
MORE_THAN_A_FORM = {"applications:detail", "pools:metadata", "pools:packages", "pools:scale", "pools:start-task"}

# Tables that a GET may write, and why.
WRITES_OF_GET: dict[str, set[str]] = {
    # Where to return to after proving the password again, and the secret that the code on the page belongs to.
    "mfa_activate_totp": {"django_session"},
    "mfa_deactivate_totp": {"django_session"},
    "mfa_generate_recovery_codes": {"django_session"},
}


@dataclass(frozen=True)
class Route:
    """One address. `name` carries its namespace."""

    name: str
    pattern: str
    callback: Any
    arguments: tuple[str, ...]

    @property
    def view(self) -> type[Any] | None:
        found: type[Any] | None = getattr(self.callback, "view_class", None) or getattr(self.callback, "cls", None)
        return found

    @property
    def is_api(self) -> bool:
        return self.pattern.startswith("api/") and self.name != "api-docs"

    @property
    def is_public(self) -> bool:
        return self.name in PUBLIC_ROUTES

    @property
    def states_permission(self) -> bool:
        return isinstance(self.view, type) and issubclass(self.view, PortalView | PortalApi)

    @property
    def methods(self) -> list[str]:
        """The methods the view has, by its handlers; of a plain function GET alone."""
        if self.view is None:
            return ["GET"]
        if issubclass(self.view, View):
            return [name.upper() for name in ("get", "post", "put", "patch", "delete", "head") if self._has(name)]
        return ["GET"]

    def _has(self, name: str) -> bool:
        return callable(getattr(self.view, name, None)) and name in self.view.http_method_names  # type: ignore[union-attr]

    def permission(self, method: str) -> Permission:
        """What the method needs: what the view states, or what it looks at deeper down."""
        deeper = DEEPER.get(self.name)
        if isinstance(deeper, dict):
            return deeper[method.lower()]
        stated: Permission = deeper or self.view.permission_for(method)  # type: ignore[union-attr]
        return stated


def walk(patterns: list[Any] | None = None, prefix: str = "", namespace: str = "") -> Iterator[Route]:
    """Every route of the portal."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, path, inner)
        elif isinstance(pattern, URLPattern):
            name = f"{namespace}{pattern.name}" if pattern.name else ""
            yield Route(name, path, pattern.callback, tuple(_arguments(path)))


def _arguments(path: str) -> list[str]:
    """Names of the arguments, of `<str:name>` and of `(?P<name>…)` alike."""
    names = []
    for part in path.split("<")[1:]:
        name = part.partition(">")[0].rpartition(":")[2]
        names.append(name)
    return names
