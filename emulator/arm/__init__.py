"""The management plane: ``https://management.azure.com`` of the real service, as far as Batch needs it."""

from emulator.arm.operations import OPERATIONS

__all__ = ["OPERATIONS"]
