"""How the portal differs from django-allauth's defaults."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from apps.core.crypto import decrypt, encrypt
from apps.people.sign_in import address_exhausted, client_address


class PortalAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up: portal administrators add people."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse an address that tries name after name; one name too often is what django-axes refuses."""
        if address_exhausted(request):
            raise self.validation_error("too_many_login_attempts")


class PortalMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps authenticator secrets and recovery seeds encrypted at rest."""

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)
