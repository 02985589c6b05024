"""The words for this app's codes."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "field-required": _("This is needed for the chosen sign-in."),
    "auth-method-unknown": _("Choose how the portal signs in."),
    "account-name-missing": _("Enter the name of the Batch account."),
    "account-name-invalid": _("A Batch account's name has 3 to 24 lower-case letters and digits."),
    "subscription-id-invalid": _("A subscription ID looks like 01234567-89ab-cdef-0123-456789abcdef."),
    "client-id-invalid": _("A client ID looks like 01234567-89ab-cdef-0123-456789abcdef."),
    "tenant-id-invalid": _("A tenant is given by its ID (01234567-89ab-cdef-0123-456789abcdef) or one of its domains."),
    "resource-group-invalid": _(
        "A resource group's name has at most 90 letters, digits, ( ) - _ . and no dot at its end."
    ),
    "shared-key-invalid": _(
        "This is not a shared key: it has 88 characters of Base64. Copy it whole from the page Keys."
    ),
    "certificate-not-pem": _("Paste the certificate in PEM form, from the first -----BEGIN to the last -----END line."),
    "certificate-missing": _("There is no certificate in this text, or it is damaged."),
    "certificate-key-missing": _(
        "The private key is missing or damaged: it belongs into the same text as the certificate."
    ),
    "certificate-password-missing": _("The private key is protected: enter its password."),
    "certificate-password-wrong": _("The password does not open the private key."),
    "certificate-password-superfluous": _("The private key has no password: leave this empty."),
    "account-connected-already": _("The Batch account %(account)s is connected already."),
    "ambient-identity-portal": _(
        "Only a portal administrator may let an account use an identity of the portal itself."
    ),
    "account-busy": _("Operations on %(account)s are under way. Wait for their end or cancel them, then try again."),
    "account-confirm-mismatch": _("Type the name of the Batch account: %(name)s"),
    "storage-account-id-invalid": _("This is not the resource ID of a storage account."),
    "storage-account-gone": _("The storage account does not exist, or the portal's identity does not see it."),
    "storage-not-linked": _("No storage account is linked."),
    "storage-link-not-kept": _(
        "Azure took the link to %(name)s but does not show it. Another tool may have changed it."
    ),
    "storage-linked": _("The storage account %(name)s is linked to %(account)s."),
    "storage-unlinked": _("The storage account %(name)s is no longer linked to %(account)s."),
    "storage-keys-synchronised": _("%(account)s has the present keys of the storage account %(name)s."),
    "phase-storage-checking": _("Checking the storage account"),
    "phase-storage-linking": _("Linking"),
    "phase-storage-verifying": _("Verifying"),
    "phase-storage-unlinking": _("Unlinking"),
    "phase-storage-synchronising": _("Synchronising keys"),
}
