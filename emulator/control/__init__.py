"""The ``/_emulator/`` routes: for the people and tests around the service, not part of Azure Batch."""

from emulator.control.handlers import OPERATIONS

__all__ = ["OPERATIONS"]
