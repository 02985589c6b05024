"""The storage account that keeps the account's packages."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.selectors import (
    account_properties,
    account_properties_known,
    package_bytes,
    same_region,
    storage_accounts,
)
from apps.accounts.services.storage import SUBJECT_KEY, storage_link, storage_sync_keys, storage_unlink
from apps.accounts.views.shared import address, again_query, asks_again, form_status
from apps.applications.listing import application_list
from apps.applications.records import sizes_of_account
from apps.core.exceptions import PortalError
from apps.core.http import go_to
from apps.core.messages import message_for
from apps.core.views import PortalView
from apps.operations.models import ACTIVE, Operation
from apps.operations.presentation import shown
from apps.operations.selectors import operation_list
from apps.people.roles import Permission

_SHOWN_NAMES = 20


class StorageBase(PortalView):
    abstract = True

    @property
    def may_manage(self) -> bool:
        return self.actor.may(Permission.MANAGE_ACCOUNT, self.account)

    def to_operation(self, operation: Operation) -> HttpResponse:
        return go_to(self.request, reverse("operations:detail", kwargs={"operation": operation.pk}))

    def dependent(self) -> list[str]:
        """Names of the applications whose packages lie in the linked storage account; none where nobody can tell."""
        try:
            rows = application_list(actor=self.actor, account=self.account).rows
        except PortalError:
            return []
        names = sorted((row.id for row in rows if row.versions is None or row.versions), key=str.lower)
        more = len(names) - _SHOWN_NAMES
        return [*names[:_SHOWN_NAMES], _("and %(count)d more") % {"count": more}] if more > 0 else names


class StorageView(StorageBase):
    """What is linked, what runs on it, and what packages cost; candidates come as a fragment."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, account: str) -> HttpResponse:
        running = operation_list(actor=self.actor).filter(
            account=self.account, subject_key=SUBJECT_KEY, status__in=ACTIVE
        )
        context = {
            "properties": account_properties_known(actor=self.actor, account=self.account),
            "running": [shown(one) for one in running],
            "may_manage": self.may_manage,
            "again": again_query(request),
        }
        return self.page("accounts/storage.html", context)


class StorageLinkedView(StorageBase):
    """Fragment: the linked storage account as Azure knows it now."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, account: str) -> HttpResponse:
        properties = account_properties(actor=self.actor, account=self.account, again=asks_again(request))
        context = {"properties": properties, "may_manage": self.may_manage, "asked": True}
        return self.page("accounts/_storage_linked.html", context)


class StorageBytesView(StorageBase):
    """Fragment: what packages occupy, counted at the storage account, else from our own records."""

    permission = Permission.VIEW_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, account: str) -> HttpResponse:
        properties = account_properties(actor=self.actor, account=self.account)
        linked = properties.value.auto_storage if properties.value else None
        context: dict[str, Any] = {"linked": linked}
        if linked is not None:
            context["reading"] = package_bytes(
                actor=self.actor, account=self.account, storage_account_id=linked.storage_account_id
            )
            recorded = sizes_of_account(account=self.account).values()
            context |= {"recorded": len(recorded), "recorded_size": sum(recorded)}
        return self.page("accounts/_storage_bytes.html", context)


class StorageCandidatesView(StorageBase):
    """Fragment: the subscription's storage accounts, same region first."""

    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["get", "head"]

    def get(self, request: Any, account: str) -> HttpResponse:
        reading = storage_accounts(actor=self.actor, account=self.account, again=asks_again(request))
        properties = account_properties(actor=self.actor, account=self.account)
        linked = properties.value.auto_storage if properties.value else None
        linked_id = linked.storage_account_id.lower() if linked else ""
        rows = [
            {
                "storage": one,
                "near": same_region(self.account, one),
                "linked": one.id.lower() == linked_id,
                "reason": message_for(one.unfit, {}) if one.unfit else "",
            }
            for one in reading.value or ()
        ]
        link_url = address(self.account, "storage-link")
        context = {"reading": reading, "rows": rows, "link_url": link_url, "any_linked": bool(linked_id)}
        return self.page("accounts/_storage_candidates.html", context)


class StorageLinkView(StorageBase):
    """Asks before linking or changing, naming what stops working; then starts the operation."""

    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, account: str) -> HttpResponse:
        return self._ask(request.GET.get("id", "")[:400])

    def post(self, request: Any, account: str) -> HttpResponse:
        wanted = request.POST.get("storage_account_id", "")[:400]
        try:
            operation = storage_link(actor=self.actor, account=self.account, storage_account_id=wanted)
        except PortalError as error:
            return self._ask(wanted, error)
        return self.to_operation(operation)

    def _ask(self, wanted: str, error: PortalError | None = None) -> HttpResponse:
        properties = account_properties(actor=self.actor, account=self.account)
        linked = properties.value.auto_storage if properties.value else None
        context = {
            "wanted": wanted,
            "wanted_name": wanted.rsplit("/", 1)[-1],
            "linked": linked,
            "items": self.dependent() if linked else [],
            "error": error,
        }
        return self.page("accounts/storage_link.html", context, form_status(error) if error else 200)


class StorageUnlinkView(StorageBase):
    """Asks before unlinking, naming the applications that stop working; then starts the operation."""

    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, account: str) -> HttpResponse:
        return self._ask()

    def post(self, request: Any, account: str) -> HttpResponse:
        typed = request.POST.get("confirm", "").strip()
        linked = self._linked_name()
        if typed != linked:
            return self._ask(typed=typed, confirm_error=_("Type the name of the storage account: %s") % linked)
        try:
            operation = storage_unlink(actor=self.actor, account=self.account)
        except PortalError as error:
            return self._ask(error, typed)
        return self.to_operation(operation)

    def _linked_name(self) -> str:
        properties = account_properties(actor=self.actor, account=self.account)
        linked = properties.value.auto_storage if properties.value else None
        return linked.name if linked else ""

    def _ask(self, error: PortalError | None = None, typed: str = "", confirm_error: str = "") -> HttpResponse:
        context = {
            "linked_name": self._linked_name(),
            "items": self.dependent(),
            "typed": typed,
            "confirm_error": confirm_error,
            "error": error,
        }
        status = form_status(error) if error else 422 if confirm_error else 200
        return self.page("accounts/storage_unlink.html", context, status)


class StorageSyncView(StorageBase):
    """Starts synchronising keys; nothing stops working meanwhile, so nothing is asked."""

    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["post"]

    def post(self, request: Any, account: str) -> HttpResponse:
        return self.to_operation(storage_sync_keys(actor=self.actor, account=self.account))
