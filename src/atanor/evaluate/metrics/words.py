"""Metrics of the words two texts share, each a mean over items: exact match, token F1, ROUGE."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter

from atanor.evaluate.items import Item
from atanor.evaluate.metrics.base import MARGIN_OF_A_SHARE, MeanOverItems

_ONE_BY_ONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Kana and Han are written without spaces
_WORD = re.compile(rf"[{_ONE_BY_ONE}]|[^\W_{_ONE_BY_ONE}]+")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


class ExactMatch(MeanOverItems):
    """The answer is one of the references, white space around both aside."""

    name = "exact_match"
    label = "exact match"
    unit = "share"
    yes_no = True
    bounds = (0.0, 1.0)

    def value(self, item: Item, answer: str) -> float:
        return float(any(answer.strip() == reference.strip() for reference in item.references))

    def default_margin(self, baseline: float) -> float:
        """0.05: one item in twenty."""
        del baseline
        return MARGIN_OF_A_SHARE


class TokenF1(MeanOverItems):
    """F1 of the words of answer and reference as SQuAD counts them (Rajpurkar et al. 2016; evaluate-v2.0.py).

    Lower case, without ASCII punctuation and English articles, split at white space. Where either is left without
    words, 1 if both are and 0 if not. Of several references the best counts.
    """

    name = "token_f1"
    label = "token F1"
    unit = "share"
    bounds = (0.0, 1.0)

    def value(self, item: Item, answer: str) -> float:
        given = _squad_words(answer)
        return max(_f1(_squad_words(reference), given) for reference in item.references)

    def default_margin(self, baseline: float) -> float:
        """0.05: one word in twenty."""
        del baseline
        return MARGIN_OF_A_SHARE


class Rouge(MeanOverItems):
    """ROUGE F-measure (Lin 2004) by the `rouge-score` package, without stemming, mean over items.

    On ASCII text the figure is the package's own. Its default tokenizer drops every letter outside a to z, which cuts
    `Inés` into `in` and `s` and leaves nothing at all of Greek or Chinese; here words of every alphabet count, and Han
    and Kana one character at a time. Of several references the best counts, as `RougeScorer.score_multi` has it.
    """

    unit = "share"
    bounds = (0.0, 1.0)

    def __init__(self, kind: str, margin: float | None = None) -> None:
        """`kind` is `1`, `2` or `l`: words, pairs of words, or the longest common subsequence of words."""
        super().__init__(margin)
        from rouge_score.rouge_scorer import RougeScorer

        self.name = f"rouge_{kind}"
        self.label = f"ROUGE-{kind.upper()}"
        self._kind = f"rouge{kind.upper()}"
        self._scorer = RougeScorer([self._kind], use_stemmer=False, tokenizer=_EveryAlphabet())

    def value(self, item: Item, answer: str) -> float:
        return float(self._scorer.score_multi(item.references, answer)[self._kind].fmeasure)

    def default_margin(self, baseline: float) -> float:
        """0.02: what summarisation papers report as a step forward."""
        del baseline
        return 0.02


class _EveryAlphabet:
    """The tokenizer `rouge-score` is given: its own on ASCII text."""

    def tokenize(self, text: str) -> list[str]:
        return words_of(text)


def words_of(text: str) -> list[str]:
    """Words of every alphabet in lower case, without punctuation, and Han and Kana one character at a time."""
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


def _f1(wanted: list[str], given: list[str]) -> float:
    if not wanted or not given:
        return float(wanted == given)
    shared = (Counter(wanted) & Counter(given)).total()
    return 2 * shared / (len(wanted) + len(given))


def _squad_words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split()
