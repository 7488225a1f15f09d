"""What crosses augmentation: a candidate, why one is not used, and an example's parts that get other words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from atanor.data.augmentation.options import Rewritten
from atanor.data.bias.outcome import FIXES, Why
from atanor.data.rows import Example, Refusal, Speaker


class Reason(StrEnum):
    """Why a candidate is not used."""

    NOTHING_TO_REWRITE = "the technique found nothing to rewrite"
    NO_ANSWER = "the engine gave no usable answer"
    PROTECTED = "a protected span was lost or a number invented"
    SPECIAL_TOKEN = "it contains a token of chat templates"
    UNCHANGED = "it is equal to its original"
    LENGTH = "its length is too far from the original's"
    LANGUAGE = "it is in another language"
    LABEL = "it brings in or takes out the words of its label"
    MEANING = "its meaning is too far from the original's"
    REPEATED = "it is equal to another example"
    HELD_OUT = "it is equal to a held-out row"
    NEAR_HELD_OUT = "it is nearly the same as a held-out row"
    COPY = "it is nearly a copy of another example"
    MALFORMED = "the answer is not the JSON that was asked for"
    UNSUITABLE = "the row is not one question and one answer, nor a text"
    REFUSED = "cleaning or a check refuses it"


_FIXES: Mapping[Reason, str] = {
    Reason.PROTECTED: "Nothing to do, or take the span out of `protect`",
    Reason.LENGTH: "Nothing to do, or widen `filter.shortest` and `filter.longest`",
    Reason.LANGUAGE: "Nothing to do, or set `filter.same_language: false`",
    Reason.LABEL: "Nothing to do, or set `filter.label_words: false`",
    Reason.MEANING: "Nothing to do, or lower `filter.least_similarity`",
    Reason.COPY: "Nothing to do, or raise `most_rouge_l`",
    Reason.UNSUITABLE: "Use another method for such rows",
}


@dataclass(frozen=True, slots=True)
class Filtered:
    """A candidate that is not used.

    Attributes:
        parent: id of the example it was made from.
        technique: what made it.
        reason: why it is not used.
        detail: what exactly: the lost span, the similarity, the language; empty where the reason says all.
        text: the candidate's parts that got other words, one a line; empty where there is no candidate.
        source: file of the parent.
        line: line of the parent.
    """

    parent: str
    technique: str
    reason: Reason | Why
    detail: str
    text: str
    source: str
    line: int

    @property
    def refusal(self) -> Refusal:
        """The same as the quarantine writes it."""
        fix = FIXES.get(self.reason) if isinstance(self.reason, Why) else _FIXES.get(self.reason)
        return Refusal(
            source=self.source,
            line=self.line,
            reason=f"a new example by {self.technique} is not used: {self.reason}",
            fix=fix or "Nothing to do: the original is kept",
            field="augment",
            value=self.detail or None,
            raw=self.text,
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """One new wording of an example, before the filters.

    Attributes:
        parent: the example it is made from.
        technique: what made it.
        parts: which parts got other words: indices of messages, or -1 for the plain text.
        before: these parts as they were.
        after: these parts as they are now.
        same_question: whether the parent's other answers and judgement still hold.
    """

    parent: Example
    technique: str
    parts: tuple[int, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    same_question: bool = True

    @property
    def example(self) -> Example:
        """The new example: the parent with other words, its id, group, label and place kept."""
        texts = dict(zip(self.parts, self.after, strict=True))
        messages = tuple(
            replace(message, content=texts[index]) if index in texts else message
            for index, message in enumerate(self.parent.messages)
        )
        return replace(
            self.parent,
            references=self.parent.references if self.same_question else (),
            desirable=self.parent.desirable if self.same_question else None,
            messages=messages,
            text=texts.get(PLAIN_TEXT, self.parent.text),
            parent=self.parent.id,
            technique=self.technique,
        )

    def filtered(self, reason: Reason, detail: str = "") -> Filtered:
        """This candidate as one that is not used."""
        return filtered(self.parent, self.technique, reason, detail, "\n".join(self.after))


PLAIN_TEXT = -1
"""The index that stands for the text of an example without messages."""


def filtered(parent: Example, technique: str, reason: Reason | Why, detail: str = "", text: str = "") -> Filtered:
    """What was asked for and is not used, with the place of its parent."""
    return Filtered(parent.id, technique, reason, detail, text, parent.source, parent.line)


def parts_of(example: Example, rewritten: Rewritten) -> tuple[int, ...]:
    """Indices of the messages that get other words (`PLAIN_TEXT` of a plain text); empty turns are left out."""
    if not example.messages:
        return (PLAIN_TEXT,) if example.text else ()
    last = len(example.messages) - 1
    users = [index for index, message in enumerate(example.messages) if message.speaker is Speaker.USER]
    match rewritten:
        case Rewritten.USER_TURNS:
            chosen = users
        case Rewritten.LAST_USER_TURN:
            chosen = users[-1:]
        case Rewritten.USER_AND_ASSISTANT_TURNS:
            answers = [
                index
                for index, message in enumerate(example.messages)
                if message.speaker is Speaker.ASSISTANT
                and message.calls is None
                and not (index == last and example.label is not None)
            ]
            chosen = sorted(users + answers)
    return tuple(index for index in chosen if example.messages[index].content.strip())


def texts_of(example: Example, parts: Sequence[int]) -> tuple[str, ...]:
    """The texts of these parts."""
    return tuple((example.text or "") if index == PLAIN_TEXT else example.messages[index].content for index in parts)
