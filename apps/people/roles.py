"""What people may do on a Batch account: four roles, and the permissions that every page, route and service names."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    READER = "reader", _("Reader")
    UPLOADER = "uploader", _("Uploader")
    OPERATOR = "operator", _("Operator")
    ADMINISTRATOR = "administrator", _("Administrator")

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def covers(self, other: "Role") -> bool:
        return self.rank >= other.rank


ROLE_DESCRIPTIONS = {
    Role.READER: _("Sees everything of the account and changes nothing."),
    Role.UPLOADER: _("Also adds, updates and deletes packages of the applications that their teams own."),
    Role.OPERATOR: _("Also acts on pools, compute nodes and jobs and rolls out versions."),
    Role.ADMINISTRATOR: _(
        "Also manages the connection, keys, storage account, teams and roles, and every application."
    ),
}


class Permission(models.TextChoices):
    """A permission is either bound to a Batch account (and so to a role on it) or to the portal as a whole."""

    SIGNED_IN = "signed-in", _("be signed in")
    MANAGE_PORTAL = "manage-portal", _("manage the portal")
    VIEW_ACCOUNT = "view-account", _("see the Batch account")
    MANAGE_ACCOUNT = "manage-account", _("manage the Batch account")
    VIEW_APPLICATIONS = "view-applications", _("see applications")
    UPLOAD_PACKAGES = "upload-packages", _("add, update and delete packages of owned applications")
    MANAGE_APPLICATIONS = "manage-applications", _("manage every application")
    OPERATE = "operate", _("act on pools, nodes and jobs")


REQUIRED_ROLE: dict[Permission, Role] = {
    Permission.VIEW_ACCOUNT: Role.READER,
    Permission.MANAGE_ACCOUNT: Role.ADMINISTRATOR,
    Permission.VIEW_APPLICATIONS: Role.READER,
    Permission.UPLOAD_PACKAGES: Role.UPLOADER,
    Permission.MANAGE_APPLICATIONS: Role.ADMINISTRATOR,
    Permission.OPERATE: Role.OPERATOR,
}
PORTAL_PERMISSIONS = {Permission.SIGNED_IN, Permission.MANAGE_PORTAL}
