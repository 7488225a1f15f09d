"""Asks a judge, each question once: what it said is remembered by what it was asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from atanor.data.augmentation.endpoint import Conversation, Endpoint, Unanswered
from atanor.errors import MetricError, Problem, shorten
from atanor.evaluate.judging.options import JudgeOptions
from atanor.store.files import write_text

_TRIES = 3
"""How often a judge is asked that says something else than it should."""
_PROBED = 3
"""Questions asked before the others: a judge that answers none of them is not asked a thousand times."""
_AGAIN = "That is not the JSON object I asked for. Reply with that one JSON object and nothing else."
FOLDER = Path(".atanor") / "judgements"

Judged = TypeVar("Judged")


@dataclass
class Judge(Generic[Judged]):
    """A judge that reads its replies in one way.

    Attributes:
        options: which model, and where.
        root: the project's folder; what was said is kept below it.
        read: the judgement in a reply, None where it is nonsense.
        place: the metric, for errors.
        asked: questions put to the endpoint so far, those remembered left out.
    """

    options: JudgeOptions
    root: Path
    read: Callable[[str], Judged | None]
    place: str
    asked: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._endpoint = Endpoint(self.options, place=f"metrics.{self.place}")

    def judge(self, questions: Sequence[str]) -> list[Judged | Unanswered]:
        """The judgement on each question, or why there is none after all tries.

        Raises:
            DataError: the endpoint refuses the key, the model or the address.
            MetricError: the endpoint answers none of the first questions.
        """
        known: dict[str, Judged | Unanswered] = {}
        for question in dict.fromkeys(questions):
            remembered = self._remembered(question)
            if remembered is not None:
                known[question] = remembered
        new = [question for question in dict.fromkeys(questions) if question not in known]
        first = dict(zip(new[:_PROBED], self._answered(new[:_PROBED]), strict=True))
        if not self.asked and len(first) == _PROBED and all(isinstance(one, Unanswered) for one in first.values()):
            raise self._silent(next(iter(first.values())))
        self.asked += len(new)
        known |= first | dict(zip(new[_PROBED:], self._answered(new[_PROBED:]), strict=True))
        return [known[question] for question in questions]

    def kept_at(self, question: str) -> str:
        """Where what was asked and said is kept, as the user would type it."""
        return str(FOLDER / f"{self._key(question)}.json")

    def _answered(self, questions: Sequence[str]) -> list[Judged | Unanswered]:
        conversations: dict[str, Conversation] = {one: ({"role": "user", "content": one},) for one in questions}
        found: dict[str, Judged | Unanswered] = {}
        for _ in range(_TRIES):
            replies = self._endpoint.replies(list(conversations.values()), first_alone=False)
            again: dict[str, Conversation] = {}
            for (question, conversation), reply in zip(conversations.items(), replies, strict=True):
                judged = None if isinstance(reply, Unanswered) else self.read(reply)
                if isinstance(reply, Unanswered):
                    found[question] = reply
                elif judged is None:
                    found[question] = Unanswered(f"the judge said {shorten(reply)}, which is no judgement")
                    corrected = ({"role": "assistant", "content": reply}, {"role": "user", "content": _AGAIN})
                    again[question] = (*conversation, *corrected)
                else:
                    found[question] = judged
                self._keep(question, conversation, reply, judged is not None)
            conversations = again
            if not again:
                break
        return [found[question] for question in questions]

    def _remembered(self, question: str) -> Judged | None:
        path = self.root / FOLDER / f"{self._key(question)}.json"
        if not path.is_file():
            return None
        kept = json.loads(path.read_text("utf-8"))
        return self.read(kept["said"]) if kept["used"] else None

    def _keep(self, question: str, conversation: Conversation, reply: str | Unanswered, used: bool) -> None:
        path = self.root / FOLDER / f"{self._key(question)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        said = {"said": None, "reason": reply.reason} if isinstance(reply, Unanswered) else {"said": reply}
        kept = {"model": self.options.model, "asked": list(conversation), **said, "used": used}
        write_text(path, json.dumps(kept, ensure_ascii=False, indent=1))

    def _key(self, question: str) -> str:
        asked = [self.options.base_url, self.options.model, self.options.temperature, self.options.max_tokens, question]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    def _silent(self, one: Judged | Unanswered) -> MetricError:
        reason = one.reason if isinstance(one, Unanswered) else ""
        problem = Problem(
            f"the judge answers none of the first {_PROBED} questions: {reason}",
            field=f"metrics.{self.place}",
            value=self.options.base_url,
            fix="Mend the address or the model; `timeout_s`, `retries` and `max_tokens` can be raised",
        )
        return MetricError(f"`{self.place}` cannot be computed", [problem])
