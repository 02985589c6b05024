"""The data plane: ``https://ACCOUNT.REGION.batch.azure.com`` of the real service."""

from emulator.data.operations import OPERATIONS

__all__ = ["OPERATIONS"]
