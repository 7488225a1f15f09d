"""Gates: sentences a person writes, and why a candidate passes or not."""

from __future__ import annotations

import pytest

from atanor.errors import ConfigurationError
from atanor.evaluate import gate_metrics, judge, parse_gate
from atanor.evaluate.gates import FORMS, Gate, GateKind
from atanor.evaluate.items import Verdict
from tests.evaluate.marking import comparison

BETTER, UNSURE = Verdict.BETTER, Verdict.CANNOT_TELL


@pytest.mark.parametrize(
    ("text", "metric", "kind", "amount"),
    [
        ("json_schema better", "json_schema", GateKind.BETTER, None),
        ("json_schema better by 0.2", "json_schema", GateKind.BETTER, 0.2),
        ("rouge_l not worse", "rouge_l", GateKind.NOT_WORSE, None),
        ("  rouge_l  not  worse  by  .05 ", "rouge_l", GateKind.NOT_WORSE, 0.05),
        ("forgetting within 0.05", "forgetting", GateKind.NOT_WORSE, 0.05),
        ("bleu at least 20", "bleu", GateKind.AT_LEAST, 20.0),
        ("perplexity at most 1e1", "perplexity", GateKind.AT_MOST, 10.0),
    ],
)
def test_every_form_is_read(text: str, metric: str, kind: GateKind, amount: float | None) -> None:
    gate = parse_gate(text)
    assert gate == Gate(text, metric, kind, amount)
    assert gate_metrics([gate, gate]) == {metric}


def test_the_forms_that_are_shown_are_the_forms_that_are_read() -> None:
    assert len(FORMS) == 9
    for form in FORMS:
        parse_gate(form.replace("<metric>", "bleu").replace("X", "0.5"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a gate is one of: <metric> better; <metric> better by X; "),
        ("json_schema", "a gate is one of"),
        ("json_schema beter", "a gate is one of"),
        ("json_schema better than 0.2", "a gate is one of"),
        ("json_schema better by", "a gate is one of"),
        ("json_schema better by much", "`much` is no number"),
        ("json_schema better by 5%", "`5%` is no number"),
        ("json_schema better by 0", "`0` must be above 0"),
        ("json_schema not worse by -0.1", "`-0.1` must be above 0"),
        ("bleu at least nan", "`nan` is no number"),
        ("bleu at most inf", "`inf` is no number"),
        ("items better", "a gate can only ask how many there are"),
    ],
)
def test_other_sentences_are_refused_with_the_forms(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match="gates: ") as caught:
        parse_gate(text)
    assert message in str(caught.value)
    assert "For example: `json_schema better by 0.2`" in str(caught.value)


GAIN = {"change": 0.3, "low": 0.12, "high": 0.4}
LOSS = {"change": 0.03, "low": 0.01, "high": 0.06, "higher_is_better": False, "verdict": UNSURE}


@pytest.mark.parametrize(
    ("text", "changes", "passed", "reason"),
    [
        ("m better", GAIN, True, "m: a gain of +0.30 [+0.12, +0.40] is `better`"),
        ("m better", {**GAIN, "verdict": UNSURE}, False, "m: a gain of +0.30 [+0.12, +0.40] is `cannot tell`"),
        ("m better by 0.1", GAIN, True, "m: a gain of +0.30 [+0.12, +0.40] clears +0.10"),
        (
            "m better by 0.2",
            GAIN,
            False,
            "m: a gain of +0.30 [+0.12, +0.40] could be as small as +0.12; +0.20 is asked for",
        ),
        (
            "m better by 0.121",
            GAIN,
            False,
            "m: a gain of +0.30 [+0.12, +0.40] could be as small as +0.120; +0.121 is asked for",
        ),
        (
            "m not worse",
            GAIN,
            True,
            "m: a gain of +0.30 [+0.12, +0.40] is not worse at all; 0.05 (the metric's margin) worse is allowed",
        ),
        (
            "m not worse",
            LOSS,
            False,
            "m: a gain of −0.03 [−0.06, −0.01] could be as much as 0.06 worse; 0.05 (the metric's margin) is allowed",
        ),
        ("m within 0.06", LOSS, True, "m: a gain of −0.03 [−0.06, −0.01] is at worst 0.06 worse; 0.06 is allowed"),
        (
            "m not worse by 0.05",
            LOSS,
            False,
            "m: a gain of −0.03 [−0.06, −0.01] could be as much as 0.06 worse; 0.05 is allowed",
        ),
        ("m at least 0.5", GAIN, True, "m is 0.50; at least 0.50 is asked for"),
        ("m at least 0.501", GAIN, False, "m is 0.500; at least 0.501 is asked for"),
        ("m at most 0.4", GAIN, False, "m is 0.50; at most 0.40 is asked for"),
        ("m at most -1", {**GAIN, "candidate": -1.5}, True, "m is −1.50; at most −1.00 is asked for"),
    ],
)
def test_a_gate_is_judged_with_its_reason(text: str, changes: dict[str, object], passed: bool, reason: str) -> None:
    verdict = changes.get("verdict", BETTER)
    assert isinstance(verdict, Verdict)
    others = {key: value for key, value in changes.items() if key != "verdict"}
    result = judge(parse_gate(text), [comparison("other", BETTER), comparison("m", verdict, **others)])
    assert (result.gate, result.passed, result.reason) == (text, passed, reason)


def test_a_gate_on_something_not_measured_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="`bleu` is not measured; measured: m"):
        judge(parse_gate("bleu better"), [comparison("m", BETTER)])


@pytest.mark.parametrize(
    ("text", "changes", "undecided"),
    [
        ("m better by 0.2", {"low": 0.1, "high": 0.4}, True),
        ("m better by 0.5", {"low": 0.1, "high": 0.4}, False),
        ("m better", {"low": -0.1, "high": 0.4, "verdict": UNSURE}, True),
        ("m better", {"low": -0.01, "high": 0.01, "verdict": Verdict.NO_DIFFERENCE}, False),
        ("m not worse by 0.05", {"low": -0.1, "high": 0.1, "verdict": UNSURE}, True),
        ("m not worse by 0.05", {"low": -0.3, "high": -0.1, "verdict": Verdict.WORSE}, False),
        ("m at least 0.9", {}, False),
    ],
)
def test_a_gate_that_is_not_passed_says_whether_more_items_could_tell(
    text: str, changes: dict[str, object], undecided: bool
) -> None:
    verdict = changes.pop("verdict", BETTER)
    assert isinstance(verdict, Verdict)
    result = judge(parse_gate(text), [comparison("m", verdict, **changes)])
    assert (result.passed, result.undecided) == (False, undecided)


@pytest.mark.parametrize(("wanted", "passed"), [(12, True), (13, False)])
def test_a_gate_asks_for_enough_independent_items(wanted: int, passed: bool) -> None:
    measured = [comparison("m", BETTER, clusters=12), comparison("forgetting", UNSURE, clusters=5)]
    result = judge(parse_gate(f"items at least {wanted}"), measured)
    assert (result.passed, result.undecided) == (passed, False)
    assert result.reason == f"12 independent test items; at least {wanted} is asked for"
