"""Gates: what a candidate must reach, in sentences a person writes, judged on confidence limits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from atanor.errors import ConfigurationError, Problem
from atanor.evaluate.comparison import GUARD, oriented
from atanor.evaluate.items import Comparison, GateResult, Verdict

FORMS = (
    "<metric> better",
    "<metric> better by X",
    "<metric> not worse",
    "<metric> not worse by X",
    "<metric> within X",
    "<metric> at least X",
    "<metric> at most X",
    "clean data",
    "items at least X",
)
"""Every sentence a gate can be, X being a number in the metric's unit."""
CLEAN_DATA = "clean data"
"""The gate that no test item stands in the training rows; it is about no metric."""
ITEMS = "items"
"""What a gate names to ask for so many independent test items."""


class GateKind(StrEnum):
    """What a gate asks for."""

    BETTER = "better"
    NOT_WORSE = "not worse"
    AT_LEAST = "at least"
    AT_MOST = "at most"
    CLEAN = "clean"


@dataclass(frozen=True)
class Gate:
    """One sentence, read.

    Attributes:
        text: as the project has it.
        metric: name of the metric.
        kind: what is asked.
        amount: the X of the sentence in the metric's unit; None where it has none.
    """

    text: str
    metric: str
    kind: GateKind
    amount: float | None = None


_SENTENCE = re.compile(
    r"(?P<metric>\w+)\s+(?:(?P<open>better|not\s+worse)(?:\s+by\s+(?P<by>\S+))?"
    r"|(?P<within>within)\s+(?P<within_by>\S+)|at\s+(?P<own>least|most)\s+(?P<score>\S+))"
)


def parse_gate(text: str) -> Gate:
    """Read a sentence of one of the `FORMS`. `within X` means `not worse by X`.

    Raises:
        ConfigurationError: it is none of them, or X is no number, or not above 0 where it is a change.
    """
    if text.split() == CLEAN_DATA.split():
        return Gate(text, "data", GateKind.CLEAN)
    found = _SENTENCE.fullmatch(text.strip())
    if found is None:
        raise _refused(text, "a gate is one of: " + "; ".join(FORMS))
    if found["metric"] == ITEMS and found["own"] != "least":
        raise _refused(text, "of the test items a gate can only ask how many there are, as `items at least 100`")
    if found["own"]:
        kind = GateKind.AT_LEAST if found["own"] == "least" else GateKind.AT_MOST
        return Gate(text, found["metric"], kind, _number(text, found["score"]))
    kind = GateKind.BETTER if found["open"] == "better" else GateKind.NOT_WORSE
    written = found["by"] or found["within_by"]
    if written is None:
        return Gate(text, found["metric"], kind)
    amount = _number(text, written)
    if amount <= 0:
        raise _refused(text, f"`{written}` must be above 0: it is a size, and the words say the direction")
    return Gate(text, found["metric"], kind, amount)


def gate_metrics(gates: Iterable[Gate]) -> set[str]:
    """Names of the metrics that gates ask for."""
    return {gate.metric for gate in gates if gate.kind is not GateKind.CLEAN and gate.metric != ITEMS}


def judge(gate: Gate, comparisons: Sequence[Comparison]) -> GateResult:
    """Whether a candidate passes, and why.

    - `better`: the metric's verdict is `better`. `better by X`: and the whole interval of the gain is at least X, since
      a gain that could as well be smaller has not been shown.
    - `not worse by X`: the whole interval of the gain is at or above -X (non-inferiority); without X, the metric's
      margin is the X. Of a candidate on too few items this cannot be shown, and the gate fails.
    - `at least X`, `at most X`: the candidate's own score over the test items, as measured.
    - `items at least X`: every metric but that of general text is measured on so many independent items.

    Of `clean data` no comparison knows anything: see `contamination.leaks.clean_data`.

    A gate that is not passed is undecided where the interval holds what is asked for as well as less.

    Raises:
        ConfigurationError: the gate's metric is not among the comparisons.
    """
    if gate.metric == ITEMS:
        return _enough_items(gate, comparisons)
    found = next((comparison for comparison in comparisons if comparison.metric == gate.metric), None)
    if found is None:
        measured = ", ".join(comparison.metric for comparison in comparisons)
        raise _refused(gate.text, f"`{gate.metric}` is not measured; measured: {measured}")
    if gate.kind is GateKind.BETTER:
        passed, reason = _better(gate, found)
    elif gate.kind is GateKind.NOT_WORSE:
        passed, reason = _not_worse(gate, found)
    else:
        passed, reason = _own_score(gate, found)
    return GateResult(gate.text, passed, reason, not passed and _could_pass(gate, found))


def _enough_items(gate: Gate, comparisons: Sequence[Comparison]) -> GateResult:
    """Whether the test is as large as the project wants it."""
    assert gate.amount is not None  # refused without
    clusters = min((found.clusters for found in comparisons if found.metric != GUARD), default=0)
    reason = f"{clusters:,} independent test items; {gate.kind} {gate.amount:g} is asked for"
    return GateResult(gate.text, clusters >= gate.amount, reason)


def _could_pass(gate: Gate, found: Comparison) -> bool:
    """The interval of the gain reaches what is asked for."""
    if gate.kind is GateKind.BETTER and gate.amount is None:
        return found.verdict is Verdict.CANNOT_TELL
    _, _, most = oriented(found.change, found.low, found.high, found.higher_is_better)
    if gate.kind is GateKind.BETTER:
        return gate.amount is not None and most >= gate.amount
    if gate.kind is GateKind.NOT_WORSE:
        return most >= -(found.margin if gate.amount is None else gate.amount)
    return False


def _better(gate: Gate, found: Comparison) -> tuple[bool, str]:
    gain, least, most = oriented(found.change, found.low, found.high, found.higher_is_better)
    shown = f"a gain of {_interval(gain, least, most)}"
    if found.verdict is not Verdict.BETTER:
        return False, f"{found.label}: {shown} is `{found.verdict}`"
    if gate.amount is None:
        return True, f"{found.label}: {shown} is `better`"
    if least >= gate.amount:
        return True, f"{found.label}: {shown} clears {_signed(gate.amount, least)}"
    smallest, wanted = _signed(least, gate.amount), _signed(gate.amount, least)
    return False, f"{found.label}: {shown} could be as small as {smallest}; {wanted} is asked for"


def _not_worse(gate: Gate, found: Comparison) -> tuple[bool, str]:
    gain, least, most = oriented(found.change, found.low, found.high, found.higher_is_better)
    allowed = found.margin if gate.amount is None else gate.amount
    source = " (the metric's margin)" if gate.amount is None else ""
    limit = f"{_unsigned(allowed, least)}{source}"
    shown = f"{found.label}: a gain of {_interval(gain, least, most)}"
    if least >= 0:
        return True, f"{shown} is not worse at all; {limit} worse is allowed"
    worst = _unsigned(-least, allowed)
    if least >= -allowed:
        return True, f"{shown} is at worst {worst} worse; {limit} is allowed"
    return False, f"{shown} could be as much as {worst} worse; {limit} is allowed"


def _own_score(gate: Gate, found: Comparison) -> tuple[bool, str]:
    assert gate.amount is not None  # the grammar has no `at least` without a number
    passed = found.candidate >= gate.amount if gate.kind is GateKind.AT_LEAST else found.candidate <= gate.amount
    score, limit = _unsigned(found.candidate, gate.amount), _unsigned(gate.amount, found.candidate)
    return passed, f"{found.label} is {score}; {gate.kind} {limit} is asked for"


def _number(text: str, written: str) -> float:
    try:
        number = float(written)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _refused(text, f"`{written}` is no number; write one in the metric's unit, as 0.2")
    return number


def _interval(gain: float, least: float, most: float) -> str:
    return f"{_signed(gain)} [{_signed(least)}, {_signed(most)}]"


def _signed(number: float, beside: float = 0.0) -> str:
    return ("−" if number < 0 else "+") + _unsigned(abs(number), abs(beside))


def _unsigned(number: float, beside: float) -> str:
    """A number with two decimals, or as many as it takes to see that it differs from the one beside it."""
    for decimals in range(2, 6):
        if math.isclose(abs(number), abs(beside)) or f"{abs(number):.{decimals}f}" != f"{abs(beside):.{decimals}f}":
            break
    return f"{number:.{decimals}f}".replace("-", "−")


def _refused(text: str, reason: str) -> ConfigurationError:
    problem = Problem(reason, field="gates", value=repr(text), fix="For example: `json_schema better by 0.2`")
    return ConfigurationError("a gate cannot be understood", [problem])
