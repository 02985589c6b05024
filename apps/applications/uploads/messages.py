"""Words for uploads: what stops one, what its operation logs, and its phases."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.applications.packaging.messages import MESSAGES as ZIP_MESSAGES

MESSAGES: dict[str, Any] = {
    # Starting
    "upload-file-missing": _("Choose a zip file that is not empty."),
    "upload-not-a-zip": _("Application packages are zip files: the name must end in .zip, “%(filename)s” does not."),
    "upload-too-large": _("The file has %(size)s; packages may have at most %(limit)s."),
    "upload-sha256-malformed": _("A SHA-256 checksum has 64 hexadecimal digits."),
    "upload-no-space": _(
        "The portal's disk for uploads is full: %(needed)s are needed and %(free)s are free. Wait until other uploads "
        "have ended, or ask your administrator for more space."
    ),
    "upload-version-exists": _(
        "%(application)s already has an Active version %(version)s. Choose another version, or update that one."
    ),
    "upload-package-quota": _("The application already has %(limit)s packages, as many as Batch allows."),
    "upload-application-missing": _(
        "There is no application %(application)s; perhaps somebody deleted it. Make it together with this package: by "
        "New application in the portal, by create=true or the action new-application over the API."
    ),
    "upload-application-gone": _("There is no application %(application)s any more: somebody deleted it."),
    "upload-application-exists": _("Somebody else created an application %(application)s in the meantime."),
    # The protocol
    "upload-protocol": _("The request needs the header Tus-Resumable: 1.0.0."),
    "upload-header": _("The header %(header)s is missing or malformed."),
    "upload-metadata": _("The upload metadata lacks “%(name)s”."),
    "upload-action": _("The action is new-application, add or update."),
    "upload-content-type": _("The bytes of an upload come as %(expected)s."),
    "upload-offset": _("The server has %(offset)s bytes of this upload; go on from there."),
    "upload-busy": _("Another request is writing to this upload. Try again in a few seconds."),
    "upload-exceeds": _("More bytes came than the %(length)s announced."),
    "upload-checksum-algorithm": _("The checksum is sha1, sha256 or md5, and base64."),
    "upload-checksum": _("The bytes of this request do not have the checksum it announced. Send them again."),
    "upload-over": _("This upload has ended and takes no more bytes."),
    "upload-not-yours": _(
        "Only %(actor)s, who started this upload, or an administrator of the account may go on with it."
    ),
    "upload-cut-off": _(
        "The connection broke after %(received)s of %(length)s bytes. Send the file again, or use tus."
    ),
    "upload-length-missing": _("The request needs a Content-Length or a chunked body."),
    # The operation
    "upload-expired": _("The rest of the file did not come within %(hours)s hours. Upload it again."),
    "upload-staged-gone": _("The uploaded bytes are no longer there. Upload the file again."),
    "upload-sha256-mismatch": _(
        "The bytes that arrived have the SHA-256 %(actual)s, not %(expected)s as announced. The file changed on its "
        "way or while it was read. Upload it again."
    ),
    "upload-zip-refused": _("The package was refused, and nothing was activated. %(cause_text)s"),
    "upload-zip-refused-entry": _("The package was refused, and nothing was activated. “%(entry)s”: %(cause_text)s"),
    "upload-zip-more": _(
        "The package was refused, and nothing was activated: %(count)s findings, the first one: %(cause_text)s"
    ),
    "upload-zip-more-entry": _(
        "The package was refused, and nothing was activated: %(count)s findings, the first one in “%(entry)s”: "
        "%(cause_text)s"
    ),
    "upload-zip-finding": _("%(cause_text)s"),
    "upload-zip-finding-entry": _("“%(entry)s”: %(cause_text)s"),
    "upload-zip-notice": _("Note on “%(entry)s”: %(cause_text)s"),
    "upload-zip-too-many": _("There may be more findings; the checks stopped here."),
    "upload-not-active": _("Azure Batch did not activate the package: its state is %(state)s. Try again."),
    "upload-replaced": _("Another tool replaced the bytes of %(version)s while they were uploaded. Upload them again."),
    "upload-done": _("%(application)s %(version)s is Active."),
    "upload-application-created": _("Created the application %(application)s."),
    "upload-sending-begun": _("Began to send blocks to blob storage."),
    "upload-resumed": _("Went on where the worker before had stopped: %(sent)s were in blob storage already."),
    "upload-received": _("All bytes are with the server: %(size)s."),
    "upload-checked": _("The zip is in order: %(entries)s entries, %(uncompressed)s uncompressed. SHA-256 %(sha256)s."),
    "upload-committed": _("All bytes are in blob storage."),
    "upload-activated": _("Azure Batch activated the package."),
    "upload-address-renewed": _("Asked Azure Batch for a new upload address, because the old one is about to expire."),
    "upload-undone": _("Removed what the upload had prepared in Azure Batch."),
    "upload-kept-active": _("The version that was Active before is Active again."),
    "upload-staged-kept": _("The uploaded bytes are kept until %(until)s for another try."),
    # Phases
    "phase-waiting": _("Waiting for the rest of the file"),
    "phase-receiving": _("Receiving and sending"),
    "phase-sending": _("Sending to blob storage"),
    "phase-checking": _("Checking the zip"),
    "phase-committing": _("Committing"),
    "phase-activating": _("Activating"),
    "phase-verifying": _("Verifying"),
    **{code.value: text for code, text in ZIP_MESSAGES.items()},
}
