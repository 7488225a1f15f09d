"""A quality score of each answer, from 0 to 1, with the parts it is made of.

The parts are the heuristics by which web text is chosen for pretraining, fitted to answers: Gopher (Rae et al. 2021,
arXiv:2112.11446, section A.1.1: word length, signs, bullets, trailing dots, repeated n-grams), C4 (Raffel et al. 2020,
arXiv:1910.10683: terminal punctuation, code) and FineWeb (Penedo et al. 2024, arXiv:2406.17557: lines that do not end).
They were made for pages of prose. A label, a line of dialogue, a command, JSON or SQL is none, so a part that
does not apply to an answer is NaN and does not count.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.checks.flat_text import Counts, FlatText, Mask, ascii_mask

Scores = npt.NDArray[np.float64]

_PROSE_WORDS = 10
"""Fewest words of an answer that is judged as prose."""
_PARAGRAPH_WORDS = 20
"""Fewest words of prose that should end as a sentence does."""
_PASSAGE_LETTERS = 50
"""Fewest letters from which their distribution says anything."""
_ENTROPY_READ = 200
"""Characters whose letters are counted."""
_FEWEST_LINES = 4
"""Fewest lines from which their marks say anything."""
_CODE_SHARE = 0.04
"""Share of bytes that are code's own signs from which an answer is code."""
_LONGEST = (20_000, 100_000)
"""Words from which an answer is too long, and at which it scores 0 (Gopher's limit for a document)."""
_NGRAM = 3
_LATIN_SHARE = 0.7
"""Share of letter bytes that are ASCII from which letters can be counted as bytes: a Cyrillic one has two."""

_BEYOND_ASCII = 0x80
_LOWER = ascii_mask(string.ascii_lowercase)
_UPPER = ascii_mask(string.ascii_uppercase)
_LETTER = ascii_mask(string.ascii_letters, beyond=True)
_SPACE = ascii_mask(" \t\n\r\v\f")
_CODE = ascii_mask("{}[]<>;=|_$\\`/&")
_SIGN = ascii_mask(string.digits + "#@%^~*+={}[]<>|_$\\`/&")

_CODE_LOOKS = (
    r"^\s*(?:[{\[<]|```|#!|SELECT\b|INSERT INTO\b|UPDATE\b|DELETE FROM\b|CREATE\b|WITH\b"
    r"|import |from \w+ import |def |\$ )"
    r"|\s\|\s|\s--?\w+\s.*\s--?\w+(?:\s|$)"
)
_ENDED = r"[.!?…:;\"'”’»)\]*`|。！？」』।؟\d%]\s*$"
_CUT = (
    r"(?i)(?:[,(\[{«“–&]|\s-|\b(?:the|an|and|or|of|to|in|with|for|from|by|at|but|because|is|are|was|el|la|los|las|un|una|y|o"
    r"|de|del|que|con|para|por|en|pero|porque|es|son))\s*$"
)
_URL = r"https?://\S+|www\.\S+"
_BULLET = r"(?m)^[ \t]*(?:[-*•·‣+–]|\d{1,3}[.)])[ \t]"
_TRAILING_DOTS = r"(?m)(?:\.\.\.|…)[ \t]*$"


@dataclass(frozen=True)
class Quality:
    """Scores of answers, each from 0 (bad) to 1 (good), `[answers]`; NaN where a part does not apply.

    Attributes:
        overall: half the mean and half the worst of the parts that apply: one fault is not drowned by nine good
            parts.
        length: 0 for an empty answer, less than 1 for one of more than 20,000 words.
        completeness: whether the answer ends as a sentence does: 1, perhaps not: 0.7, or is cut off: 0.
        repetition: how few of its word 3-grams stand in it more than once.
        word_length: whether its words are 3 to 10 letters long on average.
        symbols: how few of its characters are signs or digits.
        capitals: how few of its letters are capitals.
        entropy: whether its letters are distributed as in a language; a key held down is not.
        echo: whether it is something else than its prompt said again.
        links: how little of it is addresses of pages.
        layout: whether it has lines that are neither bullets nor end in dots.
    """

    overall: Scores
    length: Scores
    completeness: Scores
    repetition: Scores
    word_length: Scores
    symbols: Scores
    capitals: Scores
    entropy: Scores
    echo: Scores
    links: Scores
    layout: Scores


PARTS = tuple(part.name for part in fields(Quality) if part.name != "overall")
"""Names of the parts of a `Quality`, in the order they are told."""


def quality_scores(prompts: pa.StringArray, answers: pa.StringArray) -> Quality:
    """Score answers.

    Args:
        prompts: all that stands before each answer; empty for plain text.
        answers: as many answers; a null counts as an empty one.
    """
    prompts, answers = pc.fill_null(prompts, ""), pc.fill_null(answers, "")
    shape = _Shape.of(answers)
    parts = {
        "length": _length(shape),
        "completeness": _completeness(answers, shape),
        "repetition": _repetition(answers, shape),
        "word_length": _word_length(shape),
        "symbols": _where(shape.prose, _falling(shape.signs / np.maximum(shape.flat.lengths, 1), 0.25, 0.6)),
        "capitals": _where(shape.latin, _falling(shape.upper / np.maximum(shape.upper + shape.lower, 1), 0.3, 0.8)),
        "entropy": _entropy(answers, shape),
        "echo": _echo(prompts, answers, shape),
        "links": _links(answers, shape),
        "layout": _layout(answers, shape),
    }
    return Quality(overall=_overall(np.stack(list(parts.values())), shape), **parts)


@dataclass(frozen=True)
class _Shape:
    """What counting the bytes of answers tells, one number an answer."""

    flat: FlatText
    words: Counts
    letters: Counts
    lower: Counts
    upper: Counts
    signs: Counts
    lines: Counts
    code: Mask
    prose: Mask
    latin: Mask

    @classmethod
    def of(cls, answers: pa.StringArray) -> _Shape:
        """Count."""
        flat = FlatText.of(answers)
        words = flat.count_runs(~_SPACE.take(flat.data))
        lower, upper = flat.count(_LOWER.take(flat.data)), flat.count(_UPPER.take(flat.data))
        letters = lower + upper + flat.count(flat.data >= _BEYOND_ASCII)
        code = flat.count(_CODE.take(flat.data)) >= np.maximum(flat.lengths * _CODE_SHARE, 1)
        code |= pc.match_substring_regex(answers, _CODE_LOOKS).to_numpy(zero_copy_only=False)
        return cls(
            flat=flat,
            words=words,
            letters=letters,
            lower=lower,
            upper=upper,
            signs=flat.count(_SIGN.take(flat.data)),
            lines=flat.count(flat.data == ord("\n")) + 1,
            code=code,
            prose=(words >= _PROSE_WORDS) & ~code,
            latin=(words >= _PROSE_WORDS) & ~code & (lower + upper >= _LATIN_SHARE * letters),
        )


def _where(applies: Mask, scores: Scores) -> Scores:
    return np.where(applies, scores, np.nan)


def _falling(values: Scores, good: float, bad: float) -> Scores:
    """1 up to `good`, 0 from `bad` on, a straight line between."""
    return np.clip((bad - values) / (bad - good), 0, 1)


def _true(mask: pa.BooleanArray) -> Mask:
    found: Mask = mask.to_numpy(zero_copy_only=False)
    return found


def _length(shape: _Shape) -> Scores:
    scores = _where(shape.words >= _PROSE_WORDS, _falling(shape.words.astype(float), *_LONGEST))
    scores[shape.words == 0] = 0
    return scores


def _completeness(answers: pa.StringArray, shape: _Shape) -> Scores:
    tails = pc.utf8_slice_codeunits(answers, -20)
    scores = np.where(_true(pc.match_substring_regex(tails, _ENDED)), 1.0, 0.7)
    scores[_true(pc.match_substring_regex(tails, _CUT))] = 0
    scores = _where(shape.prose & (shape.words >= _PARAGRAPH_WORDS), scores)
    fenced = np.flatnonzero(_true(pc.match_substring(answers, "```")))
    fences = pc.count_substring(answers.take(pa.array(fenced)), "```").to_numpy()
    scores[fenced] = np.where(fences % 2, 0.0, 1.0)
    return scores


def _repetition(answers: pa.StringArray, shape: _Shape) -> Scores:
    """The share of 3-grams that stood before in the same answer; Gopher drops a page from about a fifth on."""
    places = np.flatnonzero(shape.prose)
    lists = pc.ascii_split_whitespace(pc.utf8_lower(answers.take(pa.array(places))))
    words = lists.flatten().dictionary_encode().indices.to_numpy().astype(np.uint64)
    text = np.repeat(np.arange(len(places)), pc.list_value_length(lists).to_numpy())
    scores = np.full(len(answers), np.nan)
    if len(words) < _NGRAM:
        return scores
    ends = len(words) - _NGRAM + 1
    owner = text[:ends]
    # Odd multipliers modulo 2^64 keep different 3-grams of one answer apart but for a chance of one in 2^40.
    mixed = np.zeros(ends, np.uint64)
    for step, factor in enumerate((0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93)):
        mixed = (mixed ^ words[step : step + ends]) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(29)
    keys = (owner.astype(np.uint64) << np.uint64(40)) | (mixed >> np.uint64(24))
    keys = np.sort(keys[owner == text[_NGRAM - 1 :]])
    owners = (keys >> np.uint64(40)).astype(np.int64)
    total = np.bincount(owners, minlength=len(places))
    again = np.bincount(owners[1:][keys[1:] == keys[:-1]], minlength=len(places))
    scores[places] = _falling(again / np.maximum(total, 1), 0.2, 0.6)
    return scores


def _word_length(shape: _Shape) -> Scores:
    mean = shape.letters / np.maximum(shape.flat.count_runs(_LETTER.take(shape.flat.data)), 1)
    return _where(shape.latin, np.clip((mean - 1) / 2, 0, 1) * _falling(mean, 10, 20))


def _entropy(answers: pa.StringArray, shape: _Shape) -> Scores:
    """Bits a letter of the beginning: about 4.1 in English and 4.0 in Spanish."""
    places = np.flatnonzero(shape.latin & (shape.lower + shape.upper >= _PASSAGE_LETTERS))
    flat = FlatText.of(pc.utf8_slice_codeunits(answers.take(pa.array(places)), 0, _ENTROPY_READ))
    letter = _LOWER.take(flat.data) | _UPPER.take(flat.data)
    owner = np.repeat(np.arange(len(places)) * 32, flat.count(letter))
    # The last five bits of a letter are its place in the alphabet, whatever its case.
    counts = np.bincount(owner + (flat.data[letter] & 31), minlength=32 * len(places)).reshape(-1, 32)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    bits = -(shares * np.log2(np.maximum(shares, 1e-9))).sum(axis=1)
    scores = np.full(len(answers), np.nan)
    scores[places] = np.clip((bits - 2) / 1.3, 0, 1)
    return scores


def _echo(prompts: pa.StringArray, answers: pa.StringArray, shape: _Shape) -> Scores:
    """0 for the prompt said again, 0.5 for the prompt said again with as much or less after it."""
    said = pc.utf8_trim_whitespace(prompts)
    lengths = FlatText.of(said).lengths
    applies = (lengths >= 20) & (shape.words > 0)
    scores = _where(applies, np.ones(len(answers)))
    alike = _true(
        pc.equal(
            pc.utf8_slice_codeunits(said, 0, 20), pc.utf8_slice_codeunits(pc.utf8_ltrim_whitespace(answers), 0, 20)
        )
    )
    for place in np.flatnonzero(alike & applies):
        prompt, answer = said[int(place)].as_py(), answers[int(place)].as_py().strip()
        if answer.startswith(prompt) and len(answer) <= 2 * len(prompt):
            scores[place] = 0.0 if len(answer) <= len(prompt) + 2 else 0.5
    return scores


def _links(answers: pa.StringArray, shape: _Shape) -> Scores:
    scores = _where(shape.prose, np.ones(len(answers)))
    linked = np.flatnonzero(_true(pc.match_substring_regex(answers, _URL)))
    texts = answers.take(pa.array(linked))
    rest = FlatText.of(pc.replace_substring_regex(texts, _URL, "")).lengths
    share = 1 - rest / np.maximum(shape.flat.lengths[linked], 1)
    scores[linked] = np.where(shape.words[linked] >= _PROSE_WORDS, _falling(share, 0.3, 0.8), np.nan)
    return scores


def _layout(answers: pa.StringArray, shape: _Shape) -> Scores:
    """Gopher's rules for lines: above 90 % bullets, or above 30 % that end in dots."""
    scores = np.full(len(answers), np.nan)
    places = np.flatnonzero((shape.lines >= _FEWEST_LINES) & shape.prose)
    texts, lines = answers.take(pa.array(places)), shape.lines[places]
    bullets = pc.count_substring_regex(texts, _BULLET).to_numpy() / lines
    dots = pc.count_substring_regex(texts, _TRAILING_DOTS).to_numpy() / lines
    # A list is often what was asked for, so it costs little; lines that trail off cost all.
    scores[places] = np.where(bullets > 0.9, 0.8, 1.0) * _falling(dots, 0.3, 0.6)
    return scores


def _overall(parts: Scores, shape: _Shape) -> Scores:
    known = ~np.isnan(parts)
    mean = np.where(known, parts, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    worst = np.where(known, parts, 1).min(axis=0, initial=1)
    scores: Scores = np.where(known.any(axis=0), (mean + worst) / 2, 1.0)
    return np.where(shape.words == 0, 0.0, scores)
