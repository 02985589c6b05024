"""Filters as the SDK sends them, against the running service."""

from typing import Any

import pytest
from azure.batch import BatchClient
from azure.core.exceptions import HttpResponseError

from tests.emulator.helpers import code


def test_images_by_operating_system(batch: BatchClient) -> None:
    both = list(batch.list_supported_images())
    windows = list(batch.list_supported_images(filter="osType eq 'windows'"))
    assert 0 < len(windows) < len(both)
    assert {image.os_type for image in windows} == {"windows"}


def test_images_page_behind_a_filter(batch: BatchClient) -> None:
    wanted = "verificationType eq 'verified' and startswith(nodeAgentSKUId, 'batch.node.ubuntu')"
    whole = [image.image_reference.sku for image in batch.list_supported_images(filter=wanted)]
    paged = [image.image_reference.sku for image in batch.list_supported_images(filter=wanted, max_results=2)]
    assert paged == whole
    assert len(whole) > 2


@pytest.mark.parametrize("wanted", ["osType eq", "capabilities eq 'x'", "osType lt 'windows'"])
def test_a_wrong_filter_names_itself(batch: BatchClient, wanted: str) -> None:
    with pytest.raises(HttpResponseError) as caught:
        list(batch.list_supported_images(filter=wanted))
    assert code(caught.value) == (400, "InvalidQueryParameterValue")
    assert caught.value.response is not None
    body: Any = caught.value.response
    values = {detail["key"]: detail["value"] for detail in body.json()["values"]}
    assert values["QueryParameterName"] == "$filter"
    assert values["QueryParameterValue"] == wanted
    assert values["Reason"]
