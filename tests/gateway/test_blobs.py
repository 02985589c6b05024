"""Package bytes in Azurite."""

from __future__ import annotations

import io

import pytest

from apps.gateway import blobs
from apps.gateway.errors import GatewayConflict, GatewayDenied, GatewayError, GatewayNotFound
from apps.gateway.types import Package


def put(url: str, *parts: bytes) -> None:
    for number, part in enumerate(parts):
        blobs.block_stage(url, blobs.block_id(number), part, len(part))
    blobs.blocks_commit(url, [blobs.block_id(number) for number in range(len(parts))])


def test_blocks_are_staged_listed_committed_and_described(package: Package) -> None:
    url = package.storage_url
    assert blobs.blocks_staged(url) == {}
    with pytest.raises(GatewayNotFound):
        blobs.blob_info(url)
    blobs.block_stage(url, blobs.block_id(0), b"first ", 6)
    blobs.block_stage(url, blobs.block_id(1), memoryview(b"xsecondx")[1:7], 6)
    blobs.block_stage(url, blobs.block_id(2), io.BytesIO(b" third"), 6)
    assert blobs.blocks_staged(url) == {blobs.block_id(number): 6 for number in range(3)}
    ids = [blobs.block_id(number) for number in range(3)]
    info = blobs.blocks_commit(url, ids, content_md5=bytes(range(16)), metadata={"sha256": "ab"})
    assert (info.size, info.md5) == (18, bytes(range(16)))
    assert blobs.blob_info(url) == info
    assert blobs.blob_read(url, 0, 100) == b"first second third"
    assert blobs.blocks_staged(url) == {}


def test_a_replaced_blob_stays_readable_until_the_new_bytes_are_committed(package: Package) -> None:
    url = package.storage_url
    put(url, b"old")
    blobs.block_stage(url, blobs.block_id(0), b"newer", 5)
    assert blobs.blob_read(url, 0, 10) == b"old"
    blobs.blocks_commit(url, [blobs.block_id(0)])
    assert blobs.blob_read(url, 0, 10) == b"newer"


def test_an_empty_blob_has_nothing_to_read(package: Package) -> None:
    blobs.blocks_commit(package.storage_url, [])
    assert blobs.blob_read(package.storage_url, 0, 10) == b""


def test_reading_behind_the_end_gives_nothing(package: Package) -> None:
    put(package.storage_url, b"12345")
    assert blobs.blob_read(package.storage_url, 3, 10) == b"45"
    assert blobs.blob_read(package.storage_url, 5, 10) == b""


def test_a_blob_replaced_while_it_is_read_is_not_mixed(package: Package) -> None:
    put(package.storage_url, b"a" * 1000)
    first = blobs.blob_info(package.storage_url)
    put(package.storage_url, b"b" * 1000)
    with pytest.raises(GatewayConflict):
        blobs.blob_read(package.storage_url, 0, 10, etag=first.etag)


def test_a_missing_blob_is_not_found(package: Package) -> None:
    with pytest.raises(GatewayNotFound):
        blobs.blob_read(package.storage_url, 0, 10)


def test_committing_blocks_that_are_not_there_is_refused(package: Package) -> None:
    with pytest.raises(GatewayError) as refused:
        blobs.blocks_commit(package.storage_url, [blobs.block_id(7)])
    assert refused.value.service_code == "InvalidBlockList"


def test_a_bad_signature_is_denied_and_not_repeated_in_the_error(package: Package) -> None:
    url = package.storage_url.partition("sig=")[0] + "sig=bm90aGluZw%3D%3D"
    with pytest.raises(GatewayDenied) as refused:
        blobs.block_stage(url, blobs.block_id(0), b"x", 1)
    assert refused.value.code == "gateway-storage-denied"
    assert refused.value.request_id
    assert "bm90aGluZw" not in f"{refused.value!r} {refused.value} {refused.value.message}"
