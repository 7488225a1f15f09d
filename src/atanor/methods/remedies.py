"""What a method does against forgetting, made from its options before anything is put into the base."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atanor.inference import Decoding
from atanor.methods.candidate import Bench
from atanor.models import Tuned
from atanor.progress import Progress
from atanor.store.database import FOLDER
from atanor.train.remedies.anchor import L2SP, Ewc
from atanor.train.remedies.divergence import KlToBase
from atanor.train.remedies.general import GeneralSource, general_rows
from atanor.train.remedies.options import RemedyOptions, ReplayOptions, SelfWrittenOptions
from atanor.train.remedies.regulariser import Regulariser
from atanor.train.remedies.replay import Replay
from atanor.train.remedies.self_written import self_written_rows

CACHE = "cache"
"""Folder below a project's store for what is computed once: importance of weights, rows that the base wrote."""
_FIELD = "against_forgetting"


@dataclass(frozen=True)
class Remedies:
    """The remedies of one method.

    Attributes:
        options: as written.
        replays: general rows that stand in every step.
    """

    options: RemedyOptions
    bench: Bench
    replays: tuple[Replay, ...]

    def regularisers(self, tuned: Tuned) -> tuple[Regulariser, ...]:
        """What is added to the objective.

        Args:
            tuned: what trains, as it begins.

        Raises:
            DataError: general rows cannot be read.
        """
        made: list[Regulariser] = []
        options, bench = self.options, self.bench
        if options.kl_to_base is not None:
            general = {row.example_id for replay in self.replays for row in replay.rows}
            made.append(KlToBase(tuned, options.kl_to_base.weight, options.kl_to_base.rows, general))
        if options.l2_sp is not None:
            made.append(L2SP(tuned, options.l2_sp))
        if options.ewc is not None:
            source = options.replay or ReplayOptions()
            rows = general_rows(bench.base, _source(source, bench, "replay"), source.max_tokens).rows
            some = rows[: options.ewc.rows]
            made.append(Ewc(tuned, options.ewc.weight, some, seed=bench.seed, cache=_cache(bench)))
        return tuple(made)


def prepare_remedies(options: RemedyOptions, bench: Bench, progress: Progress) -> Remedies:
    """Read or write the rows that are replayed, and tell what they are.

    Args:
        options: the method's.
        bench: with the untouched base.
        progress: told the counts.

    Raises:
        DataError: general rows cannot be read.
    """
    replays: list[Replay] = []
    if options.replay is not None:
        source = _source(options.replay, bench, "replay")
        found = general_rows(bench.base, source, options.replay.max_tokens)
        for note in found.notes:
            progress.say(f"replay    {note}")
        replays.append(Replay(found.rows, options.replay.share, bench.seed, source.name))
    written = options.self_written
    if written is not None:
        source = _source(written, bench, "self_written")
        decoding = Decoding(written.max_new_tokens, written.temperature, seed=bench.seed)
        found = self_written_rows(bench.base, source, decoding, _cache(bench), progress)
        for note in found.notes:
            progress.say(f"replay    {note}")
        # Another seed than that of `replay`: the two walks have nothing to do with each other.
        replays.append(Replay(found.rows, written.share, bench.seed + 1, "answers of the base"))
    for replay in replays:
        progress.say(f"replay    {len(replay.rows)} rows of {replay.name}: {replay.share:.0%} of every step's rows")
    return Remedies(options, bench, tuple(replays))


def _cache(bench: Bench) -> Path:
    return bench.root / FOLDER / CACHE


def _source(options: ReplayOptions | SelfWrittenOptions, bench: Bench, key: str) -> GeneralSource:
    return GeneralSource(f"{_FIELD}.{key}", options.path, bench.root, options.outside, bench.held_out)
