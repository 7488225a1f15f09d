"""What augmentation asks of the world outside: translate, answer a prompt, embed a sentence, rewrite a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Rewriter(Protocol):
    """A technique that works on one text at a time and needs no engine."""

    def rewrite(self, text: str, rng: Random) -> str | None:
        """Another wording of the text, or None where there is nothing to rewrite."""


class Technique(Protocol):
    """A way to make other wordings of texts."""

    def rewrite_all(self, texts: Sequence[str], rngs: Sequence[Random]) -> list[str | None]:
        """One other wording of each text, or None where there is none; `rngs[i]` decides what `texts[i]` becomes."""


@dataclass(frozen=True)
class OneByOne:
    """A `Rewriter` as a `Technique`."""

    rewriter: Rewriter

    def rewrite_all(self, texts: Sequence[str], rngs: Sequence[Random]) -> list[str | None]:
        """See `Technique.rewrite_all`."""
        return [self.rewriter.rewrite(text, rng) for text, rng in zip(texts, rngs, strict=True)]


class Engine(Protocol):
    """A language model that answers prompts: the local one of the inference room, or an endpoint."""

    def generate(self, prompts: Sequence[str]) -> list[str | None]:
        """The answer to each prompt, in order; None where the engine gave none."""


class Translator(Protocol):
    """What turns texts of one language into another and back.

    Attributes:
        copies_names: whether it leaves names and numbers alone; otherwise they are masked before it sees them.
        samples: whether two translations of one text can differ.
    """

    @property
    def copies_names(self) -> bool: ...

    @property
    def samples(self) -> bool: ...

    def there(self, texts: Sequence[str]) -> list[str | None]:
        """Each text in the other language, in order; None where there is no translation."""

    def back(self, texts: Sequence[str]) -> list[str | None]:
        """Each text of the other language in the first one."""


class Embedder(Protocol):
    """What turns texts into vectors whose cosine says how near their meanings are.

    Attributes:
        name: for the report, so that a reader knows what a similarity means.
        threshold: the least cosine at which two texts are taken to mean the same, where no option sets it.
    """

    @property
    def name(self) -> str: ...

    @property
    def threshold(self) -> float: ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit vector a text, shape (texts, width)."""
