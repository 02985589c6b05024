"""The words for what was done. Every `action=` that the code writes stands here; a test compares both."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.formats import size_text

LABELS = {
    "sign-in": _("Signed in"),
    "sign-out": _("Signed out"),
    "sign-in-failed": _("Sign-in failed"),
    "sign-in-locked": _("Sign-in locked"),
    "second-factor-failed": _("Second factor failed"),
    "second-factor-add": _("Added a second factor"),
    "second-factor-remove": _("Removed a second factor"),
    "second-factor-reset": _("Reset a person's second factor"),
    "recovery-codes-renew": _("Made new recovery codes"),
    "password-change": _("Changed the password"),
    "password-reset": _("Set the password by link"),
    "password-link-create": _("Made a password link"),
    "email-change": _("Changed the email address"),
    "sessions-end": _("Signed out everywhere else"),
    "person-create": _("Added a person"),
    "person-update": _("Changed a person"),
    "person-activate": _("Activated a person"),
    "person-deactivate": _("Deactivated a person"),
    "person-unlock": _("Unlocked a person's sign-in"),
    "team-create": _("Added a team"),
    "team-update": _("Changed a team"),
    "team-delete": _("Deleted a team"),
    "team-members-add": _("Added team members"),
    "team-member-remove": _("Removed a team member"),
    "role-give": _("Gave a role"),
    "role-change": _("Changed a role"),
    "role-remove": _("Removed a role"),
    "token-create": _("Made an API token"),
    "token-revoke": _("Revoked an API token"),
    "account-connect": _("Connected a Batch account"),
    "account-update": _("Changed the connection"),
    "account-disconnect": _("Disconnected a Batch account"),
    "account-test": _("Tested the connection"),
    "account-key-reveal": _("Revealed an account key"),
    "account-key-regenerate": _("Regenerated an account key"),
    "storage-link": _("Linked a storage account"),
    "storage-unlink": _("Unlinked the storage account"),
    "storage-sync-keys": _("Synchronised storage keys"),
    "application.create": _("Added an application"),
    "application.update": _("Changed an application"),
    "application.assign": _("Gave an application to a team"),
    "application.delete": _("Deleted an application"),
    "package.upload": _("Uploaded a package"),
    "package.activate": _("Activated a package"),
    "package.delete": _("Deleted a package"),
    "pool-create": _("Made a pool"),
    "pool-resize": _("Resized a pool"),
    "pool-resize-stop": _("Stopped the resize of a pool"),
    "pool-auto-scale": _("Let a pool scale by a formula"),
    "pool-auto-scale-off": _("Turned a pool's automatic scaling off"),
    "pool-start-task": _("Changed a pool's start task"),
    "pool-start-task-remove": _("Took a pool's start task away"),
    "pool-packages": _("Changed a pool's application packages"),
    "pool-metadata": _("Changed a pool's metadata"),
    "pool-delete": _("Deleted a pool"),
    "vm-price": _("Changed the price of a VM size"),
    "node-reboot": _("Rebooted nodes"),
    "node-reimage": _("Reimaged nodes"),
    "node-deallocate": _("Deallocated nodes"),
    "node-start": _("Started nodes"),
    "node-disable-scheduling": _("Disabled scheduling on nodes"),
    "node-enable-scheduling": _("Enabled scheduling on nodes"),
    "node-remove": _("Removed nodes"),
    "node-user-add": _("Added a user to nodes"),
    "node-user-remove": _("Removed a user from nodes"),
    "node-file-delete": _("Deleted a file of a node"),
    "node-logs-upload": _("Had a node upload its logs"),
    "operation-cancel": _("Cancelled an operation"),
    "operation-retry": _("Retried an operation"),
}


def action_label(action: str) -> str:
    """The words for an action; one that no longer exists in the code shows as its code."""
    return str(LABELS.get(action, action))


# What the details of an event are called; others show under their own name.
_DETAILS = {
    "address": _("from address"),
    "changed": _("changed"),
    "days": _("days"),
    "name_before": _("name before"),
    "people": _("people"),
    "portal_administrator": _("portal administrator"),
    "role": _("role"),
    "role_before": _("role before"),
    "roles": _("roles"),
    "team": _("team"),
    "tokens_revoked": _("tokens revoked"),
    "type": _("kind"),
}


def details_of(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of an event's details, without empty ones, in words."""
    told = {name: value for name, value in values.items() if name != "changes" and value not in (None, "", [], {})}
    changes = values.get("changes")
    changed = changes.items() if isinstance(changes, dict) else []
    return [
        *((_label(name), _size(value) if name == "size" else _words(value)) for name, value in told.items()),
        *((_label(name), " → ".join(_words(one) or "–" for one in pair)) for name, pair in changed),
    ]


def _label(name: str) -> str:
    return str(_DETAILS.get(name, name.replace("_", " ")))


def _size(value: Any) -> str:
    return size_text(value) if isinstance(value, int) else str(value)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(inner)}" for name, inner in value.items())
    return ", ".join(_words(item) for item in value) if isinstance(value, list) else str(value)
