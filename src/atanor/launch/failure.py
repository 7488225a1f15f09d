"""Why a run that others executed failed, as an error of this process.

A process that fails on purpose leaves its error in a file; of one that was killed, whoever started it knows the signal.
Of several, the one that the others died of is told: a process that lost its peers is not the cause.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from atanor import errors
from atanor.errors import AtanorError, Problem, TrainingError
from atanor.store.files import write_text
from atanor.train import Interrupted, PeerLostError

_GOES_ON = "`atanor run` goes on from the last checkpoint"


class UnforeseenError(TrainingError):
    """A mistake in the code, or what a library raised; a process whose peer is gone may end so too."""


_KINDS: Mapping[str, type[AtanorError]] = {
    kind.__name__: kind
    for kind in (*vars(errors).values(), Interrupted, PeerLostError, UnforeseenError)
    if isinstance(kind, type) and issubclass(kind, AtanorError)
}
"""Every error that a process may leave, by its name."""


@dataclass(frozen=True)
class Ended:
    """How one process ended.

    Attributes:
        rank: its number.
        code: its exit code, negative for a signal; None where it is not known.
        log: what it printed.
    """

    rank: int
    code: int | None
    log: Path | None


def leave_error(control: Path, rank: int, error: AtanorError) -> None:
    """Write an error where `error_of` finds it."""
    told = {"type": type(error).__name__, "summary": error.summary, "problems": [asdict(one) for one in error.problems]}
    write_text(control / f"error-{rank}.json", json.dumps(told))


def error_of(control: Path, ended: Sequence[Ended], processes: int) -> AtanorError:
    """The error of a run whose processes ended so."""
    problem = Problem("none of its processes said why", file=str(control), fix=_GOES_ON)
    unknown = TrainingError("the run ended before it was done", [problem])
    return next(_causes(_left(control), ended, processes), unknown)


def _causes(left: Mapping[int, AtanorError], ended: Sequence[Ended], processes: int) -> Iterator[AtanorError]:
    """What the run may have failed of, the likeliest first."""
    own = {rank: error for rank, error in left.items() if not isinstance(error, PeerLostError | UnforeseenError)}
    yield from (error for error in own.values() if isinstance(error, Interrupted))
    yield from (_of_process(rank, error, processes) for rank, error in own.items())
    by_itself = [one for one in ended if one.code != -signal.SIGTERM]  # the others are ended by that signal
    yield from (_of_code(one, processes) for one in by_itself if one.code is not None and one.code < 0)
    crashed = {rank: error for rank, error in left.items() if isinstance(error, UnforeseenError)}
    yield from (_of_process(rank, error, processes) for rank, error in crashed.items())
    yield from (_of_code(one, processes) for one in by_itself if one.rank not in left)
    yield from (_of_process(rank, error, processes) for rank, error in left.items())


def _of_code(one: Ended, processes: int) -> AtanorError:
    return TrainingError(f"process {one.rank} of {processes} {_how(one)}", [_problem(one)])


def _of_process(rank: int, error: AtanorError, processes: int) -> AtanorError:
    return type(error)(f"process {rank} of {processes}: {error.summary}", error.problems)


def _left(control: Path) -> Mapping[int, AtanorError]:
    """What processes left, by their number, the first to fail first: the others may have died of it."""
    files = sorted(control.glob("error-*.json"), key=lambda file: (file.stat().st_mtime_ns, file.name))
    return {int(file.stem.partition("-")[2]): _read(file) for file in files}


def _read(file: Path) -> AtanorError:
    told = json.loads(file.read_text(encoding="utf-8"))
    kind = _KINDS.get(told["type"], TrainingError)
    return kind(told["summary"], [Problem(**one) for one in told["problems"]])


def _how(one: Ended) -> str:
    if one.code is not None and one.code < 0:
        return f"was ended by {signal.Signals(-one.code).name}"
    return "ended with an error"


def _problem(one: Ended) -> Problem:
    said = [line.strip() for line in _lines(one.log) if line.strip()]
    if one.code == -signal.SIGKILL:
        reason = "somebody killed it, or the machine had no memory left"
        fix = f"{_GOES_ON}; where memory ran out, lower `tokens_per_pass` or `processes`"
    elif one.code is not None and one.code < 0:
        reason, fix = "it did not end by itself", _GOES_ON
    else:
        reason, fix = said[-1] if said else "it did not say why", f"Mend that; {_GOES_ON}"
    return Problem(reason, file=None if one.log is None else str(one.log), fix=fix)


def _lines(log: Path | None) -> list[str]:
    return [] if log is None or not log.is_file() else log.read_text(encoding="utf-8", errors="replace").splitlines()
