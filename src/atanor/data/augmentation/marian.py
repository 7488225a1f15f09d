"""Translation by two Marian models through Transformers, one for each direction.

Junczys-Dowmunt et al. 2018, Marian: Fast Neural Machine Translation in C++; the OPUS-MT models on the hub are of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from atanor.errors import DataError, Problem
from atanor.models.reference import BaseReference, Scheme
from atanor.models.resolve import resolve_base
from atanor.progress import Progress, Silent


@dataclass(frozen=True)
class Marian:
    """A `Translator` by two encoder-decoder models, loaded when they are first needed.

    Attributes:
        forward: `hf:owner/name` or `path:DIR` of the model into the other language.
        backward: the model back.
        root: folder that relative paths start from.
        batch: texts translated at once.
        max_new_tokens: longest translation, in tokens.
        beams: width of the beam search; 1 is greedy.
        progress: told about a download.
    """

    forward: str
    backward: str
    root: Path = Path()
    batch: int = 16
    max_new_tokens: int = 256
    beams: int = 1
    progress: Progress = field(default_factory=Silent)
    copies_names: bool = True
    samples: bool = False

    def there(self, texts: Sequence[str]) -> list[str | None]:
        """See `Translator.there`."""
        return self._translate(self._models[0], texts)

    def back(self, texts: Sequence[str]) -> list[str | None]:
        """See `Translator.back`."""
        return self._translate(self._models[1], texts)

    @cached_property
    def _models(self) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        return self._load(self.forward, "forward"), self._load(self.backward, "backward")

    def _load(self, name: str, field: str) -> tuple[Any, Any]:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        reference = BaseReference.parse(name)
        if reference.scheme not in (Scheme.HUB, Scheme.PATH):
            raise _unusable("a translation model is a Transformers folder", field, name)
        folder = resolve_base(reference, self.root, self.progress).folder
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder)
            model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise _unusable(f"Transformers cannot load it: {error}", field, name) from error
        return tokenizer, model

    def _translate(self, loaded: tuple[Any, Any], texts: Sequence[str]) -> list[str | None]:
        import torch

        tokenizer, model = loaded
        answers: list[str | None] = [None] * len(texts)
        longest = getattr(model.config, "max_position_embeddings", None) or 512
        tokens = tokenizer(list(texts))["input_ids"] if texts else []
        # A text longer than the model reads gets no translation rather than half of one. Texts of similar length go
        # together, so that little is padded.
        order = sorted(
            (row for row, ids in enumerate(tokens) if 0 < len(ids) <= longest), key=lambda row: len(tokens[row])
        )
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            encoded = tokenizer.pad({"input_ids": [tokens[row] for row in rows]}, return_tensors="pt")
            with torch.inference_mode():
                made = model.generate(
                    input_ids=encoded["input_ids"],
                    attention_mask=encoded["attention_mask"],
                    max_new_tokens=min(self.max_new_tokens, longest - 1),
                    num_beams=self.beams,
                    do_sample=False,
                )
            for row, text in zip(rows, tokenizer.batch_decode(made, skip_special_tokens=True), strict=True):
                answers[row] = text.strip() or None
        return answers


def _unusable(reason: str, field: str, name: str) -> DataError:
    fix = (
        "Give `hf:owner/name` or `path:DIR` of a Marian model, as hf:Helsinki-NLP/opus-mt-en-es; install sentencepiece"
    )
    return DataError(
        "a translation model cannot be used", [Problem(reason, field=f"augment.{field}", value=name, fix=fix)]
    )
