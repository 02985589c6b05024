"""The interactive API documentation: Swagger UI from the installed package, under the portal's own content policy."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from apps.core.views import PortalView
from apps.people.roles import Permission


class ApiDocsView(PortalView):
    """Requests tried out on the page go out with the visitor's own session, or with a token that they enter."""

    permission = Permission.SIGNED_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page("core/api_docs.html")
