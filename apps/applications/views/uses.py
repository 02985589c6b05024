"""Which pools use a package, as the portal's picture of the account has them: the service is not asked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, ngettext

from apps.applications.views.shared import AccountView
from apps.pools.selectors import PackageUse, fleet, pools_with_package

MOST_NAMED = 20  # pools on a confirmation


def uses_of(view: AccountView, application: str, version: str = "", *, is_default: bool = False) -> list[PackageUse]:
    """Pools that reference an application, or this version of it; with `is_default` also those that name none."""
    return pools_with_package(
        actor=view.actor, account=view.account, application=application, version=version, is_default=is_default
    )


def uses_context(view: AccountView, uses: list[PackageUse]) -> dict[str, Any]:
    """What `applications/_used_by.html` shows."""
    return {"uses": uses, "fleet": fleet(actor=view.actor, account=view.account)}


def uses_items(uses: list[PackageUse]) -> list[str]:
    """The pools that a confirmation names."""
    items = [_item(use) for use in uses[:MOST_NAMED]]
    if more := len(uses) - len(items):
        items.append(ngettext("and %(more)s pool more", "and %(more)s pools more", more) % {"more": more})
    return items


def _item(use: PackageUse) -> str:
    if use.by_default:
        return gettext("Pool %(pool)s, which references the default version") % {"pool": use.pool.pool_id}
    values = {"pool": use.pool.pool_id, "version": use.version}
    return gettext("Pool %(pool)s, which references %(version)s") % values


def uses_warning(uses: list[PackageUse]) -> str:
    """What becomes of pools whose reference leads nowhere."""
    if not uses:
        return ""
    return gettext(
        "Pools reference it: nodes that join them, and those that are rebooted or reimaged, cannot install it until "
        "the reference is changed."
    )
