"""The one place that holds the words for codes.

Each app has a `messages.py` with a `MESSAGES` dictionary `{code: text}`; texts are lazy translations with
`%(name)s` placeholders. A code that is in two apps is an error at start, a code in none shows a neutral text.
"""

import logging
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

logger = logging.getLogger(__name__)

_CORE = {
    "error": gettext_lazy("Something went wrong. Try again; if it stays, tell your administrator."),
    "not-found": gettext_lazy("This does not exist, or you have no role on its Batch account."),
    "not-permitted": gettext_lazy(
        "Your role does not allow you to %(permission)s. Ask an administrator of the account."
    ),
    "not-permitted-portal": gettext_lazy("You may not %(permission)s. Ask a portal administrator."),
    "internal-error": gettext_lazy(
        "An error in the portal. Try again; if it stays, tell your administrator the reference."
    ),
    "no-such-route": gettext_lazy("There is no route %(path)s in this API."),
    "invalid": gettext_lazy("The input is not valid."),
    "conflict": gettext_lazy("Somebody changed this at the same time. Reload and try again."),
}


@cache
def registry() -> Mapping[str, Any]:
    """All codes with their texts. Raises `ImproperlyConfigured` where two apps claim one code."""
    found: dict[str, Any] = dict(_CORE)
    names = [config.name for config in apps.get_app_configs() if config.name.startswith("apps.")]
    # The gateway has no models and is no Django app; it has words all the same.
    for name in [*names, "apps.gateway"]:
        if name == "apps.core" or find_spec(f"{name}.messages") is None:
            continue
        texts = import_module(f"{name}.messages").MESSAGES
        if double := found.keys() & texts.keys():
            raise ImproperlyConfigured(f"Message codes defined twice: {', '.join(sorted(double))}.")
        found |= texts
    return found


def message_for(code: str, values: Mapping[str, Any]) -> str:
    """The text for a code in the active language."""
    text = registry().get(code)
    if text is None:
        logger.error("No message for code %s", code)
        return _("Something went wrong (%(code)s).") % {"code": code}
    try:
        return str(text) % values
    except (KeyError, TypeError, ValueError):
        # Whatever an old row holds: a sentence less is better than a page less.
        logger.error("Message %s does not fit its values %s", code, sorted(values))
        return _("Something went wrong (%(code)s).") % {"code": code}
