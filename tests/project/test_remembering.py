"""What a candidate made of the test is remembered, but what was measured in time on this machine only."""

from __future__ import annotations

from typing import Any, cast

import pytest

from atanor.evaluate.items import Outcome
from atanor.progress import Silent
from atanor.project import assessment
from atanor.project.assessment import Examiner
from tests.evaluate.marking import metric


class Remembering:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def outcomes(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def remember_outcomes(self, key: str, content: bytes) -> None:
        self.kept[key] = content


class Anything:
    """Stands for a classifier, of which only what names it is asked."""

    sha = "abc"

    def __getattr__(self, name: str) -> Anything:
        return self

    def model_dump_json(self) -> str:
        return "{}"


@pytest.mark.parametrize(("name", "asked"), [("accuracy", 1), ("latency", 2)])
def test_time_measured_on_another_machine_is_measured_again(
    name: str, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def named(*arguments: Any) -> list[Outcome]:
        calls.append(arguments[2])
        return [Outcome("yes", True, 1.0, 1, 3, confidence=0.5, seconds=0.25)]

    monkeypatch.setattr(assessment, "named_classes", named)
    store: Any = Remembering()
    nothing: Any = None
    examiner = Examiner(nothing, nothing, [], [metric(name)], [], 0, store)
    classifier = cast(Any, Anything())
    for machine in ("one", "one", "another"):
        monkeypatch.setattr(assessment, "this_machine", lambda machine=machine: machine)
        sat = examiner.classified(classifier, [], "classifier", "identity", Silent())
        assert sat.test[0].confidence == 0.5 and sat.test[0].seconds == 0.25
    assert len(calls) == asked
