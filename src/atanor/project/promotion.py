"""Releasing a candidate by hand: what passes is promoted, what does not only with a reason that is kept."""

from __future__ import annotations

from atanor.errors import AtanorError, Problem
from atanor.evaluate.decision import Decision, checks_of, decision_of
from atanor.evaluate.report import Report
from atanor.store import CandidateRecord, Release, Store


class NotPassedError(AtanorError):
    """A candidate was to be promoted that has not passed."""

    exit_code = 3


def promote(store: Store, candidate: CandidateRecord, report: Report, reason: str | None) -> Release:
    """Point the role's alias at a candidate.

    An earlier release is promoted again in the same way, which takes the alias back to it in one step.

    Args:
        store: of the project.
        candidate: which.
        report: the verdict on it.
        reason: why it is released although it has not passed; kept with the release.

    Raises:
        NotPassedError: it has not passed and no reason is given.
    """
    passed = decision_of(report) is Decision.PASS
    if not passed and not (reason or "").strip():
        raise NotPassedError(f"{candidate.id} has not passed: {report.headline}", _why(report))
    return store.release(candidate.role, candidate.id, None if passed else reason)


def _why(report: Report) -> list[Problem]:
    fix = "Write `--force REASON`: it is released and the reason kept"
    missed = [check for check in checks_of(report) if not check.passed]
    return [Problem(check.reason, field="gates", value=check.gate, fix=fix) for check in missed]
