"""Answers that stand in their own prompt: a model trained on them learns to copy, and a test of them tests nothing.

A leak is a run of the answer's words that stands word for word in the prompt, measured as its share of the answer.
Labels and short answers are no leaks: that they stand in the prompt is what classification and reading comprehension
are. For tasks that quote, extract or rewrite, long runs are right as well; the finding says how long, and the project
decides. Words are runs of letters and digits, in lower case; a script without spaces has no words to compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.checks.flat_text import FlatText, ascii_mask
from atanor.data.findings import Finding
from atanor.errors import shorten

RULE = "leaks.answer_in_prompt"

_WORD_BYTES = ascii_mask("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", beyond=True)
_SPACE = ascii_mask(" \t\n\r\v\f")
_NO_WORD = r"[^\p{L}\p{N}\p{M}]+"
"""What stands between words, for RE2."""
_WORD = re.compile(r"[^\W_]+")
_MOST_PLACES = 64
"""Places of the prompt that a piece of the answer is followed at; only a prompt that repeats itself has more."""


def find_leaks(
    prompts: pa.StringArray, answers: pa.StringArray, least_share: float = 0.8, fewest_words: int = 10
) -> list[Finding]:
    """Find answers of which a long part stands in the prompt.

    Args:
        prompts: all that stands before each answer.
        answers: as many answers.
        least_share: share of the answer's words that has to stand in a row in the prompt, above 0 and at most 1.
        fewest_words: answers with fewer words between spaces are not looked at.

    Returns:
        One finding an answer, at the words that leak; `text` is the index of the answer.
    """
    runs = _longest_runs(prompts, answers, least_share, fewest_words)
    return [_finding(run, answers[run.answer].as_py()) for run in runs]


def leak_shares(
    prompts: pa.StringArray, answers: pa.StringArray, least_share: float = 0.8, fewest_words: int = 10
) -> npt.NDArray[np.float64]:
    """Of each answer, the share of words that stand in a row in its prompt; 0 below `least_share`.

    The arguments are those of `find_leaks`. Where most rows have a high share, the task is one of quoting.
    """
    shares = np.zeros(len(answers))
    for run in _longest_runs(prompts, answers, least_share, fewest_words):
        shares[run.answer] = run.share
    return shares


@dataclass(frozen=True, slots=True)
class _Run:
    """Words of an answer that stand in a row in its prompt: those from `start` up to `stop`, of `words`."""

    answer: int
    start: int
    stop: int
    words: int

    @property
    def share(self) -> float:
        return (self.stop - self.start) / self.words


def _longest_runs(
    prompts: pa.StringArray, answers: pa.StringArray, least_share: float, fewest_words: int
) -> Iterator[_Run]:
    """The runs that are long enough, at most one an answer; most answers are decided by counting words."""
    prompts, answers = pc.fill_null(prompts, ""), pc.fill_null(answers, "")
    given, said = FlatText.of(prompts), FlatText.of(answers)
    enough = said.count_runs(~_SPACE[said.data]) >= fewest_words
    enough &= given.count_runs(_WORD_BYTES[given.data]) >= said.count_runs(_WORD_BYTES[said.data]) * least_share
    suspects = _with_middle(prompts, _normalised(answers, np.flatnonzero(enough)), np.flatnonzero(enough), least_share)
    for place, prompt in zip(suspects, _normalised(prompts, np.array(list(suspects), np.int64)), strict=True):
        words = suspects[place]
        start, stop = _longest_run(prompt, words, least_share)
        if words and stop - start >= len(words) * least_share:
            yield _Run(int(place), start, stop, len(words))


def _with_middle(
    prompts: pa.StringArray, answers: list[str], places: npt.NDArray[np.int64], least_share: float
) -> dict[int, list[str]]:
    """The words of those answers whose middle words all stand somewhere in their prompts.

    A run of more than half of the words holds those in the middle, so most answers are done after a word or two.
    """
    lower = pc.utf8_lower(prompts.take(pa.array(places))).to_pylist()
    found = {}
    for place, prompt, answer in zip(places.tolist(), lower, answers, strict=True):
        words = answer.split()
        outside = int(len(words) * (1 - least_share)) + 1
        if all(word in prompt for word in words[outside : len(words) - outside]):
            found[place] = words
    return found


def _normalised(texts: pa.StringArray, places: npt.NDArray[np.int64]) -> list[str]:
    """Words in lower case with one space before and after each."""
    lower = pc.utf8_lower(texts.take(pa.array(places)))
    return [f" {text.strip()} " for text in pc.replace_substring_regex(lower, _NO_WORD, " ").to_pylist()]


def _longest_run(prompt: str, words: list[str], least_share: float) -> tuple[int, int]:
    """First and last place, in `words`, of the longest run that stands in the prompt and is long enough; else (0, 0).

    A run of `n` words holds a whole block of the blocks of `(n + 1) // 2` words that the answer is cut into, so that
    almost every row is decided by looking for a few blocks.
    """
    block = max(1, (int(np.ceil(len(words) * least_share)) + 1) // 2)
    best = (0, 0)
    given: list[str] = []
    for start in range(0, len(words) - block + 1, block):
        piece = f" {' '.join(words[start : start + block])} "
        at = prompt.find(piece)
        for _ in range(_MOST_PLACES):
            if at < 0:
                break
            given = given or prompt.split()
            run = _extended(given, prompt.count(" ", 0, at), words, start, block)
            best = max(best, run, key=lambda span: span[1] - span[0])
            at = prompt.find(piece, at + 1)
    return best


def _extended(given: list[str], at: int, words: list[str], start: int, length: int) -> tuple[int, int]:
    """The run around `words[start : start + length]`, which equals `given[at : at + length]`, as long as it goes on."""
    stop, after = start + length, at + length
    while start > 0 and at > 0 and words[start - 1] == given[at - 1]:
        start, at = start - 1, at - 1
    while stop < len(words) and after < len(given) and words[stop] == given[after]:
        stop, after = stop + 1, after + 1
    return start, stop


def _finding(run: _Run, answer: str) -> Finding:
    spans = [word.span() for word in _WORD.finditer(answer)]
    # The two expressions part words alike except around rare marks; then the finding is about the whole answer.
    start, end = (spans[run.start][0], spans[run.stop - 1][1]) if len(spans) == run.words else (0, len(answer))
    return Finding(
        text=run.answer,
        rule=RULE,
        start=start,
        end=end,
        shown=shorten(answer[start:end]),
        reason=f"{run.share:.0%} of the answer, {run.stop - run.start} words in a row, stand in its prompt",
        fix="Take the answer out of the prompt, or set `leaks: off` where the task is to quote",
    )
