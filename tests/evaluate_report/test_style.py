"""What the page's look promises: contrast in both schemes, no width of its own, safe building blocks."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import atanor.page
from atanor.page import figures
from atanor.page.chart import tick
from atanor.page.markup import join, tag, verbatim
from atanor.page.scale import fitting, linear
from tests.evaluate_report.walk import Page

CSS = (Path(atanor.page.__file__).parent / "page.css").read_text(encoding="utf-8")
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


def schemes() -> list[dict[str, str]]:
    light, dark = [
        dict(re.findall(r"--(\S+): (#\w{6});", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.S)
    ]
    assert light.keys() == dark.keys(), "both schemes define every colour"
    return [light, dark]


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear_light = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear_light, strict=True))


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", schemes(), ids=["light", "dark"])
def test_text_can_be_read_in_both_schemes(scheme: dict[str, str]) -> None:
    inks = ("ink", "soft", "base", "tuned", "better", "worse", "unsure")
    pairs = [*product(inks, ("paper", "raised")), ("ink", "sunk")]
    pairs += [("on-fill", fill) for fill in ("base", "better", "worse")]
    for front, back in pairs:
        assert contrast(scheme[front], scheme[back]) >= 4.5, f"{front} on {back}"


def test_the_style_sheet_loads_nothing() -> None:
    assert "url(" not in CSS and "@import" not in CSS and "@font-face" not in CSS


@given(st.text())
def test_any_text_stays_one_text(text: str) -> None:
    page = Page(f"<p>{join(tag('b', text, title=text))}</p>")
    assert [name for name, _ in page.elements] == ["p", "b"]


def test_a_style_or_script_that_closes_its_element_is_refused() -> None:
    with pytest.raises(ValueError, match="must not contain"):
        verbatim("let x = '</script>'")


@given(st.lists(NUMBERS, max_size=20), st.booleans())
def test_every_value_lies_on_its_scale(values: list[float], from_zero: bool) -> None:
    scale = linear(values, 300, 0, from_zero=from_zero)
    assert all(0 <= scale(value) <= 300 for value in values)
    rounding = 1e-6 * (scale.high - scale.low)
    assert all(scale.low - rounding <= value <= scale.high + rounding for value in values)
    assert 2 <= len(scale.ticks) <= 12


@given(st.lists(st.floats(min_value=1e-6, max_value=1e9), min_size=1, max_size=20))
def test_wide_ranges_are_drawn_by_factors(values: list[float]) -> None:
    scale = fitting(values, 0, 100)
    assert all(-1e-6 <= scale(value) <= 100 + 1e-6 for value in values)
    assert scale.logarithmic == (max(values) / min(values) > 20)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.00"),
        (0.956, "0.96"),
        (-0.004, "−0.00"),
        (9.996, "10"),
        (20.89, "20.9"),
        (460.07, "460"),
        (1234.5, "1,234"),
        (-8.2, "−8.20"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "∞"),
    ],
)
def test_scores_have_few_digits(value: float | None, shown: str) -> None:
    assert figures.score(value) == shown


def test_changes_carry_their_sign() -> None:
    assert [figures.signed(value) for value in (0.94, -8.2, 0.0)] == ["+0.94", "−8.20", "0.00"]


def test_a_tiny_margin_brings_more_decimals() -> None:
    assert [figures.decimals(margin) for margin in (2.0, 0.05, 0.02, 0.01, 0.005, 0.0)] == [2, 2, 2, 2, 3, 2]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.25, "0.25"), (-0.5, "−0.5"), (500, "500"), (20_000, "20k"), (2e6, "2e6"), (2e-5, "2e−5")],
)
def test_ticks_are_short(value: float, shown: str) -> None:
    assert tick(value) == shown
