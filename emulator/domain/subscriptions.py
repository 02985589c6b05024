"""Subscriptions and resource groups exist as soon as somebody names them; only groups carry something to keep."""

import msgspec


class ResourceGroup(msgspec.Struct):
    subscription: str
    name: str
    location: str
    tags: dict[str, str] = {}

    @property
    def id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.name}"
