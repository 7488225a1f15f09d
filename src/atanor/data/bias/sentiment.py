"""How friendly the words around a group are, with the doubt that the number of rows leaves.

Each row has one value for each group it names, from -1 to 1: the mean worth of the words of feeling near its mentions.
Values are kept in bins of a twentieth, so that memory is bounded and the bootstrap (Efron 1979) over rows is exact
whatever order the rows came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from atanor.data.bias.words import Ints

BINS = 41
_VALUES = np.linspace(-1, 1, BINS)
_RESAMPLES = 1000
_CONFIDENCE = 0.95
_SEED = 20080404
"""Of the bootstrap: a report of equal rows is equal."""
_NEGATION_REACH = 3
"""Words before a word in which a negation turns it round (VADER)."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sentiment:
    """Sentiment near one group.

    Attributes:
        rows: rows it is the mean of.
        mean: from -1 to 1.
        low: lower end of the mean's 95 % bootstrap interval.
        high: upper end.
        difference: mean less the mean of all rows that name a group of the dimension.
        difference_low: lower end of its 95 % interval, made wider for the number of groups compared (Bonferroni).
        difference_high: upper end.
        judged: whether there are rows enough, here and elsewhere, for the difference to say anything.
    """

    rows: int
    mean: float
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float
    judged: bool

    @property
    def stands_out(self) -> bool:
        """Whether the difference is judged and its interval leaves zero out."""
        return self.judged and not self.difference_low <= 0 <= self.difference_high


def bins_of(scores: Floats) -> Ints:
    """The bin of each score from -1 to 1."""
    return np.rint((np.clip(scores, -1, 1) + 1) * (BINS - 1) / 2).astype(np.int64)


def in_context(
    valence: Floats, negation: npt.NDArray[np.bool_], degree: Floats, sentence: Ints, factor: float
) -> Floats:
    """The worth of each word after the negations and adverbs of degree before it in its sentence."""
    worth = valence.copy()
    if len(worth) < 2:
        return worth
    worth[1:] *= np.where(sentence[1:] == sentence[:-1], degree[:-1], 1.0)
    negated = np.zeros(len(worth), np.bool_)
    for back in range(1, min(_NEGATION_REACH, len(worth) - 1) + 1):
        negated[back:] |= negation[:-back] & (sentence[back:] == sentence[:-back])
    worth[negated] *= factor
    return worth


def sentiments(histograms: Mapping[int, Ints], lowest_count: int) -> dict[int, Sentiment]:
    """Sentiment of each group of one dimension.

    Args:
        histograms: for each group the number of rows in each bin.
        lowest_count: fewest rows of a group for it to be judged.
    """
    present = {group: rows for group, rows in histograms.items() if rows.sum()}
    judged = [group for group, rows in present.items() if rows.sum() >= lowest_count]
    if not present:
        return {}
    rng = np.random.default_rng(_SEED)
    sizes = np.array([rows.sum() for rows in present.values()], float)
    resampled = np.stack([_resampled_means(rows, rng) for rows in present.values()])
    means = np.array([rows @ _VALUES / rows.sum() for rows in present.values()])
    shares = sizes / sizes.sum()
    differences, resampled_differences = means - shares @ means, resampled - shares @ resampled
    reach = NormalDist().inv_cdf(1 - (1 - _CONFIDENCE) / 2 / max(1, len(judged))) * resampled_differences.std(axis=1)
    tails = [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2]
    return {
        group: Sentiment(
            rows=int(sizes[at]),
            mean=float(means[at]),
            low=float(np.quantile(resampled[at], tails[0])),
            high=float(np.quantile(resampled[at], tails[1])),
            difference=float(differences[at]),
            difference_low=float(differences[at] - reach[at]),
            difference_high=float(differences[at] + reach[at]),
            judged=group in judged and _others_suffice(sizes, at, lowest_count),
        )
        for at, group in enumerate(present)
    }


def _resampled_means(rows: Ints, rng: np.random.Generator) -> Floats:
    size = int(rows.sum())
    drawn: Floats = rng.multinomial(size, rows / size, size=_RESAMPLES) @ _VALUES / size
    return drawn


def _others_suffice(sizes: Sequence[float] | Floats, at: int, lowest_count: int) -> bool:
    return bool(sum(sizes) - sizes[at] >= lowest_count)
