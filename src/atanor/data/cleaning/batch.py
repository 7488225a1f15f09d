"""A batch of texts cleaned: what may need a rule is found over the whole batch, and only those texts are rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.cleaning.citations import citation_rule
from atanor.data.cleaning.control_tokens import control_token_rules
from atanor.data.cleaning.encoding import encoding_rules
from atanor.data.cleaning.gutenberg import gutenberg_rule
from atanor.data.cleaning.html_residue import html_rules
from atanor.data.cleaning.invisible import invisible_rule
from atanor.data.cleaning.markdown_residue import markdown_rule
from atanor.data.cleaning.normal_form import normal_form_rules
from atanor.data.cleaning.options import CleanOptions
from atanor.data.cleaning.pages import pages_rule
from atanor.data.cleaning.rule import Rule, Treatment
from atanor.data.cleaning.spaces import line_breaks_rule, spaces_rule
from atanor.data.cleaning.web_lines import web_lines_rule
from atanor.data.cleaning.whitespace import whitespace_rule
from atanor.data.findings import Finding, TextChange

MOST_ROUNDS = 12
"""Rules may make work for one another, as an entity that hides an entity; no honest text needs so many rounds."""
_SHOWN = 80
_SHOWN_BEFORE = 20


@dataclass(frozen=True)
class CleanedTexts:
    """What cleaning a batch gives.

    Attributes:
        texts: the texts, in their order; the very array that was given where nothing changed. A refused text stands
            in it as it came.
        changes: one for each text and rule that changed it, by text and then in the order the rules ran.
        reported: places of the cleaned texts that a rule with the policy `report` would have changed.
        refused: texts that cannot be used, at most one finding each.
    """

    texts: pa.StringArray
    changes: tuple[TextChange, ...]
    reported: tuple[Finding, ...]
    refused: tuple[Finding, ...]


def clean_texts(texts: pa.StringArray, options: CleanOptions, control_tokens: Sequence[str] = ()) -> CleanedTexts:
    """Clean a batch of texts by the rules of `options`, until no rule finds anything more.

    Args:
        texts: the texts; nulls stay nulls.
        options: which rules are on, and what they do.
        control_tokens: special tokens of the base's tokenizer, besides the well-known ones of chat templates.
    """
    rules = rules_of(options, control_tokens)
    batch = _Batch(texts, rules)
    restless = batch.settle([rule for rule in rules if rule.treatment is Treatment.REWRITE])
    refused = {index: _restless(index, batch.given[index]) for index in restless}
    for rule in rules:
        if rule.treatment is Treatment.REFUSE:
            refused = {index: _finding(rule, index, batch.given[index]) for index in batch.hits(rule)} | refused
    reported = [
        _finding(rule, index, batch.text(index))
        for rule in rules
        if rule.treatment is Treatment.REPORT
        for index in batch.hits(rule)
        if index not in refused
    ]
    for index in refused:
        batch.now.pop(index, None)
    return CleanedTexts(
        _replaced(texts, batch.now),
        tuple(change for index in sorted(batch.now) for change in batch.changes[index].values()),
        tuple(reported),
        tuple(refused[index] for index in sorted(refused)),
    )


def rules_of(options: CleanOptions, control_tokens: Sequence[str] = ()) -> list[Rule]:
    """The rules that `options` turn on, in the order in which they run: characters, then residue, then whitespace.

    Control tokens come last, for any rule before may have uncovered one.
    """
    switched = (
        (options.invisible, invisible_rule),
        (options.whitespace, line_breaks_rule),
        (options.spaces, spaces_rule),
    )
    residue = (
        (options.markdown, markdown_rule),
        (options.gutenberg, gutenberg_rule),
        (options.pages, pages_rule),
        (options.web_lines, web_lines_rule),
        (options.citations, citation_rule),
        (options.whitespace, whitespace_rule),
    )
    return [
        *encoding_rules(options.encoding),
        *normal_form_rules(options.unicode),
        *(rule() for on, rule in switched if on),
        *html_rules(options.html),
        *(rule() for on, rule in residue if on),
        *control_token_rules(options.control_tokens, control_tokens),
    ]


class _Batch:
    """The texts of a batch that some rule may change, while they are being cleaned.

    Attributes:
        given: the texts as they came, by their index.
        now: those that differ from what was given, as they are by now.
        changes: for each changed text the first change by each rule.
    """

    def __init__(self, texts: pa.StringArray, rules: Sequence[Rule]) -> None:
        indices = _traced(texts, [rule.trace for rule in rules])
        self.given: dict[int, str] = dict(zip(indices, texts.take(indices).to_pylist(), strict=True)) if indices else {}
        self.now: dict[int, str] = {}
        self.changes: dict[int, dict[str, TextChange]] = {}

    def settle(self, rules: Sequence[Rule]) -> list[int]:
        """Apply `rules` in turn until none changes anything; the indices of texts that never come to rest."""
        restless = list(self.given)
        for _ in range(MOST_ROUNDS):
            changed: set[int] = set()
            texts = self.as_array(restless)
            for rule in rules:
                hits = [restless[place] for place in _traced(texts, [rule.trace])]
                written = [index for index in hits if self._apply(rule, index)]
                if written:
                    changed.update(written)
                    texts = self.as_array(restless)
            restless = sorted(changed)
            if not restless:
                break
        for index in [index for index, text in self.now.items() if text == self.given[index]]:
            del self.now[index], self.changes[index]
        return restless

    def hits(self, rule: Rule) -> list[int]:
        """Indices of the texts that `rule` would change as they are by now."""
        indices = list(self.given)
        found = [indices[place] for place in _traced(self.as_array(indices), [rule.trace])]
        return [index for index in found if rule.rewrite(self.text(index)) != self.text(index)]

    def text(self, index: int) -> str:
        """A text as it is by now."""
        return self.now.get(index, self.given[index])

    def as_array(self, indices: Sequence[int]) -> pa.Array:
        """Texts as they are by now."""
        return pa.array([self.text(index) for index in indices], pa.large_string())

    def _apply(self, rule: Rule, index: int) -> bool:
        text = self.text(index)
        written = rule.rewrite(text)
        if written == text:
            return False
        self.now[index] = written
        self.changes.setdefault(index, {}).setdefault(rule.name, _change(index, rule.name, text, written))
        return True


def _traced(texts: pa.Array, traces: Sequence[str]) -> list[int]:
    """Indices of the texts that match one of the traces: one pass of RE2 over the whole array."""
    if not traces or not len(texts):
        return []
    pattern = "|".join(f"(?:{trace})" for trace in dict.fromkeys(traces))
    found = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    return [int(index) for index in np.flatnonzero(found.to_numpy(zero_copy_only=False))]


def _replaced(texts: pa.StringArray, written: dict[int, str]) -> pa.StringArray:
    if not written:
        return texts
    mask = np.zeros(len(texts), dtype=bool)
    mask[list(written)] = True
    return pc.replace_with_mask(texts, mask, pa.array([written[index] for index in sorted(written)], texts.type))


def _first_difference(one: str, other: str) -> int:
    """Number of characters that two different texts begin with alike, by bisection: books are long."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _last_difference(one: str, other: str, start: int) -> int:
    """The end in `one` of the part that differs from `other`, given that they are alike up to `start`."""
    return len(one) - _first_difference(one[start:][::-1], other[start:][::-1])


def _change(index: int, rule: str, before: str, after: str) -> TextChange:
    start = max(0, _first_difference(before, after) - _SHOWN_BEFORE)
    return TextChange(index, rule, before[start : start + _SHOWN], after[start : start + _SHOWN])


def _finding(rule: Rule, index: int, text: str) -> Finding:
    """Where `rule` would change `text` first; all of it where the reason came up only while it was cleaned."""
    rewritten = rule.rewrite(text)
    if rewritten == text:
        return Finding(index, rule.name, 0, len(text), text[:_SHOWN], rule.reason, rule.fix)
    start = _first_difference(text, rewritten)
    end = max(start + 1, min(_last_difference(text, rewritten, start), start + _SHOWN))
    shown = text[max(0, start - _SHOWN_BEFORE) :][:_SHOWN]
    return Finding(index, rule.name, start, end, shown, rule.reason, rule.fix)


def _restless(index: int, text: str) -> Finding:
    reason = f"the rules of cleaning still change the text after {MOST_ROUNDS} rounds"
    return Finding(index, "clean.rounds", 0, len(text), text[:_SHOWN], reason, "Mend or remove the text by hand")
