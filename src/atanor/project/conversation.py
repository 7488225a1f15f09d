"""Talk with a candidate as it was judged: same base, same adapter, same framing, same way of decoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from peft import PeftModel
from transformers import PreTrainedModel, TextStreamer

from atanor.data.rows import Message, Speaker
from atanor.inference import Decoding, stream_answer
from atanor.methods import CandidateDescription
from atanor.models import Base, encode_question
from atanor.progress import Progress
from atanor.project.candidates import load_candidate
from atanor.project.file import LoadedProject
from atanor.store import CandidateRecord, Store


@dataclass
class Conversation:
    """A candidate in memory and the turns so far."""

    base: Base
    model: PreTrainedModel | PeftModel
    description: CandidateDescription
    seed: int
    turns: list[Message] = field(default_factory=list)

    @classmethod
    def open(cls, store: Store, candidate: CandidateRecord, loaded: LoadedProject, progress: Progress) -> Conversation:
        """Load a candidate's base and adapter.

        Raises:
            BaseModelError: the base has other weights or another chat template than when the candidate was made.
        """
        base, model, description = load_candidate(store, candidate, loaded.root, progress)
        return cls(base, model, description, loaded.file.seed)

    def ask(self, text: str, on_text: Callable[[str], None] | None = None) -> str:
        """Say something and return the answer; `on_text` gets it piece by piece as it is written."""
        self.turns.append(Message(Speaker.USER, text))
        messages = tuple(self.turns)
        if self.description.system:
            messages = (Message(Speaker.SYSTEM, self.description.system), *messages)
        framed = self.description.framing.around_messages(messages)
        prompt = encode_question(self.base, [{"role": str(turn.speaker), "content": turn.content} for turn in framed])
        generation = self.description.generation
        decoding = Decoding(generation.max_new_tokens, generation.temperature, generation.top_p, self.seed)
        pieces = _Pieces(self.base.tokenizer, on_text)
        stream_answer(self.base, self.model, prompt, decoding, pieces)
        answer = "".join(pieces.written)
        self.turns.append(Message(Speaker.ASSISTANT, answer))
        return answer


class _Pieces(TextStreamer):  # type: ignore[misc]  # untyped in transformers
    """Collects an answer's text as it comes."""

    def __init__(self, tokenizer: Any, on_text: Callable[[str], None] | None) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self.written: list[str] = []
        self.on_text = on_text

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        del stream_end
        self.written.append(text)
        if self.on_text is not None and text:
            self.on_text(text)
