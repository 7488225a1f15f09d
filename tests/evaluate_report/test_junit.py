"""A CI server reads from the file which gates are reached, and why the others are not."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from atanor.evaluate.decision import Decision, decision_of
from atanor.evaluate.items import GateResult, Verdict
from atanor.evaluate.junit import junit
from tests.evaluate_report.reports import HOSTILE, full_report

REACHED = GateResult("bleu better", True, "BLEU: a gain")
MISSED = GateResult("rouge_l better", False, f"not a gain {HOSTILE}")
OPEN = GateResult("forgetting within 0.05", False, "could be 0.06 worse", True)


def test_every_gate_is_a_test_case() -> None:
    root = ET.fromstring(junit([full_report(gates=[REACHED, MISSED, OPEN]), full_report(gates=[REACHED])]))
    first, second = root.findall("testsuite")
    assert [(suite.get("tests"), suite.get("failures")) for suite in (first, second)] == [("3", "2"), ("1", "0")]
    assert [case.get("name") for case in first.findall("testcase")] == [one.gate for one in (REACHED, MISSED, OPEN)]
    failures = first.findall("testcase/failure")
    assert [one.get("type") for one in failures] == ["fail", "cannot tell"]
    assert failures[0].get("message") == re.sub(r"[\x00\x1b]", "\ufffd", MISSED.reason)
    told = {one.get("name"): one.get("value") for one in first.findall("properties/property")}
    assert told["verdict"] == "better"
    assert "perplexity" in told


@pytest.mark.parametrize(
    ("verdict", "gates", "decision"),
    [
        (Verdict.WORSE, [REACHED], Decision.PASS),
        (Verdict.BETTER, [REACHED, OPEN], Decision.CANNOT_TELL),
        (Verdict.BETTER, [OPEN, MISSED], Decision.FAIL),
        (Verdict.BETTER, [], Decision.PASS),
        (Verdict.CANNOT_TELL, [], Decision.CANNOT_TELL),
        (Verdict.NO_DIFFERENCE, [], Decision.FAIL),
        (Verdict.WORSE, [], Decision.FAIL),
    ],
)
def test_gates_decide_and_without_any_the_verdict(
    verdict: Verdict, gates: list[GateResult], decision: Decision
) -> None:
    assert decision_of(full_report(verdict=verdict, gates=gates)) is decision
