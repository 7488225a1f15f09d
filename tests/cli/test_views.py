"""What the terminal shows, at 80 columns, without colour."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console, RenderableType

from atanor.cli import figures, live, tables
from atanor.cli.live import TerminalProgress
from atanor.errors import ConfigurationError, Problem
from atanor.project.events import DataReady
from tests.reports import report


def shown(what: RenderableType) -> str:
    console = Console(width=80, no_color=True, force_terminal=False, file=io.StringIO())
    console.print(what)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= 80
    return text


def test_the_report_fits_the_screen_and_says_what_matters() -> None:
    words = " ".join(shown(tables.report_view(report())).split())
    for needed in (
        "+0.94 [+0.85, +0.98]",
        "better",
        "no difference",
        "cannot tell",
        "pass json_schema better by 0.2",
        "FAIL rouge_l better",
        "Verdict: better. Better on json schema and perplexity",
        "Released as director@1.",
        "2:31 training",
        "4.88 M of 135 M parameters",
    ):
        assert needed in words, needed
    assert "Not released." in shown(tables.report_view(report(released=None)))


def test_the_example_shows_what_carries_loss_without_colour() -> None:
    made = report()
    text = shown(tables.data_view(DataReady("director", made.data, (("note: ", 0.0), ("beat<end>", 1.0), ("\n", 0.0)))))
    assert "note: ⟦beat<end>⟧" in text
    words = " ".join(text.split())
    assert "482 rows read · 2 refused" in words and "1 duplicates" in words and "43% supervised" in words


def test_problems_stand_in_columns_and_the_file_is_said_once() -> None:
    error = ConfigurationError(
        "atanor.yaml has 2 problems; nothing was started.",
        [
            Problem("unknown option", "atanor.yaml", 9, "roles.director.split.tests", fix="Did you mean `test`?"),
            Problem("`lroa` is no method", "atanor.yaml", 10, "roles.director.methods[2]", fix="Write `lora`"),
        ],
    )
    text = shown(tables.problems_view(error))
    assert text.count("atanor.yaml") == 1
    assert "line 9" in text and "line 10" in text and "Did you mean `test`?" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (-0.019, "−0.02"), (20.9, "20.9"), (408.3, "408"), (12_345.6, "12,346"), (float("nan"), "–")],
)
def test_figures_are_short_and_have_a_true_minus(value: float, text: str) -> None:
    assert figures.score(value) == text


def test_durations_and_counts() -> None:
    assert figures.duration(151) == "2:31"
    assert figures.duration(3751) == "1:02:31"
    assert figures.count(4_884_480) == "4.88 M"
    assert figures.count(118_204) == "118,204"


def test_in_a_log_progress_is_plain_lines_with_rate_and_remaining_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 6))
    monkeypatch.setattr(live.time, "monotonic", lambda: float(next(clock)))
    console = Console(file=io.StringIO(), force_terminal=False, width=120)
    with TerminalProgress(console).start("training", 10, "step", done=4) as bar:
        for _ in range(6):
            bar.advance(1, loss=0.5)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "training: 6 steps"
    assert any("steps/s" in line and "left" in line and "loss 0.5" in line for line in lines)
    assert lines[-1].startswith("training 10/10 steps") and lines[-1].endswith("done")


def test_an_error_closes_the_bar_and_says_how_far_it_got() -> None:
    console = Console(file=io.StringIO(), force_terminal=False, width=120)
    with pytest.raises(RuntimeError), TerminalProgress(console).start("training", 10, "step") as bar:
        bar.advance(3)
        raise RuntimeError
    assert console.file.getvalue().splitlines()[-1].startswith("training 3/10 steps")  # type: ignore[attr-defined]
    assert "stopped" in console.file.getvalue()  # type: ignore[attr-defined]


def test_on_a_terminal_there_is_a_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with TerminalProgress(console).start("training", 2, "step") as bar:
        bar.advance(2, loss=0.25)
        time.sleep(0.2)
    assert "2/2" in console.file.getvalue() and "loss 0.25" in console.file.getvalue()  # type: ignore[attr-defined]
