"""Corpus metrics of shared n-grams: BLEU and chrF, exact from summed counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import Metric, Scores, Statistics, answer_of

_BLEU_ORDER = 4
_CHRF_ORDER = 6
_CHRF_BETA = 2


class Bleu(Metric):
    """Corpus BLEU, 0 to 100 (Papineni et al. 2002), as sacrebleu computes it: tokenizer 13a, exponential smoothing.

    Statistics: length of the answer, length of the reference, matching n-grams of order 1 to 4, n-grams of the answer
    of order 1 to 4. The score of their sums equals `sacrebleu.corpus_bleu`; an item's score is `sentence_bleu`.
    Of several references an n-gram may match in any, and the one closest in length counts as the length.
    Tokenizer 13a splits at white space and punctuation: for Chinese, Japanese or Thai use `chrf`.
    """

    name = "bleu"
    label = "BLEU"
    unit = "points of 100"
    decimals = 1
    bounds = (0.0, 100.0)

    def __init__(self, margin: float | None = None) -> None:
        super().__init__(margin)
        from sacrebleu.metrics import BLEU

        # Effective order concerns the score of one sentence only; the counts are the same without it.
        self._sentence = BLEU(effective_order=True)

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        found = self._sentence.sentence_score(answer_of(self, item, outcome), list(item.references))
        return (float(found.sys_len), float(found.ref_len), *map(float, found.counts), *map(float, found.totals))

    def aggregate(self, sums: Statistics) -> Scores:
        answer, reference = sums[..., 0], sums[..., 1]
        matches, totals = sums[..., 2 : 2 + _BLEU_ORDER], sums[..., 2 + _BLEU_ORDER :]
        defined = (totals > 0).all(axis=-1) & (matches > 0).any(axis=-1)
        logs = np.zeros(np.shape(answer))
        smoothing = np.ones(np.shape(answer))
        for order in range(_BLEU_ORDER):
            match, total = matches[..., order], np.maximum(totals[..., order], 1)
            # The k-th order without a match counts as 1 / 2^k of a match (NIST; "exp" in sacrebleu).
            smoothing = np.where(match > 0, smoothing, smoothing * 2)
            logs = logs + np.log(np.where(match > 0, match, 1 / smoothing) / total)
        shortfall = np.minimum(1 - reference / np.maximum(answer, 1), 0)
        return np.where(defined, 100 * np.exp(shortfall + logs / _BLEU_ORDER), 0.0)

    def item_score(self, statistics: tuple[float, ...]) -> float:
        answer, reference, *counts = map(int, statistics)
        found = self._sentence.compute_bleu(
            counts[:_BLEU_ORDER], counts[_BLEU_ORDER:], answer, reference, smooth_method="exp", effective_order=True
        )
        return float(found.score)

    def default_margin(self, baseline: float) -> float:
        """2 points of 100."""
        del baseline
        return 2.0


class Chrf(Metric):
    """Corpus chrF2, 0 to 100 (Popović 2015): F-score of character n-grams of order 1 to 6, as sacrebleu computes it.

    White space is left out, so it needs no tokenizer and works for every script. Statistics: for each order, n-grams
    of the answer, of the reference, and shared. Of several references the one with the best score counts.
    """

    name = "chrf"
    label = "chrF"
    unit = "points of 100"
    decimals = 1
    bounds = (0.0, 100.0)

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        answer = "".join(answer_of(self, item, outcome).split())
        return max((_all_counts(answer, "".join(text.split())) for text in item.references), key=self.item_score)

    def aggregate(self, sums: Statistics) -> Scores:
        given, wanted, shared = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
        counted = (given > 0) & (wanted > 0)
        orders = np.maximum(counted.sum(axis=-1), 1)
        precision = np.where(counted, shared / np.maximum(given, 1), 0).sum(axis=-1) / orders
        recall = np.where(counted, shared / np.maximum(wanted, 1), 0).sum(axis=-1) / orders
        weight = _CHRF_BETA**2
        divisor = weight * precision + recall
        f_score = (1 + weight) * precision * recall / np.where(divisor > 0, divisor, 1)
        return 100 * np.asarray(f_score, dtype=np.float64)

    def default_margin(self, baseline: float) -> float:
        """2 points of 100."""
        del baseline
        return 2.0


def _all_counts(answer: str, reference: str) -> tuple[float, ...]:
    return tuple(number for order in range(1, _CHRF_ORDER + 1) for number in _counts(answer, reference, order))


def _counts(answer: str, reference: str, order: int) -> Iterator[float]:
    given, wanted = _ngrams(answer, order), _ngrams(reference, order)
    # As sacrebleu: n-grams of the answer do not count where the reference is too short to have any.
    yield float(given.total() if wanted else 0)
    yield float(wanted.total())
    yield float((given & wanted).total())


def _ngrams(text: str, order: int) -> Counter[str]:
    return Counter(text[start : start + order] for start in range(len(text) - order + 1))
