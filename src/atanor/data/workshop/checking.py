"""The stage of checks: every rule is asked about all texts at once, and its action decides what becomes of the rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.checks import find_personal_data, find_secrets, mask
from atanor.data.checks.canned_refusals import find_canned_refusals
from atanor.data.checks.language import find_wrong_language, identify_languages
from atanor.data.checks.leaks import find_leaks
from atanor.data.checks.quality import quality_scores
from atanor.data.checks.toxicity import find_toxicity
from atanor.data.findings import Action, Finding, TextChange
from atanor.data.workshop.log import around
from atanor.data.workshop.options import CheckOptions
from atanor.data.workshop.rowwise import Verdicts
from atanor.data.workshop.stages import StageResult, Tallies
from atanor.data.workshop.texts import Indices, TextsOfRows, answers_of, prompts_of

CHECK = "check"
"""Name of the stage."""

_QUALITY_BINS = 10


@dataclass(frozen=True)
class _Rule:
    """One check: the action that governs it, what it finds, and the texts of the table it looks at."""

    action: Action
    find: Callable[[pa.StringArray], list[Finding]]
    texts: Indices


def check_rows(rows: pa.Table, options: CheckOptions, told: float = 1.0) -> StageResult:
    """Look at every row with every rule that is on.

    Args:
        rows: schema `ROWS`.
        options: the rules' actions.
        told: share of the rows, drawn by their ids, whose language is told; `languages` looks at all of them.

    Returns:
        The rows that go on, masked where `mask` asks for it, with counts by language, label, quality and length.
    """
    texts = TextsOfRows(rows)
    verdicts = Verdicts(texts, refused=_empty(texts))
    covered: list[Finding] = []
    for rule in _rules(texts, options):
        if rule.action is not Action.OFF and len(rule.texts):
            found = rule.find(texts.values.take(pa.array(rule.texts)))
            covered += _act(verdicts, rule.action, [replace(one, text=int(rule.texts[one.text])) for one in found])
    # All at once: the places are those of the texts as they came.
    _mask(verdicts, covered)
    quality = quality_scores(prompts_of(rows), answers_of(rows)).overall
    verdicts.refused += _too_low(texts, quality, options.lowest_quality)
    result = verdicts.result(CHECK, {})
    return replace(result, tallies=_tallies(texts, quality, options, told))


def _rules(texts: TextsOfRows, options: CheckOptions) -> Iterator[_Rule]:
    every = np.flatnonzero(~texts.is_label)
    answers = np.flatnonzero(texts.is_answer)
    if options.languages:
        yield _Rule(options.language, partial(find_wrong_language, expected=options.languages), every)
    yield _Rule(options.personal_data, partial(find_personal_data, kinds=options.personal_data_kinds), every)
    yield _Rule(options.secrets, find_secrets, every)
    yield _Rule(options.toxicity, partial(find_toxicity, lowest=options.toxicity_level), every)
    yield _Rule(options.canned_refusals, find_canned_refusals, answers)
    yield _Rule(
        options.leaks, partial(find_leaks, prompts_of(texts.rows), least_share=options.leak_share), texts.answer
    )


def _act(verdicts: Verdicts, action: Action, findings: list[Finding]) -> list[Finding]:
    """Do with findings what the action says; what is to be masked is given back, and what cannot be is reported."""
    if action is Action.REFUSE:
        verdicts.refused += findings
        return []
    masking = action is Action.MASK
    verdicts.reported += [finding for finding in findings if not masking or finding.mask is None]
    return [finding for finding in findings if masking and finding.mask is not None]


def _mask(verdicts: Verdicts, findings: Sequence[Finding]) -> None:
    """Write over these places."""
    if not findings:
        return
    of_text: dict[int, list[Finding]] = defaultdict(list)
    for finding in findings:
        of_text[finding.text].append(finding)
    values = verdicts.texts.values.to_pylist()
    for text, found in of_text.items():
        before = values[text]
        values[text] = mask(before, found)
        verdicts.changes += [
            TextChange(text, one.rule, around(before, one.start, one.end), one.mask or "") for one in found
        ]
    verdicts.values = pa.array(values, pa.string())


def _empty(texts: TextsOfRows) -> list[Finding]:
    """Texts in which nothing is left, of turns that do not call tools."""
    bare = pc.match_substring_regex(texts.values, r"\S")
    places = np.flatnonzero(~bare.to_numpy(zero_copy_only=False) & ~texts.calls)
    return [
        Finding(int(text), f"{CHECK}.empty", 0, 0, "", "nothing is left of the text", "Fill it, or remove the row")
        for text in places
    ]


def _too_low(texts: TextsOfRows, quality: npt.NDArray[np.float64], lowest: float) -> list[Finding]:
    return [
        Finding(
            text=int(texts.answer[row]),
            rule=f"{CHECK}.quality",
            start=0,
            end=0,
            shown=f"{quality[row]:.2f}",
            reason=f"the quality score is below {lowest:g}",
            fix="Mend the row, or lower `lowest_quality`",
        )
        for row in np.flatnonzero(quality < lowest)
    ]


def _tallies(texts: TextsOfRows, quality: npt.NDArray[np.float64], options: CheckOptions, told: float) -> Tallies:
    """What the rows are like, in counts: told whatever the actions are."""
    bins = np.minimum((quality * _QUALITY_BINS).astype(int), _QUALITY_BINS - 1)
    labelled = texts.rows.column("label").is_valid().to_numpy()
    # A label is no text: of a row that has one, the turn before it is looked at.
    spoken = np.where(labelled, texts.answer - 1, texts.answer)
    lengths = pc.utf8_length(texts.values.take(pa.array(spoken))).to_numpy()
    sample = spoken if told >= 1 else spoken[_drawn(texts.rows, told)]
    languages = identify_languages(texts.values.take(pa.array(sample)), options.languages).codes
    labels = texts.rows.column("label").drop_null().to_pylist()
    return {
        "language": Counter(languages),
        "label": Counter(labels),
        "quality": Counter(f"{step / _QUALITY_BINS:.1f}" for step in bins),
        "characters": Counter(str(1 << int(bits)) for bits in np.log2(np.maximum(lengths, 1))),
    }


def _drawn(rows: pa.Table, share: float) -> npt.NDArray[np.bool_]:
    """About this share of the rows: an id is a hash, so that it does not matter which block a row is in."""
    return np.array([int(name[:4], 16) < share * 0x10000 for name in rows.column("id").to_pylist()], dtype=bool)
