"""Exact duplicates and contradictions, by 128-bit keys of content."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atanor.data.duplicates.folding import fold_in_chunks

Keys = npt.NDArray[np.uint64]
"""128-bit BLAKE2b keys as two numbers each: (things, 2)."""


class Disagreement(StrEnum):
    """What it means that one prompt has several answers."""

    CONTRADICTION = "contradiction"
    """The answers are classes, and at most one of them is right."""
    SEVERAL_REFERENCES = "several_references"
    """The answers are free text, and all of them may be good."""


@dataclass(frozen=True)
class AnswerGroup:
    """Rows with one prompt and more than one answer.

    Attributes:
        rows: the rows, ascending.
        answers: for each of them the number of its answer, from 0 in the order they appear.
        kind: what it means.
    """

    rows: tuple[int, ...]
    answers: tuple[int, ...]
    kind: Disagreement


def content_keys(texts: pa.StringArray) -> Keys:
    """A key for each text: equal where the texts are. A null is an empty text."""
    return _keys([(text or "").encode() for text in texts.to_pylist()])


def folded_keys(texts: pa.StringArray) -> Keys:
    """A key for each text: equal where the texts differ in case, punctuation and white space at most.

    Texts of which folding leaves nothing, as `?!`, are compared as they stand.
    """
    digests: list[bytes] = []
    for first, chunk in fold_in_chunks(texts):
        codes = chunk.codes.astype("<u4", copy=False).view(np.uint8).data
        for index, (start, end) in enumerate(zip(chunk.starts.tolist(), chunk.ends.tolist(), strict=True), first):
            digests.append(_digest(codes[4 * start : 4 * end]) if end > start else _bare(texts[index].as_py()))
    return _of_digests(digests)


def joined_keys(keys: Keys, starts: npt.NDArray[np.int64]) -> Keys:
    """One key for each run of things, as for the turns of a prompt: equal where all their keys are, in order.

    Args:
        keys: (things, 2).
        starts: (runs + 1,) where each run begins; the last is the end of all. A run may be empty.
    """
    content = np.ascontiguousarray(keys).view(np.uint8).reshape(-1).data
    return _keys([content[16 * start : 16 * end] for start, end in itertools.pairwise(starts.tolist())])


def first_occurrences(keys: Keys) -> npt.NDArray[np.int64]:
    """For each thing the place of the first one with its key; its own where there is none before it.

    Args:
        keys: (things, 2). Working memory is about 40 bytes a thing.
    """
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # stable: the first of equals stays the first
    begins = np.ones(len(keys), bool)
    begins[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    start = np.maximum.accumulate(np.where(begins, np.arange(len(keys)), 0))
    first = np.empty(len(keys), np.int64)
    first[order] = order[start]
    return first


def contradictions(
    prompt_keys: Keys, answer_keys: Keys, labelled: npt.NDArray[np.bool_] | None = None
) -> tuple[AnswerGroup, ...]:
    """Groups of rows with one prompt and different answers, in the order of their first rows.

    Args:
        prompt_keys: (rows, 2) keys of the prompts, usually folded; rows without a prompt are for the caller to leave
            out.
        answer_keys: (rows, 2) keys of the answers or labels, usually folded.
        labelled: (rows,) whether the answer is a class. A group all of classes is a contradiction. None: none is.
    """
    prompts, answers = first_occurrences(prompt_keys), first_occurrences(answer_keys)
    order = np.argsort(prompts, kind="stable")
    order = order[np.bincount(prompts, minlength=len(prompts))[prompts[order]] > 1]
    borders = np.flatnonzero(np.diff(prompts[order], prepend=-1))
    if not len(order):
        return ()
    found = answers[order]
    differ = np.minimum.reduceat(found, borders) != np.maximum.reduceat(found, borders)
    ends = np.append(borders[1:], len(order))
    return tuple(
        _answer_group(order[start:end], found[start:end], labelled)
        for start, end in zip(borders[differ].tolist(), ends[differ].tolist(), strict=True)
    )


def _answer_group(
    rows: npt.NDArray[np.int64], answers: npt.NDArray[np.int64], labelled: npt.NDArray[np.bool_] | None
) -> AnswerGroup:
    numbers = {answer: number for number, answer in enumerate(dict.fromkeys(answers.tolist()))}
    classes = labelled is not None and bool(labelled[rows].all())
    kind = Disagreement.CONTRADICTION if classes else Disagreement.SEVERAL_REFERENCES
    return AnswerGroup(tuple(rows.tolist()), tuple(numbers[one] for one in answers.tolist()), kind)


def _bare(text: str | None) -> bytes:
    """The digest of a text that folding leaves empty; it equals that of no folded text."""
    return blake2b((text or "").strip().encode(), digest_size=16, person=b"as it stands").digest()


def _digest(content: bytes | memoryview) -> bytes:
    return blake2b(content, digest_size=16).digest()


def _keys(contents: list[bytes] | list[memoryview]) -> Keys:
    return _of_digests([_digest(content) for content in contents])


def _of_digests(digests: list[bytes]) -> Keys:
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64, copy=False).reshape(-1, 2)
