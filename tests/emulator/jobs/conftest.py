"""Jobs over the official SDK."""

from collections.abc import Callable
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.batch.models import BatchJobCreateOptions, BatchPoolInfo, BatchTaskCreateOptions

AddJob = Callable[..., str]


@pytest.fixture
def job(batch: BatchClient) -> str:
    """A job on a pool that does not exist, so its tasks stay where they are."""
    batch.create_job(BatchJobCreateOptions(id="job", pool_info=BatchPoolInfo(pool_id="nowhere")))
    return "job"


def task(name: str, **properties: Any) -> BatchTaskCreateOptions:
    return BatchTaskCreateOptions(id=name, command_line="echo", **properties)
