from __future__ import annotations

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from django.utils.translation import gettext, ngettext
from django.views.decorators.debug import sensitive_post_parameters

from apps.core.csv_export import csv_response
from apps.core.exceptions import Invalid, NotVisible, PortalError
from apps.core.http import go_to
from apps.nodes.forms import SelectionForm, UserForm, day_ahead
from apps.nodes.listing import selected
from apps.nodes.logins import Login, logins, rdp_file, ssh_config
from apps.nodes.models import PoolUser, Progress
from apps.nodes.rules import password_generate
from apps.nodes.selectors import pool_user_get, pool_user_list, user_operation
from apps.nodes.services.users import WantedUser, pool_user_add, pool_user_remove
from apps.nodes.views.acting import reason
from apps.nodes.views.shared import NodesView, short_id, show_error
from apps.operations.models import Operation
from apps.operations.presentation import shown
from apps.operations.selectors import may_control, operation_can_retry
from apps.people.roles import Permission
from apps.people.services.people import ssh_key_keep
from apps.pools.models import PoolSnapshot
from apps.pools.polling import watch
from apps.pools.selectors import pool_list, pool_snapshot

PAGE_SIZE = 100


class UserAddView(NodesView):
    """Add a user to nodes of one pool: those chosen, or all of it (`?pool=`).

    The answer to the form shows the password, once; nothing of it is kept for a second look.
    """

    permission = Permission.OPERATE
    http_method_names = ["get", "head", "post"]

    @method_decorator(sensitive_post_parameters("password"))
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: Any, **_: Any) -> HttpResponse:
        if not request.GET.get("pool") and not request.GET.getlist("node"):
            return self._choose_pool()
        pool, node_ids = self._targets()
        return self._form(pool, node_ids, self._unbound(pool))

    def post(self, request: Any, **_: Any) -> HttpResponse:
        pool, node_ids = self._targets()
        if "token" not in request.POST:
            return self._form(pool, node_ids, self._unbound(pool))
        form = UserForm(request.POST, request.FILES, **self._traits(pool))
        if not form.is_valid():
            return self._form(pool, node_ids, form, 422)
        wanted = _wanted(form, node_ids, windows=pool.is_windows)
        if (begun := self._begun(pool, wanted, form.cleaned_data["token"])) is not None:
            return go_to(request, begun)
        try:
            operation = pool_user_add(actor=self.actor, account=self.account, pool_id=pool.pool_id, wanted=wanted)
        except PortalError as error:
            show_error(form, error)
            return self._form(pool, node_ids, form, error.status)
        self._note(form, operation)
        if form.cleaned_data.get("keep_key") and wanted.ssh_public_key:
            ssh_key_keep(actor=self.actor, ssh_public_key=wanted.ssh_public_key)
        if not wanted.password:
            return go_to(request, operation.subject_url)
        user = pool_user_get(actor=self.actor, account=self.account, pool_id=pool.pool_id, name=wanted.name)
        answer = self.page("nodes/user.html", {**user_context(self, user), "password": wanted.password})
        answer["Cache-Control"] = "no-store"
        return answer

    def _choose_pool(self) -> HttpResponse:
        pools = pool_list(actor=self.actor, account=self.account).order_by("pool_id")
        return self.page("nodes/user_pool.html", {"pools": pools})

    def _targets(self) -> tuple[PoolSnapshot, list[str] | None]:
        """The pool and the chosen nodes, None for all of it. Raises `Invalid` for nodes of several pools."""
        data = self.request.POST if self.request.method == "POST" else self.request.GET
        if not data.getlist("node") and not data.get("all"):
            if not data.get("pool"):
                raise Invalid("nodes-none")
            pool = pool_snapshot(actor=self.actor, account=self.account, pool_id=data["pool"].replace("\0", ""))
            return pool, None
        rows = selected(actor=self.actor, account=self.account, data=data)
        pools = list(rows.order_by().values_list("pool__pool_id", flat=True).distinct()[:2])
        if len(pools) > 1:
            raise Invalid("node-user-one-pool")
        pool = pool_snapshot(actor=self.actor, account=self.account, pool_id=pools[0])
        return pool, list(rows.values_list("node_id", flat=True))

    def _traits(self, pool: PoolSnapshot) -> dict[str, Any]:
        return {"windows": pool.is_windows, "own_key": self._own_key()}

    def _own_key(self) -> str:
        return self.actor.user.ssh_public_key if self.actor.user else ""

    def _unbound(self, pool: PoolSnapshot) -> UserForm:
        initial = {
            **SelectionForm.chosen(self.request),
            "ssh_public_key": self._own_key(),
            "expires_at": day_ahead(),
            "token": uuid.uuid4(),
        }
        return UserForm(initial=initial, **self._traits(pool))

    def _form(self, pool: PoolSnapshot, node_ids: list[str] | None, form: UserForm, status: int = 200) -> HttpResponse:
        count = pool.nodes.count() if node_ids is None else len(node_ids)
        where = ngettext("%(count)s node of %(pool)s", "%(count)s nodes of %(pool)s", count)
        context = {
            "pool": pool,
            "form": form,
            "count": count,
            "whole": node_ids is None,
            "where": where % {"count": count, "pool": pool.pool_id},
            "generate_url": self.address("password"),
            "is_windows": pool.is_windows,
        }
        answer = self.page("nodes/user_add.html", context, status)
        answer["Cache-Control"] = "no-store"
        return answer

    def _begun(self, pool: PoolSnapshot, wanted: WantedUser, token: uuid.UUID) -> str | None:
        """Where the work of this very form is shown, when the form was sent before (a double click, a reload)."""
        operation = Operation.objects.filter(
            account=self.account, kind="node-user-add", parameters__token=str(token)
        ).first()
        return operation.subject_url if operation else None

    def _note(self, form: UserForm, operation: Operation) -> None:
        operation.parameters = {**operation.parameters, "token": str(form.cleaned_data["token"])}
        operation.save(update_fields=["parameters"])


def _wanted(form: UserForm, node_ids: list[str] | None, *, windows: bool) -> WantedUser:
    by_key = form.by_key and not windows
    return WantedUser(
        name=form.cleaned_data["name"],
        password="" if by_key else form.cleaned_data["password"] or password_generate(),
        ssh_public_key=form.public_key if by_key else "",
        is_admin=form.cleaned_data["is_admin"],
        expires_at=form.cleaned_data["expires_at"],
        node_ids=node_ids,
        follows=bool(form.cleaned_data.get("follows")) and by_key,
    )


class PasswordView(NodesView):
    """A password made on demand. It is kept nowhere."""

    permission = Permission.OPERATE
    http_method_names = ["post"]

    def post(self, _request: Any, **_: Any) -> HttpResponse:
        return HttpResponse(password_generate(), content_type="text/plain", headers={"Cache-Control": "no-store"})


class UserListView(NodesView):
    """Users that the portal added, until they expire."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, **_: Any) -> HttpResponse:
        users = pool_user_list(actor=self.actor, account=self.account, pool_id=request.GET.get("pool", ""))
        if words := request.GET.get("q", "").strip():
            users = users.filter(name__icontains=words)
        pools = pool_user_list(actor=self.actor, account=self.account).values_list("pool_id", flat=True).distinct()
        context = {
            "page": Paginator(users, PAGE_SIZE).get_page(request.GET.get("page")),
            "filters": [{"name": "pool", "label": gettext("Pool"), "choices": [(pool, pool) for pool in pools]}],
            "may_act": self.actor.may(Permission.OPERATE, self.account),
        }
        return self.page("nodes/users.html", context)


class UserView(NodesView):
    """A user on nodes: how to log in to each, and how it is with those that wait or failed."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, _request: Any, pool: str, name: str, **_: Any) -> HttpResponse:
        watch(self.account)
        user = pool_user_get(actor=self.actor, account=self.account, pool_id=pool, name=name)
        return self.page_or_fragment("nodes/user.html", "nodes/_user.html", user_context(self, user))


def user_context(view: NodesView, user: PoolUser) -> dict[str, Any]:
    """What `nodes/_user.html` shows."""
    found = logins(user)
    operation = user_operation(user)
    page = Paginator(found, PAGE_SIZE).get_page(view.request.GET.get("page"))
    context: dict[str, Any] = {
        "pool_user": user,
        "page": page,
        "rows": [{"login": login, "short": short_id(login.node_id)} for login in page.object_list],
        "commands": "\n".join(login.command for login in found if login.command),
        "reached": sum(1 for login in found if login.address),
        "total": len(found),
        "without": found[0].reason if found and not any(login.address for login in found) else "",
        "may_act": view.actor.may(Permission.OPERATE, view.account),
        "poll_url": "",
        "is_windows": PoolSnapshot.objects.filter(
            account=view.account, pool_id=user.pool_id, node_agent_sku_id__icontains="windows"
        ).exists(),
    }
    if operation is not None:
        unfinished = operation.nodes.filter(progress__in=[Progress.WAITING, Progress.FAILED])
        context |= {
            "operation": operation,
            "shown": shown(operation),
            "left": [
                {"row": row, "short": short_id(row.node_id), "reason": reason(row)} for row in unfinished[:PAGE_SIZE]
            ],
            "left_count": unfinished.count(),
            "can_retry": operation_can_retry(operation) and may_control(view.actor, operation),
            "poll_url": view.address("user", pool=user.pool_id, name=user.name) if operation.is_active else "",
        }
    return context


class _LoginsView(NodesView):
    abstract = True
    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def user(self, pool: str, name: str) -> PoolUser:
        return pool_user_get(actor=self.actor, account=self.account, pool_id=pool, name=name)


class UserCsvView(_LoginsView):
    """The table as CSV."""

    permission = Permission.VIEW_ACCOUNT

    def get(self, _request: Any, pool: str, name: str, **_: Any) -> HttpResponseBase:
        user = self.user(pool, name)
        heads = [gettext("Node ID"), gettext("State"), gettext("Address"), gettext("Port"), gettext("Command")]
        rows = ([one.node_id, one.state, one.address, one.port or None, one.command] for one in logins(user))
        return csv_response(f"{user.pool_id}-{user.name}", heads, rows)


class UserSshConfigView(_LoginsView):
    """A configuration file for the OpenSSH client."""

    permission = Permission.VIEW_ACCOUNT

    def get(self, _request: Any, pool: str, name: str, **_: Any) -> HttpResponseBase:
        user = self.user(pool, name)
        lines = ssh_config(user, logins(user))
        return _download(StreamingHttpResponse(lines, content_type="text/plain; charset=utf-8"), f"{pool}.sshconfig")


class UserRdpView(_LoginsView):
    """A file for Remote Desktop."""

    permission = Permission.VIEW_ACCOUNT

    def get(self, _request: Any, pool: str, name: str, node: str, **_: Any) -> HttpResponseBase:
        user = self.user(pool, name)
        login: Login | None = next((one for one in logins(user) if one.node_id == node and one.address), None)
        if login is None:
            raise NotVisible("node-unknown", pool=pool, node=node)
        return _download(HttpResponse(rdp_file(user, login), content_type="application/x-rdp"), f"{node}.rdp")


def _download(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return response


class UserRemoveView(NodesView):
    """Remove a user from every node that has it."""

    permission = Permission.OPERATE
    http_method_names = ["get", "head", "post"]

    def get(self, _request: Any, pool: str, name: str, **_: Any) -> HttpResponse:
        return self._ask(pool, name)

    def post(self, _request: Any, pool: str, name: str, **_: Any) -> HttpResponse:
        try:
            operation = pool_user_remove(actor=self.actor, account=self.account, pool_id=pool, name=name)
        except PortalError as error:
            if isinstance(error, NotVisible):
                raise
            return self._ask(pool, name, error)
        return self.to_operation(operation)

    def _ask(self, pool: str, name: str, error: PortalError | None = None) -> HttpResponse:
        user = pool_user_get(actor=self.actor, account=self.account, pool_id=pool, name=name)
        form = SelectionForm({})
        form.is_valid()
        if error is not None:
            show_error(form, error)
        count = user.nodes.count()
        text = ngettext(
            "The user and its home directory leave %(count)s node.",
            "The user and its home directory leave %(count)s nodes.",
            count,
        )
        context = {
            "title": gettext("Remove %(name)s from %(pool)s") % {"name": user.name, "pool": user.pool_id},
            "text": text % {"count": count},
            "form": form,
            "submit_label": gettext("Remove user"),
            "tone": "danger",
            "action_url": self.address("user-remove", pool=user.pool_id, name=user.name),
            "cancel_url": self.address("user", pool=user.pool_id, name=user.name),
        }
        return self.page("nodes/act.html", context, error.status if error else 200)
