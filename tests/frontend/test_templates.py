"""Rules that hold in every template, and that the documentation names every component."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from apps.core.templatetags.portal import register

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
COMPONENTS = sorted((ROOT / "templates" / "components").glob("*.html"))
DOCUMENT = (ROOT / "docs" / "developers" / "components.md").read_text(encoding="utf-8")
COMMENT = re.compile(r"\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_nothing_that_the_content_security_policy_refuses(path: Path) -> None:
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    assert not re.search(r"\sstyle\s*=", text), "style attribute"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "event handler attribute"
    assert not re.search(r"<style\b", text), "style element"
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or "application/json" in script, script
    assert "hx-on" not in text
    assert "https://" not in re.sub(r'xmlns="[^"]*"|href="https://[^"]*"', "", text) or "src=" not in text


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.name)
def test_a_component_says_what_it_needs_and_is_documented(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("{% comment %}")
    assert f"`{path.name}`" in DOCUMENT


@pytest.mark.parametrize("name", sorted({*register.tags, *register.filters}))
def test_a_tag_is_documented(name: str) -> None:
    assert re.search(rf"\{{% {name}\b|\\\|{name}\b|\|{name}\b", DOCUMENT)


def test_every_class_of_ours_has_a_rule_and_every_rule_a_use() -> None:
    sources = ROOT / "static" / "src"
    defined = {name for path in sources.rglob("*.css") for name in re.findall(r"\.(bp-[\w-]+)", path.read_text())}
    places = [*TEMPLATES, *sources.rglob("*.js"), *(ROOT / "apps").rglob("*.py")]
    mentioned = {name for path in places for name in re.findall(r"(?<![\w-])bp-[\w-]+", path.read_text())}
    in_templates = {
        name
        for path in TEMPLATES
        for value in re.findall(r'class="([^"]*)"', path.read_text(encoding="utf-8"))
        for name in re.findall(r"(?<![\w-])bp-[\w-]+", value)
    }
    assert not in_templates - defined
    assert not defined - mentioned - set(re.findall(r"bp-[\w-]+", DOCUMENT))
