from django.urls import include, path

from apps.applications import api

_APPLICATIONS = "accounts/<slug:account>/applications"
_PACKAGES = f"{_APPLICATIONS}/<str:application>/packages"

urlpatterns = [
    path("", include("apps.applications.uploads.api_urls")),
    path(_APPLICATIONS, api.ApplicationListApi.as_view(), name="api-applications"),
    path(f"{_APPLICATIONS}/<str:application>", api.ApplicationApi.as_view(), name="api-application"),
    path(_PACKAGES, api.PackageListApi.as_view(), name="api-packages"),
    path(f"{_PACKAGES}/<str:version>", api.PackageApi.as_view(), name="api-package"),
    path(f"{_PACKAGES}/<str:version>/activate", api.PackageActivateApi.as_view(), name="api-package-activate"),
    path(f"{_PACKAGES}/<str:version>/content", api.PackageContentApi.as_view(), name="api-package-content"),
]
