"""The words for this app's codes."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "pool-not-found": _("There is no pool %(pool)s. It may have been deleted, or was made a moment ago: reload."),
}
