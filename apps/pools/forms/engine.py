"""A form whose fields are named by the paths of a document, with rows that can be added and removed.

The form works without script: adding a row sends the whole form and shows it again with one row more. Rules are not
here: they are checked on the document, and `show` puts each flaw at its field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.core.messages import message_for
from apps.pools.flaws import Flaw, duration, whole
from apps.pools.forms.paths import put, take

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_ROWS = 100
_PLAIN = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


@dataclass(frozen=True)
class Part:
    """A field and the value it writes. `kind`: text, area, code, number, flag, choice, minutes, lines, secret.

    In `Rows` the path is that of the member of each row. A flag that is `sent` also when off has a default of true at
    the service.
    """

    path: str
    label: StrOrPromise
    kind: str = "text"
    help: StrOrPromise = ""
    choices: Sequence[tuple[str, StrOrPromise]] = ()
    initial: Any = None
    placeholder: str = ""
    sent: bool = False


@dataclass(frozen=True)
class Rows:
    """Fields that repeat: one object of the list at `path` for each row."""

    path: str
    label: StrOrPromise
    parts: tuple[Part, ...]
    add_label: StrOrPromise
    help: StrOrPromise = ""


@dataclass(frozen=True)
class Row:
    """A row as a template shows it."""

    index: int
    remove: str
    fields: list[forms.BoundField]


@dataclass(frozen=True)
class ShownRows:
    path: str
    label: StrOrPromise
    add_label: StrOrPromise
    help: StrOrPromise
    rows: list[Row]
    error: str


class DocumentForm(forms.Form):
    """`layout` are parts and rows; subclasses add fields of their own with `extra_fields`, `read` and `write`."""

    use_required_attribute = False
    layout: Sequence[Part | Rows] = ()

    def __init__(self, data: QueryDict | None = None, document: Mapping[str, Any] | None = None) -> None:
        self._counts = {one.path: _row_count(one, data, document) for one in self.layout if isinstance(one, Rows)}
        self._gone = set(data.getlist("gone")) if data is not None else set()
        self._row_errors: dict[str, str] = {}
        self._places: dict[str, str] = {}
        super().__init__(data=data)
        for name, part in self._parts():
            self.fields[name] = _field(part)
            if part.kind == "secret":
                # htmx finds what it keeps by an id that is a plain name.
                self.fields[name].widget.attrs["id"] = re.sub(r"\W+", "-", f"id-{name}")
        self.extra_fields()
        if document is not None:
            self.read(dict(document))

    # --- For subclasses ---------------------------------------------------------------------------------------------
    def extra_fields(self) -> None:
        """Add fields that write something else than the value at their name."""

    def read(self, document: dict[str, Any]) -> None:
        """Fill in from a document, taking out of it what has a field."""
        for name, part in self._parts():
            self.initial[name] = _shown(part, take(document, name))

    def write(self, document: dict[str, Any]) -> None:
        """Add to the document what the fields of `extra_fields` say."""

    def get(self, name: str, default: Any = "") -> Any:
        """A field by its path, for templates."""
        return self[name] if name in self.fields else default

    def said(self, name: str) -> str:
        """The text of a field; "" where it is empty or not valid."""
        return str(self.cleaned_data.get(name) or "")

    # --- Rows -------------------------------------------------------------------------------------------------------
    def _parts(self) -> Iterable[tuple[str, Part]]:
        for one in self.layout:
            if isinstance(one, Part):
                yield one.path, one
                continue
            for index in self._indices(one.path):
                for part in one.parts:
                    yield f"{one.path}[{index}].{part.path}", part

    def _indices(self, path: str) -> list[int]:
        return [index for index in range(self._counts[path]) if f"{path}[{index}]" not in self._gone]

    def rows(self, path: str) -> ShownRows:
        one = next(one for one in self.layout if isinstance(one, Rows) and one.path == path)
        found = [
            Row(index, f"{path}[{index}]", [self[f"{path}[{index}].{part.path}"] for part in one.parts])
            for index in self._indices(path)
        ]
        return ShownRows(path, one.label, one.add_label, one.help, found, self._row_errors.get(path, ""))

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """For hidden fields: how many rows each list has in this page, and which of them are gone."""
        gone = [("gone", row) for row in sorted(self._gone)]
        return [*((f"rows:{path}", str(count)) for path, count in self._counts.items()), *gone]

    def quieted(self) -> Self:
        """The same fields with what was typed, without errors: for a form that is not finished."""
        self.initial.update(
            {name: field.widget.value_from_datadict(self.data, self.files, name) for name, field in self.fields.items()}
        )
        self.is_bound = False
        return self

    # --- The document -----------------------------------------------------------------------------------------------
    def document(self) -> dict[str, Any]:
        """What the fields say, without empty values. Call `is_valid` first; rows that are wholly empty are left out."""
        found: dict[str, Any] = {}
        for one in self.layout:
            if isinstance(one, Part):
                self._put(found, one, one.path, one.path)
            else:
                self._put_rows(found, one)
        self.write(found)
        return found

    def _put_rows(self, found: dict[str, Any], rows: Rows) -> None:
        kept = 0
        for index in self._indices(rows.path):
            if not any(self._is_given(f"{rows.path}[{index}].{part.path}", part, rows) for part in rows.parts):
                continue
            self._places[f"{rows.path}[{kept}]"] = f"{rows.path}[{index}].{rows.parts[0].path}"
            for part in rows.parts:
                name = f"{rows.path}[{index}].{part.path}"
                self._put(found, part, f"{rows.path}[{kept}].{part.path}", name)
            kept += 1

    def _is_given(self, name: str, part: Part, rows: Rows) -> bool:
        """Whether a field makes its row count; a choice beside others always has some value."""
        value = self.cleaned_data.get(name)
        beside = part is not rows.parts[0] and part.kind in {"choice", "flag"}
        return value is not None and value is not False and value != "" and not beside

    def _put(self, found: dict[str, Any], part: Part, path: str, name: str) -> None:
        self._places[path] = name
        value = _written(part, self.cleaned_data.get(name))
        if value is not None:
            put(found, path, value)

    # --- Flaws ------------------------------------------------------------------------------------------------------
    def show(self, flaws: Iterable[Flaw]) -> None:
        """Put each flaw at its field; what has none here stands above the form."""
        for flaw in flaws:
            rows = next((path for path in self._counts if flaw.path == path), None)
            if rows is not None:
                self._row_errors[rows] = flaw.message
                self.add_error(None, flaw.message)
                continue
            name = self.place(flaw.path)
            self.add_error(name, flaw.message if name else _with_path(flaw))

    def place(self, path: str) -> str | None:
        """The field that a path of the document comes from: its own, or that of the nearest thing around it."""
        while path:
            name = self._places.get(path, path)
            if name in self.fields:
                return name
            path = path.rpartition(".")[0] if "." in path else ""
        return None


def _with_path(flaw: Flaw) -> str:
    return f"{flaw.path}: {flaw.message}" if flaw.path else flaw.message


# --- Rows in what was sent ------------------------------------------------------------------------------------------
def _row_count(rows: Rows, data: QueryDict | None, document: Mapping[str, Any] | None) -> int:
    if data is not None:
        return _counted(data, rows.path)
    found: Any = document or {}
    for step in rows.path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return min(len(found), MOST_ROWS) if isinstance(found, list) else 0


def _counted(data: QueryDict, path: str) -> int:
    return min(max(whole(data.get(f"rows:{path}", "")) or 0, 0), MOST_ROWS)


def with_row(data: QueryDict, path: str) -> QueryDict:
    """What was sent, with one row more in a list."""
    changed = data.copy()
    changed[f"rows:{path}"] = str(min(_counted(data, path) + 1, MOST_ROWS))
    return changed


def without_row(data: QueryDict, row: str) -> QueryDict:
    """What was sent without one row (`path[index]`). The others keep their names, and so what was typed into them."""
    changed = data.copy()
    changed.appendlist("gone", row)
    return changed


# --- Kinds ----------------------------------------------------------------------------------------------------------
def _field(part: Part) -> forms.Field:
    attrs = {**_PLAIN, "placeholder": part.placeholder} if part.placeholder else dict(_PLAIN)
    shared: dict[str, Any] = {"label": part.label, "help_text": part.help, "required": False, "initial": part.initial}
    number_error = {"invalid": message_for("pool-number-invalid", {})}
    match part.kind:
        case "flag":
            return forms.BooleanField(**shared)
        case "choice":
            return forms.ChoiceField(choices=list(part.choices), **shared)
        case "number" | "minutes":
            return forms.IntegerField(widget=forms.NumberInput(attrs=attrs), error_messages=number_error, **shared)
        case "area" | "lines":
            return forms.CharField(widget=forms.Textarea(attrs={**attrs, "rows": 3}), strip=False, **shared)
        case "code":
            code = {**attrs, "rows": 8, "class": "bp-mono"}
            return forms.CharField(widget=forms.Textarea(attrs=code), strip=False, **shared)
        case "secret":
            # htmx leaves such a field as it is, so what was typed stays, and only in the browser.
            kept = {**attrs, "autocomplete": "new-password", "hx-preserve": "true"}
            return forms.CharField(widget=forms.PasswordInput(render_value=False, attrs=kept), strip=False, **shared)
    return forms.CharField(widget=forms.TextInput(attrs=attrs), **shared)


def _written(part: Part, value: Any) -> Any:
    """A cleaned value as the document has it; None leaves it out."""
    if part.kind == "flag":
        return bool(value) if value or part.sent else None
    if value in {None, ""}:
        return None
    if part.kind == "minutes":
        return f"PT{value}M"
    if part.kind == "lines":
        return [line.strip() for line in value.splitlines() if line.strip()] or None
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _shown(part: Part, value: Any) -> Any:
    """A value of a document as its field shows it."""
    if value is None:
        return part.initial
    if part.kind == "minutes":
        span = duration(value) or timedelta()
        return int(span.total_seconds() // 60)
    if part.kind == "lines":
        return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    return value


NOTHING = ("", _("–"))
