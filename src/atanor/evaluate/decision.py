"""May a candidate be released? Pass, fail or cannot tell, and the checks the answer rests on."""

from __future__ import annotations

from enum import StrEnum

from atanor.evaluate.items import GateResult, Verdict
from atanor.evaluate.report import Report


class Decision(StrEnum):
    """The answer to "may it be released?"."""

    PASS = "pass"
    FAIL = "fail"
    CANNOT_TELL = "cannot tell"


def checks_of(report: Report) -> list[GateResult]:
    """What a candidate must reach: its project's gates; without any, the verdict `better`."""
    if report.gates:
        return report.gates
    return [
        GateResult(
            "verdict better",
            report.verdict is Verdict.BETTER,
            f"its verdict is `{report.verdict}`: {report.headline}",
            report.verdict is Verdict.CANNOT_TELL,
        )
    ]


def decision_of(report: Report) -> Decision:
    """Pass where every check does; fail where one surely does not; else it cannot be told from so many items."""
    checks = checks_of(report)
    if all(check.passed for check in checks):
        return Decision.PASS
    unsure = all(check.passed or check.undecided for check in checks)
    return Decision.CANNOT_TELL if unsure else Decision.FAIL
