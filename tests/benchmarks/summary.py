"""What a benchmark found, in one line of the table that `make bench` ends with."""

from __future__ import annotations

import json
import os
from pathlib import Path

FILE = "BENCH_SUMMARY"  # variable that names the file; without it there is no table


def note(what: str, measured: str, aim: str = "") -> None:
    """`measured` beside what we aim at, both as people read them."""
    if path := os.environ.get(FILE):
        with Path(path).open("a") as file:
            file.write(json.dumps([what, measured, aim]) + "\n")


def table(path: Path) -> str:
    """The lines noted so far, aligned; "" for none."""
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if not rows:
        return ""
    rows.insert(0, ["", "measured", "aim"])
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    aligned = (zip(row, widths, strict=True) for row in rows)
    return "\n".join("  ".join(cell.ljust(width) for cell, width in row).rstrip() for row in aligned)
