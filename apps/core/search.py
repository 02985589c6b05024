"""Search over all that a person may see, from what the portal knows already: it never waits for Azure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import BatchAccount
from apps.accounts.reading import peek
from apps.accounts.selectors import account_list, account_search
from apps.applications.models import ApplicationOwner, PackageRecord
from apps.core.views import PortalView
from apps.nodes.models import NodeSnapshot
from apps.nodes.states import state_label
from apps.operations.selectors import OperationFilter, operation_list
from apps.people.actors import Actor
from apps.people.roles import Permission
from apps.pools.models import PoolSnapshot

# The list under the search field, and the page with all of it
SHORT, LONG = 5, 50
LONGEST_QUERY = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found."""

    title: str
    detail: str
    url: str
    icon: str


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind; `more` tells that there is more than is shown."""

    label: str
    hits: list[Hit]
    more: bool = False


def search(*, actor: Actor, words: str, limit: int) -> list[Group]:
    """All that contains every word: accounts, applications, packages, pools, nodes, operations; `limit` of each."""
    words = words.strip()[:LONGEST_QUERY]
    if not words:
        return []
    found = [
        (_("Batch accounts"), _accounts(actor, words)),
        (_("Applications"), _applications(actor, words)),
        (_("Packages"), _packages(actor, words, limit + 1)),
        (_("Pools"), _pools(actor, words, limit + 1)),
        (_("Nodes"), _nodes(actor, words, limit + 1)),
        (_("Operations"), _operations(actor, words, limit + 1)),
    ]
    groups = []
    for label, hits in found:
        shown = [hit for _number, hit in zip(range(limit + 1), hits, strict=False)]
        if shown:
            groups.append(Group(label, shown[:limit], more=len(shown) > limit))
    return groups


def _accounts(actor: Actor, words: str) -> Iterator[Hit]:
    for account in account_search(actor=actor, words=words):
        url = reverse("accounts:overview", kwargs={"account": account.slug})
        yield Hit(str(account), account.location, url, icon="stack-2")


def _applications(actor: Actor, words: str) -> Iterator[Hit]:
    """Applications of the last answers of Azure, and those that the portal keeps something about."""
    accounts = {account.pk: account for account in account_list(actor=actor)}
    wanted = words.lower().split()
    kept = ApplicationOwner.objects.filter(account__in=accounts).values_list("account_id", "application_id")
    for account in accounts.values():
        names = {name.lower(): (name, "") for pk, name in kept if pk == account.pk}
        for one in peek(account, "applications-managed").value or peek(account, "applications-active").value or ():
            names[one.id.lower()] = (one.id, one.display_name)
        for _key, (name, display) in sorted(names.items()):
            text = f"{name} {display}".lower()
            if all(word in text for word in wanted):
                yield _application(account, name, display)


def _application(account: BatchAccount, name: str, display: str) -> Hit:
    url = reverse("applications:detail", kwargs={"account": account.slug, "application": name})
    return Hit(name, f"{display} · {account}" if display else str(account), url, icon="package")


def _packages(actor: Actor, words: str, limit: int) -> Iterator[Hit]:
    # A lone application name is answered by the application itself, not by each of its versions.
    parts = words.lower().split()
    every = reduce(and_, (Q(application_key__contains=part) | Q(version_key__contains=part) for part in parts))
    some = reduce(and_, (Q(application_key__contains=part) for part in parts))
    rows = PackageRecord.objects.filter(every, account__in=account_list(actor=actor)).exclude(some)
    for row in rows.select_related("account").order_by("application_key", "-uploaded_at")[:limit]:
        keys = {"account": row.account.slug, "application": row.application_id, "version": row.version}
        url = reverse("applications:package", kwargs=keys)
        yield Hit(f"{row.application_id} {row.version}", str(row.account), url, icon="file-zip")


def _pools(actor: Actor, words: str, limit: int) -> Iterator[Hit]:
    every = reduce(and_, (Q(pool_id__icontains=part) | Q(display_name__icontains=part) for part in words.split()))
    rows = PoolSnapshot.objects.filter(every, account__in=account_list(actor=actor)).select_related("account")
    for row in rows.order_by("pool_id")[:limit]:
        url = reverse("pools:detail", kwargs={"account": row.account.slug, "pool": row.pool_id})
        detail = f"{row.display_name} · {row.account}" if row.display_name else str(row.account)
        yield Hit(row.pool_id, detail, url, icon="server-2")


def _nodes(actor: Actor, words: str, limit: int) -> Iterator[Hit]:
    # By what stands in logs and on other tools' pages: the ID, whole or in part, or the private address.
    every = reduce(and_, (Q(node_id__icontains=part) | Q(ip_address=part) for part in words.split()))
    rows = NodeSnapshot.objects.filter(every, pool__account__in=account_list(actor=actor))
    for row in rows.select_related("pool__account").order_by("node_id")[:limit]:
        keys = {"account": row.pool.account.slug, "pool": row.pool.pool_id, "node": row.node_id}
        detail = f"{state_label(row.state)} · {row.pool.pool_id} · {row.pool.account}"
        yield Hit(row.node_id, detail, reverse("nodes:detail", kwargs=keys), icon="cpu")


def _operations(actor: Actor, words: str, limit: int) -> Iterator[Hit]:
    for row in operation_list(actor=actor, narrowed=OperationFilter(search=words))[:limit]:
        detail = f"{row.get_status_display()} · {row.account}"
        yield Hit(str(row), detail, reverse("operations:detail", kwargs={"operation": row.pk}), icon="activity")


class SearchView(PortalView):
    """The page with all results, and the list under the search field."""

    permission = Permission.SIGNED_IN
    http_method_names = ["get", "head", "options"]

    def get(self, request: Any) -> HttpResponse:
        words = request.GET.get("q", "").strip()[:LONGEST_QUERY]
        fragment = bool(request.htmx) and not request.htmx.boosted
        groups = search(actor=self.actor, words=words, limit=SHORT if fragment else LONG)
        context = {"words": words, "groups": groups}
        return self.page_or_fragment("core/search.html", "core/_search_results.html", context)
