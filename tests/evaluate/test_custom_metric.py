"""A metric of one's own: loaded from the project, and loud about everything that goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from atanor.errors import ConfigurationError, MetricError
from tests.evaluate.marking import item, metric, outcome, score

CODE = """\
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Thing:
    x: int

def length(answer: str, item) -> float:
    return len(answer) / 10

def says_yes(answer: str, item) -> bool:
    return "yes" in answer

def fields(answer, item):
    return item.fields["note"]

def fails(answer, item):
    return item.fields["absent"]

def lies(answer, item) -> bool:
    return 0.5

def nothing(answer, item):
    return None

def undefined(answer, item):
    return float("nan")

def one_argument(answer):
    return 1
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "metrics.py").write_text(CODE)
    (tmp_path / "code" / "broken.py").write_text("x = 1\ny = 1 / 0\n")
    (tmp_path / "code" / "typo.py").write_text("x = 1\n\ndef f(:\n")
    return tmp_path


def test_numbers_and_booleans_are_averaged(project: Path) -> None:
    length = metric("custom", "code/metrics.py:length", project)
    assert score(length, ["abc", "abcde"], ["", ""]) == pytest.approx(0.4)
    assert not length.yes_no and length.bounds is None and length.label == "length"
    says = metric("custom", "code/metrics.py:says_yes", project)
    assert score(says, ["yes!", "no"], ["", ""]) == 0.5
    assert says.yes_no and says.label == "says yes"
    assert metric("custom", "code/metrics.py:fields", project).statistics(item(3), outcome("")) == (3.0, 1.0)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("fails", r"code/metrics\.py:18  custom: item item-4: `fails` raised KeyError: 'absent' \(got answer 'hm'\)"),
        ("lies", r"item item-4: `lies` is annotated `-> bool` and returned 0\.5"),
        ("nothing", r"item item-4: `nothing` returned None, which is no finite number"),
        ("undefined", r"item item-4: `undefined` returned nan, which is no finite number"),
    ],
)
def test_what_goes_wrong_on_an_item_names_it(project: Path, function: str, message: str) -> None:
    found = metric("custom", f"code/metrics.py:{function}", project)
    with pytest.raises(MetricError, match=message):
        found.statistics(item(4), outcome("hm"))


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("code/metrics.py", "a file and a function .* Write `custom: metrics.py:function`"),
        (
            "code/metric.py:length",
            r"code/metric\.py  custom: the file does not exist. Did you mean `code/metrics\.py`\?",
        ),
        ("lenght", "no installed package offers `lenght` among its entry points `atanor.metrics`"),
        ("code/metrics.py:lenght", r"there is no function `lenght`. Did you mean `length`\?"),
        ("code/metrics.py:Thing", "there is no function `Thing`. Did you mean"),
        ("code/metrics.py:one_argument", r"metrics\.py:29  custom: `one_argument` cannot be called with an answer and"),
        ("code/broken.py:f", r"code/broken\.py:2  custom: running the file raised ZeroDivisionError"),
        ("code/typo.py:f", r"code/typo\.py:3  custom: running the file raised SyntaxError"),
    ],
)
def test_a_function_that_cannot_be_used_is_refused(project: Path, argument: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        metric("custom", argument, project)
