"""Words for the codes of people, teams, roles and tokens."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "username-taken": _("Somebody already has the user name %(username)s. Choose another one."),
    "email-taken": _("Somebody already has the address %(email)s."),
    "person-inactive": _("This person is deactivated. Activate them first."),
    "person-self-deactivate": _("You cannot deactivate yourself. Ask another portal administrator."),
    "portal-administrator-self": _("You cannot take this right from yourself. Ask another portal administrator."),
    "portal-administrator-last": _("This is the last portal administrator. Make another one first."),
    "mail-unavailable": _("The mail cannot be sent now. Try again in some minutes."),
    "profile-of-person": _("A token of a team has no profile."),
    "team-name-taken": _("There is already a team called %(name)s."),
    "team-owns-applications": _(
        "%(team)s still owns applications: %(applications)s. Give them to another team first, then delete the team."
    ),
    "role-given-already": _("%(holder)s already has a role on this account. Change it in the list."),
    "role-last-administrator": _(
        "Nobody else administers %(account)s: afterwards only portal administrators can manage it."
    ),
    "role-own-administrator": _("You would no longer administer %(account)s and could not take this back."),
    "token-days": _("A token lasts from 1 to %(longest)s days."),
    "token-name-taken": _("There is already a token called %(name)s. Revoke it first, or choose another name."),
    "token-by-token": _("A token cannot make tokens. Sign in to make one."),
    "token-invalid": _("This token does not exist. Check that it was copied whole."),
    "token-revoked": _("This token was revoked. Make a new one in the portal."),
    "token-expired": _("This token has expired. Make a new one in the portal."),
    "token-owner-inactive": _("The person this token belongs to is deactivated."),
    "ssh-key-private": _(
        "This is a private key, which belongs to nobody else: paste the public one, from the file ending in .pub."
    ),
    "ssh-key-lines": _("A public key stands on one line. Paste the content of one .pub file."),
    "ssh-key-malformed": _("This is no SSH public key: one begins with ssh-ed25519, ecdsa-sha2-… or ssh-rsa."),
    "ssh-key-kind": _("Keys of the kind %(kind)s are not taken. Make one with: ssh-keygen -t ed25519"),
    "ssh-key-short": _("An RSA key has at least %(least)s bits; this one has %(bits)s."),
}
