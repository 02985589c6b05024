"""Settings of the tests: quick password hashing and throw-away secrets; everything else as in production."""

import os
import tempfile

os.environ.setdefault("SECRET_KEY", "test-only-" + "x" * 50)
os.environ.setdefault("FIELD_ENCRYPTION_KEYS", "dGVzdC1vbmx5LWtleS10ZXN0LW9ubHkta2V5LTAwMDE=")
os.environ.setdefault("BATCHPORTAL_STATE_DIR", tempfile.mkdtemp(prefix="batchportal-test-"))

from batchportal.settings.base import *  # noqa: F403
from batchportal.settings.base import STATE_DIR

ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Away from the folder that a build may be filling right now.
STATIC_ROOT = STATE_DIR / "collected"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Tests ask more in a minute than anybody should.
API_REQUESTS_PER_MINUTE = 1_000_000
