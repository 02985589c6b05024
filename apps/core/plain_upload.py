"""Files that come in a form instead of by the upload client."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler


class BoundedFileUploadHandler(TemporaryFileUploadHandler):
    """Streams to a temporary file, and takes no request above `PLAIN_UPLOAD_MAX_BYTES`.

    Django reads a form before it knows who sends it, so this bound is what keeps a stranger from filling the disk.
    """

    _too_large = False

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *rest: Any, **more: Any) -> None:  # noqa: N803
        self._too_large = content_length > settings.PLAIN_UPLOAD_MAX_BYTES

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if self._too_large:
            raise StopUpload(connection_reset=True)
        super().new_file(*args, **kwargs)
