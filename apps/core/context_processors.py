from typing import Any

from django.http import HttpRequest

from apps.people.models import Theme, User


def shell(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame needs."""
    user = getattr(request, "user", None)
    theme = user.theme if isinstance(user, User) else request.COOKIES.get("theme", Theme.SYSTEM)
    return {"theme": theme if theme in Theme.values else Theme.SYSTEM}
