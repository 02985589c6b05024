from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class PortalAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up: portal administrators add people."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
