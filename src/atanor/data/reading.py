"""Files to examples: every row becomes an example, a refusal or a row left out, and the three add up."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atanor.data.formats import Columns
from atanor.data.opening import OpenSource, Wishes, open_source
from atanor.data.options import SourceOptions
from atanor.data.readers import digest_of
from atanor.data.refusals import listed
from atanor.data.rows import Example, Refusal
from atanor.data.sources import FileKind, locate
from atanor.errors import DataError


@dataclass(frozen=True)
class SourceFormat:
    """How one file was read.

    Attributes:
        path: as the user wrote it.
        kind: how rows are laid out in the file.
        columns: the recognised shape and the column read for each part of it.
        unused: columns of the first rows that are not read.
        sha256: hex digest of the file's bytes.
        read: rows in the file.
        left_out: rows that `where`, `limit` and the options of the shape left out.
        extra: examples and refusals beyond the first of a row that gives several.
        joined: rows that are part of another row's example.
        shortened: conversations whose last turns, which nobody answers, were left off.
    """

    path: str
    kind: FileKind
    columns: Columns
    unused: tuple[str, ...]
    sha256: str
    read: int
    left_out: int
    extra: int = 0
    joined: int = 0
    shortened: int = 0


@dataclass(frozen=True)
class ReadResult:
    """All rows of a role. `read + extra == len(examples) + len(refusals) + left_out + joined`.

    Attributes:
        examples: usable rows, in the order of the files.
        refusals: the others, each with its reason.
        read: rows in the files.
        left_out: rows that `where`, `limit` and the options of a shape left out.
        formats: how each file was read.
        extra: examples and refusals beyond the first of a row that gives several (self-instruct, nested trees).
        joined: rows that are part of another row's example (messages of a tree, speeches, gathered references).
        shortened: examples whose last turns, which nobody answers, were left off.
    """

    examples: tuple[Example, ...]
    refusals: tuple[Refusal, ...]
    read: int
    left_out: int
    formats: tuple[SourceFormat, ...]
    extra: int = 0
    joined: int = 0
    shortened: int = 0


def read_examples(
    sources: Sequence[SourceOptions],
    root: Path,
    *,
    group_by: str | None = None,
    system: str | None = None,
    task_text: bool = False,
    seed: int = 0,
    confined: bool = True,
) -> ReadResult:
    """Read and check every row of every source, in order.

    Args:
        sources: the files.
        root: folder that relative paths start from.
        group_by: column whose equal values stay on one side of the split; every row must have it.
        system: system message put before conversations that have none.
        task_text: the role continues plain text: rows are read as text, and conversations are an error.
        seed: draws the rows of a source with a `limit`.
        confined: paths that lead out of `root` are refused unless their source says `outside: true`.

    Raises:
        DataError: a file is missing, unreadable, empty or not recognised, or its options contradict it. A bad row
            is no error: it is a refusal.
    """
    wishes = Wishes(root, group_by, system, task_text)
    parts = [_read_source(open_source(source, wishes), seed) for source in locate(sources, root, confined=confined)]
    return ReadResult(
        examples=tuple(itertools.chain.from_iterable(part.examples for part in parts)),
        refusals=tuple(itertools.chain.from_iterable(part.refusals for part in parts)),
        read=sum(part.read for part in parts),
        left_out=sum(part.left_out for part in parts),
        formats=tuple(itertools.chain.from_iterable(part.formats for part in parts)),
        extra=sum(part.extra for part in parts),
        joined=sum(part.joined for part in parts),
        shortened=sum(part.shortened for part in parts),
    )


def require_enough(*, read: int, left: int, left_out: int, refusals: Sequence[Refusal], max_refused: float) -> None:
    """Stop when too few rows are usable.

    Args:
        read: rows in the files.
        left: rows that can be used.
        left_out: rows nobody wanted, or that were there already.
        refusals: rows refused.
        max_refused: the largest share of refused rows that is put up with, from 0 to 1.

    Raises:
        DataError: more rows are refused than that, or none is left; lists the first problems.
    """
    refused = len(refusals)
    if not left:
        raise DataError(f"no row is left of {read} read: {refused} refused, {left_out} left out", listed(refusals))
    if refused > max_refused * read:
        share = f"{refused} of {read} rows are refused ({refused / read:.1%})"
        raise DataError(f"{share}, more than the {max_refused:.1%} allowed", listed(refusals))


def _read_source(opened: OpenSource, seed: int) -> ReadResult:
    part = opened.read()
    kept = _draw(part.examples, opened.source.options.limit, seed)
    left_out = part.left_out + len(part.examples) - len(kept)
    found = SourceFormat(
        path=opened.source.name,
        kind=opened.source.kind,
        columns=opened.columns,
        unused=opened.unused,
        sha256=digest_of(opened.source),
        read=part.read,
        left_out=left_out,
        extra=part.tally.extra,
        joined=part.tally.joined,
        shortened=part.tally.shortened,
    )
    return ReadResult(
        examples=kept,
        refusals=tuple(part.refusals),
        read=part.read,
        left_out=left_out,
        formats=(found,),
        extra=part.tally.extra,
        joined=part.tally.joined,
        shortened=part.tally.shortened,
    )


def _draw(examples: Sequence[Example], limit: int | None, seed: int) -> tuple[Example, ...]:
    """At most `limit` examples in their order; the draw hangs on content, so that more rows keep most of it."""
    if limit is None or limit >= len(examples):
        return tuple(examples)
    keys = [hashlib.sha256(f"{seed}:{example.id}".encode()).digest() for example in examples]
    drawn = sorted(range(len(examples)), key=lambda index: (keys[index], index))[:limit]
    return tuple(examples[index] for index in sorted(drawn))
