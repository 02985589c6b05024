"""Uploads that an actor may go on with."""

from __future__ import annotations

import uuid

from apps.accounts.selectors import account_list
from apps.applications.models import Upload
from apps.core.exceptions import NotPermitted, NotVisible
from apps.operations.selectors import may_control
from apps.people.actors import Actor
from apps.people.roles import Permission


def upload_get(*, actor: Actor, upload_id: uuid.UUID) -> Upload:
    """One upload, for whoever started it and for administrators of its account.

    Raises `NotVisible` for an unknown one and to strangers to its account, `NotPermitted` to everybody else.
    """
    uploads = Upload.objects.select_related("operation__account", "operation__user", "account")
    upload = uploads.filter(pk=upload_id, account__in=account_list(actor=actor)).first()
    if upload is None:
        raise NotVisible
    actor.require(Permission.UPLOAD_PACKAGES, upload.account)
    if not may_control(actor, upload.operation):
        raise NotPermitted("upload-not-yours", actor=upload.operation.actor_name)
    return upload
