from django.urls import include, path

urlpatterns = [
    path("", include("apps.accounts.api_urls")),
    path("", include("apps.applications.api_urls")),
    path("", include("apps.pools.api_urls")),
    path("", include("apps.nodes.api_urls")),
    path("", include("apps.operations.api_urls")),
    path("", include("apps.people.api_urls")),
    path("", include("apps.audit.api_urls")),
]
