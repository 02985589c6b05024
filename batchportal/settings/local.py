"""The embedded portal that `make run` starts: everything on this machine, state under one folder."""

import os

os.environ.setdefault("SECRET_KEY", "local-only-" + "x" * 50)

from batchportal.settings.base import *  # noqa: F403
from batchportal.settings.env import env_bool, env_list

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
SESSION_COOKIE_NAME = "batchportal_session"
# For work on the components: /gallery/ shows them all, and errors show their tracebacks.
DEBUG = env_bool("DEBUG", False)
