"""The words for this app's codes."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
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
    # Ownership
    "application-owned-by-other": _(
        "The application %(application)s belongs to the team %(team)s. Ask a member of that team or an administrator of "
        "the account."
    ),
    "application-without-owner": _(
        "No team owns the application %(application)s. Ask an administrator of the account to assign it to your team."
    ),
    "team-not-yours": _("You are not a member of the team %(team)s."),
    "team-choose": _("You belong to several teams: choose the one that will own the application."),
    "team-none": _("You belong to no team yet. Ask an administrator to add you to one; a team owns each application."),
}
