"""Every address of the portal. Public ones are those of `PUBLIC_ROUTES` in apps/core/routes.py, and no others."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView

from apps.core.api import api_not_found
from apps.core.api_docs import ApiDocsView
from apps.core.gallery import gallery
from apps.core.health import HealthView, ReadyView
from apps.core.home import HomeView
from apps.core.search import SearchView

handler400 = "apps.core.errors.bad_request"
handler403 = "apps.core.errors.forbidden"
handler404 = "apps.core.errors.not_found"
handler500 = "apps.core.errors.server_error"

urlpatterns = [
    path("", HomeView.as_view(), name="home"),
    path("healthz", HealthView.as_view(), name="healthz"),
    path("readyz", ReadyView.as_view(), name="readyz"),
    path("accounts/", include("apps.people.account_urls")),
    path("search/", SearchView.as_view(), name="search"),
    path("people/", include("apps.people.urls")),
    path("", include("apps.audit.urls")),
    path("batch/", include("apps.accounts.urls")),
    path("batch/<slug:account>/applications/", include("apps.applications.urls")),
    path("batch/<slug:account>/nodes/", include("apps.nodes.urls")),
    path("batch/<slug:account>/pools/", include("apps.pools.urls")),
    path("operations/", include("apps.operations.urls")),
    path("api/v1/", include("batchportal.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", ApiDocsView.as_view(), name="api-docs"),
    re_path(r"^api/(?P<path>[\s\S]*)$", login_not_required(csrf_exempt(api_not_found)), name="api-not-found"),
]

if settings.DEBUG:
    urlpatterns.insert(0, path("gallery/", gallery, name="gallery"))
