"""Rules that hold in all of the portal's code and templates and that no type checker knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from apps.core.exceptions import PortalError
from apps.core.messages import message_for, registry

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(path for path in (ROOT / "apps").rglob("*.py") if "migrations" not in path.parts)
# What a developer reads and nobody else, and files that are no page.
UNTRANSLATED = {"core/gallery.html", "core/gallery_confirm.html", "components/mark.html"}
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
CODE_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- Codes and their words -------------------------------------------------------------------------------------------


def error_classes(base: type[PortalError] = PortalError) -> Iterator[type[PortalError]]:
    for found in base.__subclasses__():
        yield found
        yield from error_classes(found)


def string_constants(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def raised_codes() -> dict[str, str]:
    """Codes that are given to an error by name, with the file that does."""
    names = {cls.__name__ for cls in error_classes()} | {"PortalError"}
    found = {}
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and first.value:
                    found[str(first.value)] = name_of(path)
    return found


def test_every_code_has_words() -> None:
    # Importing all of it makes the subclasses known.
    assert apps.ready
    classes = {cls.code: cls.__module__ for cls in error_classes() if cls.__module__.startswith("apps.")}
    missing = {code: where for code, where in (raised_codes() | classes).items() if code not in registry()}
    assert not missing, f"No words in any messages.py: {missing}"


def test_every_message_is_used() -> None:
    used = set().union(*(string_constants(path) for path in CODE if path.name != "messages.py"))
    unused = {code for code in registry() if code not in used}
    # Codes that are put together from parts, such as the findings in a zip, name their parts.
    unused = {code for code in unused if not built(code, used)}
    assert not unused, f"Nothing says: {sorted(unused)}"


def built(code: str, used: set[str]) -> bool:
    """Whether a code is two literals in a row, one of them with the hyphen between."""
    cuts = [position for position, letter in enumerate(code) if letter == "-"]
    return any(code[:at] in used and code[at:] in used for cut in cuts for at in (cut, cut + 1))


def test_codes_are_words_and_messages_name_their_values() -> None:
    for code, text in registry().items():
        assert CODE_NAME.fullmatch(code), code
        assert not re.search(r"%[^(%]", str(text).replace("%%", "")), f"{code}: a placeholder without a name"


def test_an_unknown_code_or_a_missing_value_shows_a_neutral_text() -> None:
    assert message_for("never-heard-of", {}) == "Something went wrong (never-heard-of)."
    assert message_for("not-permitted", {}) == "Something went wrong (not-permitted)."


# --- Templates -------------------------------------------------------------------------------------------------------

COMMENT = re.compile(r"\{% comment %\}.*?\{% endcomment %\}|\{#.*?#\}", re.DOTALL)
TRANSLATED = re.compile(r"\{% blocktranslate.*?\{% endblocktranslate %\}", re.DOTALL)
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
# Attributes that people hear or see.
SPOKEN = re.compile(r"\s(?:title|aria-label|placeholder|alt|data-confirm|data-copied)\s*=\s*\"([^\"]*)\"")
ELEMENT = re.compile(r"<script\b.*?</script>|<(?:code|kbd)\b[^>]*>.*?</(?:code|kbd)>|<[^>]*>", re.DOTALL)
WORD = re.compile(r"[^\W\d_]{2,}")
# Names, units and signs that are the same in every language.
NAMES = {"Batchportal", "Azure", "Batch", "CSV", "SHA", "ID", "Linux", "Windows", "zip", "nbsp", "middot", "amp", "Esc"}


def untranslated(template: str) -> set[str]:
    """Words that a person would meet as they stand."""
    text = TRANSLATED.sub("", COMMENT.sub("", template))
    spoken = " ".join(TAG.sub(" ", found) for found in SPOKEN.findall(text))
    visible = ELEMENT.sub(" ", TAG.sub(" ", text))
    return set(WORD.findall(f"{visible} {spoken}")) - NAMES


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<p>Save it</p>", {"Save", "it"}),
        ('<a title="Open">{% translate "Open" %}</a>', {"Open"}),
        ("{% blocktranslate %}Save {{ name }}{% endblocktranslate %} {{ name }}", set()),
        ('{% comment %} A form. {% endcomment %}<input class="wide" name="q"> {# why #}', set()),
    ],
)
def test_the_search_for_words_finds_them(template: str, words: set[str]) -> None:
    assert untranslated(template) == words


@pytest.mark.parametrize("path", [path for path in TEMPLATES if name_of(path)[10:] not in UNTRANSLATED], ids=name_of)
def test_all_words_of_a_template_can_be_translated(path: Path) -> None:
    words = untranslated(path.read_text(encoding="utf-8"))
    assert not words, f"Not in translate or blocktranslate: {sorted(words)}"


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_escapes_all_it_shows(path: Path) -> None:
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    assert not re.search(r"\|\s*safe\b|autoescape\s+off|\|\s*safeseq\b", text)


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_code_never_marks_text_as_safe(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "mark_safe" not in text
    assert not re.search(r"\bSafeString\(", text)
