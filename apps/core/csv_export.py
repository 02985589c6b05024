"""Lists as CSV files for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file that gives back what is written, for the csv module to format with."""

    def write(self, text: str) -> str:
        return text


def csv_cell(value: Any) -> Any:
    """A value as a spreadsheet may see it: text that would be a formula gets an apostrophe, times are ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_lines(heads: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    # A byte order mark, or Excel reads UTF-8 as the code page of the machine.
    yield "\ufeff"
    yield writer.writerow([csv_cell(head) for head in heads])
    for row in rows:
        yield writer.writerow([csv_cell(value) for value in row])


def csv_response(name: str, heads: Iterable[Any], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """A download named `name`.csv, streamed row by row."""
    response = StreamingHttpResponse(csv_lines(heads, rows), content_type="text/csv; charset=utf-8")
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.csv")
    response["Content-Disposition"] = disposition or "attachment"
    return response
