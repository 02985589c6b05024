"""Bad days happen to a running portal."""

from tests.uploads.conftest import application, package, portal, portal_of

__all__ = ["application", "package", "portal", "portal_of"]
