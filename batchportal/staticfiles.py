"""Static files of installed packages that no page of ours loads are neither collected nor compressed."""

from django.contrib.staticfiles.apps import StaticFilesConfig


class PortalStaticFilesConfig(StaticFilesConfig):
    # DRF's browsable API and Redoc are not offered; htmx comes from npm at the version we chose.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "rest_framework", "redoc", "django_htmx"]
