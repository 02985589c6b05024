from django.apps import AppConfig


class PoolsConfig(AppConfig):
    name = "apps.pools"
    label = "pools"

    def ready(self) -> None:
        from apps.pools import runners  # noqa: F401, PLC0415  # registers what runs in the background
