"""Back translation: into another language and back, which keeps the meaning and changes the words.

Sennrich, Haddow and Birch 2016, Improving Neural Machine Translation Models with Monolingual Data
(https://aclanthology.org/P16-1009).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from atanor.data.augmentation.engines import Translator
from atanor.data.augmentation.protect import Masked, Protection
from atanor.data.words.languages import Identify, language_of

_SPACE_BEFORE = re.compile(r" +([,.;:?!)\]])")
_OPENING = re.compile("[¿¡]")
_MIDDLE_CAPITAL = re.compile(r"(?<=[\w,] )[A-Z][a-z]+\b")
_FINAL = "?!."
_IT = re.compile(r"\bit\b", re.IGNORECASE)
_ADDED_SUBJECT = re.compile(
    r"\b(how|where|when|why|what|which) it (?=(?:is|was|are|were|can|did|does)\b)", re.IGNORECASE
)


@dataclass(frozen=True)
class BackTranslation:
    """A `Technique`.

    Attributes:
        translator: the way there and back. One that always says the same is asked once for each different text.
        protection: what comes out unchanged: masked for a translator that does not copy names.
        source: ISO 639-1 code of the language the translator reads; texts known to be in another are not sent.
        identify: tells the language of a text.
    """

    translator: Translator
    protection: Protection
    source: str | None = None
    identify: Identify = language_of

    def rewrite_all(self, texts: Sequence[str], rngs: Sequence[Random]) -> list[str | None]:
        """See `Technique.rewrite_all`. Where a mask is lost the raw translation comes out, to be filtered."""
        del rngs
        known = {text: text if self._reads(text) else None for text in texts}
        if self.translator.samples:
            return _only_known(self._both_ways, [known[text] for text in texts])
        made = dict(zip(known, _only_known(self._both_ways, list(known.values())), strict=True))
        return [made[text] for text in texts]

    def _reads(self, text: str) -> bool:
        return bool(text.strip()) and (self.source is None or self.identify(text) in (self.source, None))

    def _both_ways(self, texts: Sequence[str]) -> list[str | None]:
        if self.translator.copies_names:
            returned = _only_known(self.translator.back, self.translator.there(texts))
            return [_tidy(text, answer) for text, answer in zip(texts, returned, strict=True)]
        masked = [Masked.of(text, self.protection) for text in texts]
        foreign = self.translator.there([one.text for one in masked])
        # A mask that is gone already will not come back: the second translation is spared.
        whole = [
            answer if answer is not None and one.restored(answer) is not None else None
            for one, answer in zip(masked, foreign, strict=True)
        ]
        answers = []
        for text, one, half, answer in zip(
            texts, masked, foreign, _only_known(self.translator.back, whole), strict=True
        ):
            restored = None if answer is None else one.restored(answer)
            answers.append(
                (answer or half) if restored is None else _tidy(text, _without_added(text, restored, one.spans))
            )
        return answers


def _only_known(
    translate: Callable[[Sequence[str]], list[str | None]], texts: Sequence[str | None]
) -> list[str | None]:
    """Translate those that are there; None stays None."""
    answers = iter(translate([text for text in texts if text is not None]))
    return [None if text is None else next(answers) for text in texts]


def _without_added(text: str, candidate: str, spans: Sequence[str]) -> str:
    """The candidate without the words a rule-based engine puts in: `How it can I`, `What US the city`."""
    if not _IT.search(text):
        candidate = _ADDED_SUBJECT.sub(r"\1 ", candidate)
    for span in spans:
        if f"{span} the " not in text:
            candidate = candidate.replace(f"{span} the ", f"{span} ")
    return candidate


def _tidy(text: str, candidate: str | None) -> str | None:
    """Space, first capital and final mark as the original has them: engines add and drop them."""
    if candidate is None or not candidate.strip():
        return None
    tidy = _SPACE_BEFORE.sub(r"\1", candidate.strip())
    if not _OPENING.search(text):
        tidy = _OPENING.sub("", tidy)
    tidy = _MIDDLE_CAPITAL.sub(lambda match: match[0] if match[0] in text else match[0].lower(), tidy)
    if tidy[:1].isalpha() and text[0].isalpha():
        tidy = (tidy[0].upper() if text[0].isupper() else tidy[0].lower()) + tidy[1:]
    if _OPENING.match(text) and not _OPENING.match(tidy):
        tidy = text[0] + tidy
    ending = text.rstrip()[-1]
    if ending in _FINAL and ending != tidy[-1:]:
        tidy = tidy.rstrip(_FINAL) + ending
    return tidy or None
