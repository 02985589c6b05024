"""How the portal is served, here and in a container: `gunicorn batchportal.wsgi` reads this by itself."""

import os

bind = os.environ.get("WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "16"))
# Seconds a worker may be silent. Long uploads do not count: each request has a thread of its own.
timeout = int(os.environ.get("WEB_TIMEOUT", "60"))
graceful_timeout = 25
keepalive = 75
# Memory-backed, so that a busy or read-only disk is never mistaken for a stuck worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108
control_socket_disable = True
forwarded_allow_ips = os.environ.get("WEB_TRUSTED_PROXIES", "127.0.0.1")
