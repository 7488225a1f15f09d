"""How near an answer is to its reference in meaning, by the embeddings of a sentence encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from atanor.data.augmentation.meaning import USUAL_PACKAGE, find_embedder, similarities
from atanor.errors import ConfigurationError, Problem
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import Marks, Metric, Scores, Statistics, answer_of, ratio
from atanor.progress import Silent


class EmbeddingSimilarity(Metric):
    """Cosine of the sentence embeddings of answer and reference (Reimers and Gurevych 2019); mean over items.

    An empty text has no meaning: it is like another empty one and nothing else. Of several references the nearest
    counts. Statistics: (cosine, 1).
    """

    name = "embedding_similarity"
    label = "similarity of meaning"
    decimals = 3
    bounds = (-1.0, 1.0)

    def __init__(self, encoder: str | None, root: Path, margin: float | None = None) -> None:
        """Find the encoder; it is loaded when the first answers are marked.

        Args:
            encoder: as `pkg:NAME`, `hf:owner/name` or `path:DIR`; None for the package that carries MiniLM, which
                knows English.
            root: the project's folder.
            margin: smallest change of interest; None for 0.02.

        Raises:
            MissingExtraError: the package is not installed.
            BaseModelError: the encoder is not there.
            ConfigurationError: what is named compares letters.
        """
        super().__init__(margin)
        if encoder in ("auto", "lexical"):
            problem = Problem(f"`{encoder}` knows no meaning", field=self.name, fix=f"Write `pkg:{USUAL_PACKAGE}`")
            raise ConfigurationError("a metric cannot be used", [problem])
        self._embedder = find_embedder(encoder or f"pkg:{USUAL_PACKAGE}", root, Silent(), place=self.name)

    def tabulate(self, items: Sequence[Item], outcomes: Sequence[Outcome]) -> Marks:
        """All texts are embedded together, each once."""
        answers = [answer_of(self, item, outcome).strip() for item, outcome in zip(items, outcomes, strict=True)]
        references = [[text.strip() for text in item.references] for item in items]
        texts = list(dict.fromkeys([*answers, *(text for several in references for text in several)]))
        place = {text: number for number, text in enumerate(texts)}
        vectors = self._embedder.embed(texts)
        found: Marks = []
        for answer, several in zip(answers, references, strict=True):
            rows = [place[text] for text in several]
            cosines = similarities(vectors[[place[answer]] * len(rows)], vectors[rows])
            pairs = zip(cosines, several, strict=True)
            found.append((max(cosine if answer and text else float(answer == text) for cosine, text in pairs), 1.0))
        return found

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        (numbers,) = self.tabulate([item], [outcome])
        assert isinstance(numbers, tuple)  # an embedding never fails for one text
        return numbers

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1])

    def default_margin(self, baseline: float) -> float:
        """0.02 of a cosine."""
        del baseline
        return 0.02
