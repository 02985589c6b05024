from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class OperationsConfig(AppConfig):
    name = "apps.operations"
    label = "operations"

    def ready(self) -> None:
        # Each app registers what it runs in the background; uploads are a package of their own.
        autodiscover_modules("runners", "uploads.runner")
