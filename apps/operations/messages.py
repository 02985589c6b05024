"""Words for the codes of operations: ends, events, phases."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "operation-conflict": _(
        "“%(kind)s” by %(actor)s is already under way for %(subject)s. Wait for its end, or cancel it, and try again."
    ),
    "operation-over": _("The operation on %(subject)s has already ended."),
    "operation-not-repeatable": _("The operation on %(subject)s cannot be repeated. Start it anew."),
    "operation-not-yours": _("Only %(actor)s, who started it, or an administrator of the Batch account may do this."),
    "operation-queued": _("Started by %(actor)s."),
    "operation-cancel-asked": _("%(actor)s asked for cancellation."),
    "operation-cancelled": _("Cancelled."),
    "operation-errored": _("An error in the portal ended this. Tell your administrator the reference."),
    "operation-lost": _("Given up: the worker broke down %(attempts)s times in the same step."),
    "operation-tries-again": _("Trying again in %(seconds)s s: %(cause_text)s"),
    "operation-cleanup-failed": _("Something was left behind, because tidying up failed: %(cause_text)s"),
    "operation-database-away": _("The portal's database did not answer."),
}
