"""What passes is promoted by hand, what does not only with a reason that is kept; an alias goes back in one step."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from atanor.evaluate.items import GateResult, Verdict
from atanor.evaluate.report import Report
from atanor.project.promotion import NotPassedError, promote
from atanor.store import Store
from tests.evaluate_report.reports import full_report
from tests.store.test_store import candidate


def judged(verdict: Verdict, *gates: GateResult) -> Report:
    return full_report(verdict=verdict, gates=list(gates), headline="As it was found.")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path)
    for run in ("aaaa", "bbbb"):
        made.begin_run(run + "0" * 60, "director", "lora")
        made.add_candidate(candidate(run))
    return made


def test_what_passes_is_promoted_and_the_alias_goes_back_in_one_step(store: Store) -> None:
    for run in ("aaaa", "bbbb"):
        release = promote(store, candidate(run), judged(Verdict.BETTER), None)
        assert release.forced is None
    assert store.candidate("director").id == "director-bbbb"
    back = promote(store, store.candidate("director@1"), judged(Verdict.BETTER), None)
    assert (back.name, store.candidate("director").id) == ("director@3", "director-aaaa")


def test_what_does_not_pass_needs_a_reason(store: Store) -> None:
    failed = GateResult("rouge_l better", False, "ROUGE-L: a gain of +0.01 is `cannot tell`")
    with pytest.raises(NotPassedError, match="has not passed: As it was found") as refused:
        promote(store, candidate("aaaa"), judged(Verdict.BETTER, failed), "  ")
    (problem,) = refused.value.problems
    assert (problem.reason, problem.value) == (failed.reason, "rouge_l better")
    assert "--force" in (problem.fix or "")
    assert refused.value.exit_code == 3
    assert store.releases() == []
    with pytest.raises(NotPassedError) as undecided:
        promote(store, candidate("aaaa"), judged(Verdict.CANNOT_TELL), None)
    assert "its verdict is `cannot tell`" in undecided.value.problems[0].reason
    release = promote(store, candidate("aaaa"), judged(Verdict.CANNOT_TELL), "the demo is tonight")
    assert store.releases() == [release]
    assert release.forced == "the demo is tonight"


def test_a_database_of_an_earlier_version_gets_the_new_column(tmp_path: Path) -> None:
    (tmp_path / ".atanor").mkdir()
    with sqlite3.connect(tmp_path / ".atanor" / "atanor.db") as tables:
        tables.execute("CREATE TABLE releases (role TEXT, version INTEGER, candidate TEXT, created TEXT)")
        tables.execute("INSERT INTO releases VALUES ('director', 1, 'director-aaaa', '2026-01-01')")
    (release,) = Store(tmp_path).releases()
    assert (release.name, release.forced) == ("director@1", None)
