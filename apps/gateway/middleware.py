from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.gateway.calls import patience


class PatienceMiddleware:
    """Bounds what one page or API request waits for Azure in total, whatever a view asks for.

    A streamed answer runs after this and is not bound.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with patience(settings.GATEWAY_PAGE_SECONDS):
            return self.get_response(request)
