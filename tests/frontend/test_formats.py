"""Sizes, durations and moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from apps.core.formats import duration_text, size_exact, size_text
from apps.core.templatetags.portal import moment, percent, size, when


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1_288_490_189, "1.20 GiB"),
        (36_175_872, "34.5 MiB"),
        (678 * 1024**3, "678 GiB"),
        (1_048_167, "1.00 MiB"),
        (10_236, "10.0 KiB"),
        (3 * 1024**6, "3072 PiB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size_text(count) == text


@given(st.integers(min_value=0, max_value=2**62))
def test_a_size_keeps_three_digits(count: int) -> None:
    number, unit = size_text(count).split()
    factor = 1024 ** ("B", "KiB", "MiB", "GiB", "TiB", "PiB").index(unit)
    assert abs(float(number) * factor - count) <= max(count * 0.0051, 0)


def test_sizes_follow_the_locale() -> None:
    with translation.override("de"):
        assert size_text(1_288_490_189) == "1,20 GiB"
        assert size_exact(1_288_490_189).startswith("1.288.490.189")


def test_the_exact_size_stands_in_the_title() -> None:
    assert size(1_288_490_189) == '<data value="1288490189" title="1,288,490,189 bytes">1.20 GiB</data>'
    assert size(None) == "–"


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (0, "0 s"),
        (0.42, "0.4 s"),
        (9.96, "10 s"),
        (65, "1 min 5 s"),
        (3600, "1 h"),
        (timedelta(days=3, hours=4, minutes=50), "3 d 4 h"),
        (-5, "0 s"),
    ],
)
def test_durations(span: timedelta | float, text: str) -> None:
    assert duration_text(span) == text


@pytest.mark.parametrize(
    ("done", "total", "shown"), [(0, 10, 0), (9_999, 10_000, 99), (10, 10, 100), (5, 0, 0), (12, 10, 100)]
)
def test_percent_is_full_only_when_all_is_done(done: int, total: int, shown: int) -> None:
    assert percent(done, total) == shown


def test_moments_are_shown_in_the_persons_time_zone() -> None:
    noon = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    with timezone.override(ZoneInfo("Europe/Berlin")):
        shown = moment(noon)
        assert 'datetime="2026-07-01T14:00:00+02:00"' in shown
        assert "2 p.m." in shown
        assert "CEST" in shown
        assert "data-relative" not in shown
        assert " data-relative>" in when(noon)
    assert when(None) == moment(None) == "–"
