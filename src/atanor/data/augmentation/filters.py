"""Which candidates are used: those that still say the same, in other words, in the same language.

The cheap rules are asked first; meaning is measured for what they leave, all candidates of a batch together. A
candidate that equals an example already there, a new one or a held-out row is refused last.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from atanor.data.augmentation.candidates import Candidate, Filtered, Reason
from atanor.data.augmentation.engines import Embedder
from atanor.data.augmentation.meaning import similarities
from atanor.data.augmentation.options import CandidateFilterOptions
from atanor.data.augmentation.protect import Protection
from atanor.data.rows import Example
from atanor.data.words.languages import Identify

_SEPARATORS = re.compile(r"[\W_]+")
_TEMPLATE_TOKEN = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>"
)
_FREE_CHARACTERS = 12
"""A text of a few words may grow or shrink by this many characters whatever the ratio."""


@dataclass(frozen=True, slots=True)
class Made:
    """A candidate that is used.

    Attributes:
        candidate: what was made of what.
        example: the new example.
        similarity: least cosine of a changed part to its original; None where nothing was measured.
    """

    candidate: Candidate
    example: Example
    similarity: float | None


@dataclass
class Known:
    """The examples that a new one must not equal: what is there, what has been made, what is held out."""

    rows: set[str] = field(default_factory=set)
    held_out: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, examples: Sequence[Example], held_out: Sequence[Example]) -> Known:
        """Remember these examples."""
        return cls({question_key(example) for example in examples}, {question_key(example) for example in held_out})

    def reason_against(self, example: Example, *, by_answer: bool) -> Reason | None:
        """Why a new example is one too many, or None; then it is remembered.

        Args:
            example: the new example.
            by_answer: whether another answer to the same question makes another example.
        """
        question = question_key(example)
        if question in self.held_out:
            return Reason.HELD_OUT
        key = f"{question}\0{normalised(example.reference)}" if by_answer else question
        if key in self.rows:
            return Reason.REPEATED
        self.rows.add(key)
        return None


@dataclass(frozen=True)
class Filters:
    """The rules with what they need.

    Attributes:
        options: the limits.
        protection: what must come out unchanged.
        embedder: what measures meaning.
        identify: what tells a text's language.
    """

    options: CandidateFilterOptions
    protection: Protection
    embedder: Embedder
    identify: Identify

    @property
    def threshold(self) -> float:
        """The least similarity that is let through."""
        given = self.options.least_similarity
        return self.embedder.threshold if given is None else given

    def judge(self, candidates: Sequence[Candidate], known: Known, *, by_answer: bool) -> list[Made | Filtered]:
        """Each candidate as a new example or with the reason against it, in order; `known` learns the new ones."""
        reasons = [self._cheap_reason(candidate) for candidate in candidates]
        left = [candidate for candidate, reason in zip(candidates, reasons, strict=True) if reason is None]
        measured = iter(self.similarities(left))
        judged: list[Made | Filtered] = []
        for candidate, reason in zip(candidates, reasons, strict=True):
            if reason is not None:
                judged.append(candidate.filtered(*reason))
                continue
            similarity = next(measured)
            if similarity < self.threshold:
                judged.append(candidate.filtered(Reason.MEANING, f"similarity {similarity:.2f}"))
                continue
            example = candidate.example
            against = known.reason_against(example, by_answer=by_answer)
            judged.append(Made(candidate, example, similarity) if against is None else candidate.filtered(against))
        return judged

    def similarities(self, candidates: Sequence[Candidate]) -> list[float]:
        """For each candidate the least cosine of a changed part to its original."""
        import numpy as np

        texts = list(dict.fromkeys(text for one in candidates for text in (*one.before, *one.after)))
        if not texts:
            return []
        row = {text: index for index, text in enumerate(texts)}
        vectors = self.embedder.embed(texts)
        pairs = [(row[old], row[new]) for one in candidates for old, new in zip(one.before, one.after, strict=True)]
        first, second = np.array(pairs).T
        cosines = iter(similarities(vectors[first], vectors[second]))
        return [min(next(cosines) for _ in one.parts) for one in candidates]

    def reason_in_text(self, before: str, after: str, label: str | None) -> tuple[Reason, str] | None:
        """The rules that hold for new examples too: template tokens, language, label words."""
        token = next((found for found in _TEMPLATE_TOKEN.findall(after) if found not in before), None)
        if token is not None:
            return Reason.SPECIAL_TOKEN, token
        if self.options.same_language:
            was, now = self.identify(before), self.identify(after)
            if was is not None and now is not None and was != now:
                return Reason.LANGUAGE, f"{was} became {now}"
        if self.options.label_words and label is not None and has_label(before, label) != has_label(after, label):
            return Reason.LABEL, label
        return None

    def _cheap_reason(self, candidate: Candidate) -> tuple[Reason, str] | None:
        pairs = list(zip(candidate.before, candidate.after, strict=True))
        for before, after in pairs:
            lost = self.protection.lost(before, after)
            if lost is not None:
                return Reason.PROTECTED, lost
        if all(normalised(before) == normalised(after) for before, after in pairs):
            return Reason.UNCHANGED, ""
        for before, after in pairs:
            low, high = self.options.shortest * len(before), self.options.longest * len(before)
            if not low - _FREE_CHARACTERS <= len(after) <= high + _FREE_CHARACTERS or not after.strip():
                return Reason.LENGTH, f"{len(before)} characters became {len(after)}"
            reason = self.reason_in_text(before, after, candidate.parent.label)
            if reason is not None:
                return reason
        return None


def normalised(text: str) -> str:
    """The text without what does not make it another one: case, punctuation, spacing, compatibility forms."""
    return _SEPARATORS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip() or text.strip()


def question_key(example: Example) -> str:
    """What a model is given, normalised: two examples with equal keys ask the same."""
    if not example.messages:
        return normalised(example.text or "")
    return "\0".join(f"{message.speaker}:{normalised(message.content)}" for message in example.prompt)


def has_label(text: str, label: str) -> bool:
    """Whether the words of a label stand in the text, in its order: `card arrival` for `card_arrival`."""
    words = normalised(label)
    return bool(words) and f" {words} " in f" {normalised(text)} "
