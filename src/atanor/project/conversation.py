"""Talk with a candidate as it was judged: same base, same adapter, same framing, same way of decoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from peft import PeftModel
from transformers import PreTrainedModel, TextStreamer

from atanor.compute import device_name
from atanor.data.rows import Message, Speaker
from atanor.errors import BaseModelError, Problem
from atanor.inference import Decoding, stream_answer
from atanor.methods import DESCRIPTION, CandidateDescription
from atanor.models import Base, BaseReference, encode_question, load_base, load_tuned, resolve_base
from atanor.progress import Progress
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
        folder = store.folder / candidate.folder
        description = CandidateDescription.model_validate_json((folder / DESCRIPTION).read_text(encoding="utf-8"))
        local = resolve_base(BaseReference.parse(description.base), loaded.root, progress)
        base = load_base(local, dtype=getattr(torch, description.precision), device=device_name())
        for what, then, present in (
            ("weights", description.base_sha, local.sha),
            ("chat template", description.template_sha, base.template_sha),
        ):
            if then != present:
                raise BaseModelError(
                    f"the base of {candidate.id} has changed",
                    [
                        Problem(
                            reason=f"its {what} had the hash {then[:12]} and now have {present[:12]}",
                            field="base",
                            value=description.base,
                            fix="Bring the old base back, or run `atanor run` for a candidate on the new one",
                        )
                    ],
                )
        model = base.model if description.adapter is None else load_tuned(base, folder / description.adapter).model
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
