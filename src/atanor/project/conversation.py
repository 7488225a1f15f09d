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
from atanor.inference import Decoding, score_choices, stream_answer
from atanor.methods import CandidateDescription
from atanor.methods.classification.classifier import Classifier
from atanor.models import Base, BaseReference, encode_question, resolve_base
from atanor.progress import Progress, Silent
from atanor.project.candidates import describe_candidate, load_candidate, require_same
from atanor.project.dataset import Reader, tokens_of_choices
from atanor.project.file import LoadedProject
from atanor.project.labelling import Labelling
from atanor.store import CandidateRecord, Store


def open_candidate(
    store: Store, candidate: CandidateRecord, loaded: LoadedProject, progress: Progress
) -> Conversation | Labelling:
    """Load a candidate: its base, and what was trained on it.

    Raises:
        BaseModelError: the base has other weights or another chat template than when the candidate was made.
    """
    description = describe_candidate(store, candidate)
    if description.classifier is None or description.adapter is None:
        base, model, description = load_candidate(store, candidate, loaded.root, progress)
        return Conversation(base, model, description, loaded.file.seed)
    local = resolve_base(BaseReference.parse(description.base), loaded.root, progress)
    require_same(candidate, description, weights=local.sha)
    folder = store.folder / candidate.folder / description.adapter
    classifier = Classifier.load(
        local, folder, description.classifier, dtype=description.precision, device=device_name()
    )
    require_same(candidate, description, template=classifier.classifying.base.template_sha)
    return Labelling(classifier, description)


@dataclass
class Conversation:
    """A candidate in memory and the turns so far.

    Attributes:
        probabilities: of the only answers allowed after the last question, the likeliest first; empty where the
            candidate writes freely.
    """

    base: Base
    model: PreTrainedModel | PeftModel
    description: CandidateDescription
    seed: int
    turns: list[Message] = field(default_factory=list)
    probabilities: tuple[tuple[str, float], ...] = ()

    def ask(self, text: str, on_text: Callable[[str], None] | None = None) -> str:
        """Say something and return the answer; `on_text` gets it piece by piece as it is written."""
        self.turns.append(Message(Speaker.USER, text))
        messages = tuple(self.turns)
        if self.description.system:
            messages = (Message(Speaker.SYSTEM, self.description.system), *messages)
        framed = self.description.framing.around_messages(messages)
        prompt = encode_question(self.base, [{"role": str(turn.speaker), "content": turn.content} for turn in framed])
        if self.description.choices:
            return self._chosen(prompt, on_text)
        generation = self.description.generation
        decoding = Decoding(generation.max_new_tokens, generation.temperature, generation.top_p, self.seed)
        pieces = _Pieces(self.base.tokenizer, on_text)
        stream_answer(self.base, self.model, prompt, decoding, pieces)
        answer = "".join(pieces.written)
        self.turns.append(Message(Speaker.ASSISTANT, answer))
        return answer

    def _chosen(self, prompt: tuple[int, ...], on_text: Callable[[str], None] | None) -> str:
        """The likeliest of the only answers allowed."""
        reader = Reader(self.base.tokenizer, self.base.context, self.base.end_ids)
        choices = tokens_of_choices(self.description.choices, reader)
        (nll,) = score_choices(self.model, [prompt], [[tokens for _, tokens in choices]], Silent())
        likelihoods = torch.softmax(-torch.tensor(nll, dtype=torch.float64), dim=0).tolist()
        named = zip(self.description.choices, likelihoods, strict=True)
        self.probabilities = tuple(sorted(named, key=lambda one: -one[1]))
        answer = self.probabilities[0][0]
        if on_text is not None:
            on_text(answer)
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
