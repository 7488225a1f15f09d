"""Rewriting and translating by a language model: one prompt a text, and an answer that is nothing but the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from atanor.data.augmentation import prompts
from atanor.data.augmentation.engines import Engine
from atanor.data.augmentation.protect import Protection
from atanor.data.words.languages import Identify

_PREFACE = re.compile(
    r"\A(?:sure|certainly|of course|okay|here(?:'s| is| are)|the rewritten|rewritten|paraphrased?|text|translation|"
    r"claro|por supuesto|aquí|texto|traducción)\b[^\n]{0,60}:\s*",
    re.IGNORECASE,
)
_QUOTES = (('"', '"'), ("“", "”"), ("«", "»"), ("'", "'"))


@dataclass(frozen=True)
class Paraphrase:
    """A `Technique`: each text is asked for in a manner that its generator draws.

    Attributes:
        engine: who answers.
        protection: what the model is told to copy.
        identify: which language the instructions are in; English where it cannot be told.
    """

    engine: Engine
    protection: Protection
    identify: Identify

    def rewrite_all(self, texts: Sequence[str], rngs: Sequence[Random]) -> list[str | None]:
        """See `Technique.rewrite_all`."""
        answers = self.engine.generate([self._prompt(text, rng) for text, rng in zip(texts, rngs, strict=True)])
        return [bare_answer(text, answer) for text, answer in zip(texts, answers, strict=True)]

    def _prompt(self, text: str, rng: Random) -> str:
        language = "es" if self.identify(text) == "es" else "en"
        manner = rng.choice(prompts.MANNERS[language])
        return prompts.paraphrase(text, language=language, manner=manner, spans=self.protection.spans(text))


@dataclass(frozen=True)
class ModelTranslator:
    """A `Translator` by a language model.

    Attributes:
        engine: who answers.
        pair: the languages, as `eng-spa`.
    """

    engine: Engine
    pair: str
    copies_names: bool = True
    samples: bool = True

    def there(self, texts: Sequence[str]) -> list[str | None]:
        """See `Translator.there`."""
        source, _, target = self.pair.partition("-")
        return self._translate(texts, source, target)

    def back(self, texts: Sequence[str]) -> list[str | None]:
        """See `Translator.back`."""
        source, _, target = self.pair.partition("-")
        return self._translate(texts, target, source)

    def _translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        answers = self.engine.generate([prompts.translate(text, source, target) for text in texts])
        return [bare_answer(text, answer) for text, answer in zip(texts, answers, strict=True)]


def bare_answer(text: str, answer: str | None) -> str | None:
    """The answer without the preface and the quotes that models put around it, or None where nothing is left."""
    if answer is None:
        return None
    bare = answer.strip()
    if not _PREFACE.match(text):
        bare = _PREFACE.sub("", bare).strip()
    for left, right in _QUOTES:
        inside = bare[1:-1]
        if len(bare) > 2 and bare[0] == left and bare[-1] == right and left not in inside and text[:1] != left:
            bare = inside.strip()
    return bare or None
