"""The build: what is kept of Tabler, the icon sprite, and how much a first visit loads."""

from __future__ import annotations

import re
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest

from scripts import assets as building

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def kept(css: str, *known: str) -> str:
    return building.reduce_css(css, set(known))


def test_rules_of_unknown_classes_are_dropped() -> None:
    assert kept(".a{x:1}.b{x:2}", "a") == ".a{x:1}"


def test_a_list_keeps_the_selectors_that_can_match() -> None:
    assert kept(".a,.b .c,p{x:1}", "b", "c") == ".b .c,p{x:1}"


def test_a_media_query_without_rules_disappears() -> None:
    assert kept("@media print{.a{x:1}}@media screen{.b{x:1}}", "b") == "@media screen{.b{x:1}}"


def test_what_a_selector_excludes_need_not_be_in_use() -> None:
    assert kept(".a:not(.unused,:is(.other)){x:1}", "a") == ".a:not(.unused,:is(.other)){x:1}"


def test_braces_and_semicolons_in_strings_end_nothing() -> None:
    css = '@charset "a;{";.a{content:"}\\"{"}.b{x:1}'
    assert kept(css, "a", "b") == css


def test_escaped_class_names_are_compared_without_their_escapes() -> None:
    assert kept(r".w-1\/2{x:1}", "w-1/2") == r".w-1\/2{x:1}"


def test_statements_and_font_faces_stay() -> None:
    css = "@layer one,two;@font-face{font-family:x}"
    assert kept(css) == css


def test_animations_go_with_the_last_rule_that_names_them() -> None:
    css = "@keyframes spin{to{x:1}}@keyframes fade{to{x:1}}.a{animation:spin 1s}"
    assert building.drop_unused_animations(css) == "@keyframes spin{to{x:1}}.a{animation:spin 1s}"


def test_every_class_of_our_templates_keeps_its_rules() -> None:
    css = building.COMMENT.sub("", building.TABLER.read_text(encoding="utf-8"))
    reduced = building.reduce_css(css, building.words())
    in_templates = {
        name
        for path in TEMPLATES
        for value in re.findall(r'class="([^"]*)"', path.read_text(encoding="utf-8"))
        for name in re.sub(r"\{[%{].*?[%}]\}", " ", value).split()
    }
    rules = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
    lost = (in_templates & set(rules.findall(css))) - set(rules.findall(reduced))
    assert not lost


def test_every_named_icon_exists_and_is_in_the_sprite(assets: Path) -> None:
    names = building.icon_names()
    missing = sorted(name for name in names if not building.icon_file(name).is_file())
    assert not missing, f"not in Tabler Icons: {missing}"
    sprite = (assets / "icons.svg").read_text(encoding="utf-8")
    assert set(re.findall(r'<symbol id="([^"]+)"', sprite)) == names


def test_an_unknown_icon_stops_the_build() -> None:
    with pytest.raises(SystemExit, match="no-such-icon"):
        building.sprite({"home", "no-such-icon"})


@pytest.mark.parametrize(
    "text",
    ['{% icon "home" %}', "{% badge x icon='home' %}", '{"icon": "home"}', 'icon="home"', 'empty_icon="home"'],
)
def test_icons_are_found_in_every_way_of_naming_them(text: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(text)
    assert building.icon_names([file]) == {"home"}


def test_an_icon_name_from_a_variable_is_not_taken_for_a_name(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("{% icon item.icon %} {% icon shape %}")
    assert building.icon_names([file]) == set()


def test_no_script_of_ours_evaluates_text(assets: Path) -> None:
    for name in ("app.js", "upload.js"):
        assert "sourceMappingURL" not in (assets / name).read_text(encoding="utf-8")
    for path in (ROOT / "static" / "src" / "js").glob("*.js"):
        assert not re.search(r"\beval\(|new Function|innerHTML\s*=", path.read_text(encoding="utf-8")), path.name


def compressed(path: Path) -> int:
    return len(brotli.compress(path.read_bytes()))


def test_a_first_visit_loads_at_most_150_kilobytes(assets: Path) -> None:
    """The heaviest page, with the upload client and 30 KB for the page itself, in bytes as they travel."""
    names = ("app.css", "app.js", "upload.js", "icons.svg", "mark.svg")
    weights = {name: compressed(assets / name) for name in names}
    assert sum(weights.values()) + 30_000 <= 150_000, weights
