"""Snapshots that are being brought back."""

import msgspec


class Swap(msgspec.Struct):
    """The folder ``files``, beside that of the nodes, is to take its place: the documents are those of it already."""

    files: str
