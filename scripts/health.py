"""Tell a container's supervisor whether its process is well: `python -m scripts.health web|beat`.

Ends with status 0 when it is, else with 1 and the reason. A worker proves itself by `manage.py worker_health`.
"""

from __future__ import annotations

import http.client
import os
import sys
import time
from pathlib import Path

BEAT_WRITES_EVERY = 180  # seconds, Celery's own interval of writing the schedule down


def web() -> str | None:
    """The web process answers and reaches its database."""
    port = int(os.environ.get("WEB_BIND", "127.0.0.1:8000").rsplit(":", 1)[1])
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
    try:
        # As a request looks that came through the proxy.
        connection.request("GET", "/readyz", headers={"Host": host, "X-Forwarded-Proto": "https"})
        status = connection.getresponse().status
    except OSError as error:
        return f"no answer on port {port}: {error}"
    finally:
        connection.close()
    return None if status == 200 else f"/readyz answered {status}"


def beat() -> str | None:
    """Beat wrote its schedule down not long ago."""
    folder = Path(os.environ.get("BATCHPORTAL_STATE_DIR", ".local"))
    written = [file.stat().st_mtime for file in folder.glob("celerybeat-schedule*")]
    age = time.time() - max(written, default=0)
    return None if age < 2 * BEAT_WRITES_EVERY else f"the schedule in {folder} was not written for {age:.0f} s"


def main() -> None:
    checks = {"web": web, "beat": beat}
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in checks:
        sys.exit(f"usage: python -m scripts.health {'|'.join(checks)}")
    problem = checks[name]()
    if problem:
        sys.exit(problem)


if __name__ == "__main__":
    main()
