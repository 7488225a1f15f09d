"""A naive Bayes classifier of languages that reads many texts at once.

The model is the one that py3langid ships (BSD licence): byte n-grams found by one finite automaton, and a table of
their log-probabilities in each language (Lui and Baldwin 2012, "langid.py: An Off-the-shelf Language Identification
Tool"). py3langid walks the automaton one byte at a time in Python, which takes 100 to 400 µs a text; here it takes one
step for a whole batch of texts, and the scores of all of them are one sparse product, which takes 6 to 12 µs a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atanor.data.checks.flat_text import FlatText

Probabilities = npt.NDArray[np.float32]

BYTES_READ = 120
"""Bytes of a text that are looked at: on the sets measured, more of them do not change the verdict."""
NO_LANGUAGE = "zxx"
"""ISO 639-2 code of what is no language: code, numbers."""

_BATCH = 4096
"""Texts that are walked together: few enough for their states to stay in the processor's cache."""


@dataclass(frozen=True)
class LanguageClassifier:
    """The model, narrowed to some languages.

    Attributes:
        languages: the languages it chooses from, in the order of its probabilities.
        next_state: of a row base plus a byte, the state that follows.
        row_base: of a state, the place of its row in `next_state`.
        feature: of a state, the n-gram that ends there, or -1.
        weights: log-probability of each n-gram in each language, `[features, languages]`.
        prior: log-probability of each language.
    """

    languages: tuple[str, ...]
    next_state: npt.NDArray[np.int32]
    row_base: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    weights: npt.NDArray[np.floating]
    prior: npt.NDArray[np.float32]

    def probabilities(self, texts: pa.StringArray) -> Probabilities:
        """How likely each language is for each text, `[texts, languages]`; every row adds up to 1."""
        starts = range(0, len(texts), _BATCH)
        parts = [self._probabilities(FlatText.of(texts[start : start + _BATCH])) for start in starts]
        return np.concatenate([np.zeros((0, len(self.languages)), np.float32), *parts])

    def _probabilities(self, texts: FlatText) -> Probabilities:
        from scipy.sparse import csr_matrix

        rows, features = self._walk(texts)
        counts = csr_matrix((np.ones(len(rows), np.float32), (rows, features)), (len(texts), len(self.weights)))
        counts.sum_duplicates()
        counts.data = np.log1p(counts.data)
        scores = counts @ self.weights + self.prior
        # Neighbouring n-grams are far from independent; dividing by the root of the length keeps the odds honest.
        scores /= np.sqrt(np.clip(texts.lengths, 1, BYTES_READ))[:, None]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely: Probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
        return likely

    def _walk(self, texts: FlatText) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Every n-gram met: its text and its feature."""
        lengths = np.minimum(texts.lengths, BYTES_READ)
        # The longest texts come first, so that the ones still read are always a head of the batch.
        order = np.argsort(-lengths, kind="stable")
        starts = texts.offsets[:-1][order]
        still_read = np.searchsorted(-lengths[order], -np.arange(lengths.max(initial=0)), side="left")
        base = np.full(len(texts), self.row_base[0], np.int32)
        rows, features = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
        for step, alive in enumerate(still_read):
            state = self.next_state[base[:alive] + texts.data[starts[:alive] + step]]
            base[:alive] = self.row_base[state]
            met = self.feature[state]
            found = np.flatnonzero(met >= 0)
            rows.append(order[found])
            features.append(met[found])
        return np.concatenate(rows), np.concatenate(features)


@cache
def load_classifier(languages: tuple[str, ...]) -> LanguageClassifier:
    """The classifier of `languages` and of what is none; loaded once a process, which takes about half a second."""
    whole = _load_model()
    columns = [place for place, name in enumerate(whole.languages) if name in {*languages, NO_LANGUAGE}]
    names = [whole.languages[column] for column in columns]
    # Serbian stands in the model twice, once for each of its scripts.
    twice = {names.index(name): place for place, name in enumerate(names) if names.index(name) != place}
    kept = [place for place in range(len(names)) if place not in twice.values()]
    weights, prior = whole.weights[:, columns].astype(np.float32), whole.prior[columns]
    for first, second in twice.items():
        weights[:, first] = np.maximum(weights[:, first], weights[:, second])
    return LanguageClassifier(
        languages=tuple(names[place] for place in kept),
        next_state=whole.next_state,
        row_base=whole.row_base,
        feature=whole.feature,
        weights=np.ascontiguousarray(weights[:, kept]),
        prior=prior[kept],
    )


def known_languages() -> tuple[str, ...]:
    """ISO 639-1 codes of every language the model knows."""
    return tuple(sorted({name for name in _load_model().languages if len(name) == 2}))


@cache
def _load_model() -> LanguageClassifier:
    """The whole model, as py3langid reads it from its own wheel."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE)
    names: Sequence[str] = model.nb_classes
    return LanguageClassifier(
        languages=tuple(names),
        next_state=np.asarray(model.tk_nextmove).astype(np.int32),
        row_base=np.asarray(model.tk_row).astype(np.int32) * 256,
        feature=np.asarray(model.tk_output, dtype=np.int32),
        weights=np.asarray(model.nb_ptc),
        prior=np.asarray(model.nb_pc, dtype=np.float32),
    )
