"""Whether this machine's worker consumes: for the health checks of containers and supervisors."""

from __future__ import annotations

import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.operations.liveness import silence


class Command(BaseCommand):
    help = "End with status 0 when the worker on this machine has consumed a message lately, with 1 otherwise."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        default = f"celery@{socket.gethostname()}"
        parser.add_argument("--node", default=default, help=f"node name of the worker ({default})")

    def handle(self, *args: Any, **options: Any) -> None:
        node = options["node"]
        silent = silence(node)
        if silent is None:
            raise CommandError(f"No worker {node} runs on this machine.")
        if silent > settings.WORKER_STUCK_SECONDS:
            raise CommandError(f"The worker {node} has not consumed anything for {silent:.0f} s.")
        self.stdout.write(f"{node} consumed a message {silent:.0f} s ago.")
