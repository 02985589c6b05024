from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import add_never_cache_headers


class NulMiddleware:
    """Keeps NUL characters of addresses away from the database: PostgreSQL refuses them as an error of ours.

    In a query they are dropped; an address that has one names nothing. Forms and the API refuse them by themselves.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            raise Http404
        request.META["QUERY_STRING"] = request.META.get("QUERY_STRING", "").replace("%00", "").replace("\0", "")
        return self.get_response(request)


class PrivatePagesMiddleware:
    """Keeps pages of signed-in people out of shared caches; a view that sets its own Cache-Control keeps it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response


class CompressedPagesMiddleware(GZipMiddleware):
    """Pages go out compressed: a list of fifty nodes is a tenth of its size.

    Nothing else does. Downloads keep their length and ranges, and the API its strong ETags. Lengths tell nothing of
    what stands in a page (BREACH): Django masks the form token anew each time and pads what it compresses.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
