"""What the store remembers, one frozen record a row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    FINISHED = "finished"


@dataclass(frozen=True)
class DatasetRecord:
    """A dataset by content: `sha` names the examples in order, `split_sha` which side each is on."""

    sha: str
    split_sha: str
    role: str
    sources: tuple[str, ...]
    rows: int
    created: str


@dataclass(frozen=True)
class RunRecord:
    """One execution of one method for one role.

    Attributes:
        id: short name, the start of `key`.
        key: SHA-256 of everything that decides the result: role, method, data, base, template, seed, version.
        verdict: of its candidate against the baseline; None before it is known.
        headline: the verdict in one sentence.
        candidate: id of the candidate it made.
        error: why it failed.
    """

    id: str
    key: str
    role: str
    method: str
    state: RunState
    folder: str
    created: str
    finished: str | None = None
    seconds: float | None = None
    verdict: str | None = None
    headline: str | None = None
    candidate: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class CandidateRecord:
    """A thing that can answer.

    Attributes:
        artefact: SHA-256 of its description, kept in the artefact folder.
        parent: what its training began from: another candidate's id, or a folder.
    """

    id: str
    run: str
    role: str
    method: str
    base: str
    folder: str
    artefact: str
    created: str
    parent: str | None = None


@dataclass(frozen=True)
class Release:
    """What an alias points at: `name` is `role@version`. `forced` says why, where it had not passed."""

    role: str
    version: int
    candidate: str
    created: str
    forced: str | None = None

    @property
    def name(self) -> str:
        return f"{self.role}@{self.version}"
