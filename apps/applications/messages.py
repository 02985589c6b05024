"""The words for this app's codes."""

from django.utils.translation import gettext_lazy as _

from apps.applications.uploads.messages import MESSAGES as UPLOAD_MESSAGES

MESSAGES = {
    **UPLOAD_MESSAGES,
    # Names
    "application-id-missing": _("Give the application an ID."),
    "application-id-too-long": _("An application ID has at most %(limit)s characters; this one has %(length)s."),
    "application-id-characters": _(
        "An application ID consists of letters (a–z, A–Z), digits, hyphens and underscores. Not allowed: %(characters)s"
    ),
    "version-missing": _("Give the package a version."),
    "version-too-long": _("A version has at most %(limit)s characters; this one has %(length)s."),
    "version-characters": _(
        "A version consists of letters (a–z, A–Z), digits, hyphens, underscores and dots. Not allowed: %(characters)s"
    ),
    "version-leading-dot": _("A version does not begin with a dot."),
    "display-name-too-long": _("A display name has at most %(limit)s characters."),
    "display-name-characters": _("A display name has no control characters, such as tabs and line breaks."),
    # Ownership
    "application-owned-by-other": _(
        "The application %(application)s belongs to the team %(team)s. Ask a member of that team or an administrator "
        "of the account."
    ),
    "application-without-owner": _(
        "No team owns the application %(application)s. Ask an administrator of the account to assign it to your team."
    ),
    "application-owned-meanwhile": _("The application %(application)s was just created by the team %(team)s."),
    "team-not-yours": _("You are not a member of the team %(team)s."),
    "team-choose": _("You belong to several teams: choose the one that will own the application."),
    "team-none": _("You belong to no team yet. Ask an administrator to add you to one; a team owns each application."),
    "team-unknown": _("There is no team %(team)s."),
    # Applications
    "application-exists": _("The account has an application %(application)s already. Add the package to it instead."),
    "application-quota": _(
        "The account has %(limit)s applications, as many as Batch allows. Delete one, or ask Azure support for more."
    ),
    "application-gone": _("There is no application %(application)s on this account. Somebody may have deleted it."),
    "application-updates-off": _(
        "Updates of %(application)s are not allowed: its packages can be neither replaced nor deleted. Allow updates "
        "in the settings of the application first."
    ),
    "application-not-empty": _(
        "%(application)s holds packages that you were not shown: %(versions)s. Nothing more was deleted. Look at them "
        "and delete again."
    ),
    "default-version-pending": _("%(version)s is Pending. Only an Active package can be the default version."),
    "default-version-unknown": _("There is no package %(version)s."),
    # Packages
    "package-gone": _("There is no package %(version)s of %(application)s. Somebody may have deleted it."),
    "package-refused": _("%(reason)s"),
    "package-active-already": _("%(application)s %(version)s is Active already."),
    "package-without-bytes": _(
        "No zip has arrived in blob storage for %(application)s %(version)s. Replace the package or delete it."
    ),
    "package-unreadable": _("The package cannot be read as a zip. %(reason)s"),
    "package-replaced": _(
        "%(application)s %(version)s was replaced meanwhile. Reload the page to see what it holds now."
    ),
    "package-entry-gone": _("There is no such file in the package. Reload the page."),
    "package-not-activated": _(
        "Azure Batch did not activate %(application)s %(version)s: its state is %(state)s. Try again."
    ),
    "confirm-mismatch": _("Type %(name)s exactly, with its capital and small letters."),
    # What operations say
    "package-deleted": _("%(application)s %(version)s is deleted."),
    "default-package-deleted": _("%(application)s %(version)s is deleted. The application has no default version now."),
    "package-was-gone": _("%(version)s was deleted already."),
    "package-activated": _("%(application)s %(version)s is Active."),
    "application-deleted": _("%(application)s is deleted, with %(packages)s packages."),
    "application-was-gone": _("The application %(application)s was deleted already."),
    "phase-deleting": _("Deleting"),
}
