"""Batched answers of a base, or of an adapter on it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from peft import PeftModel
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.generation.streamers import BaseStreamer

from atanor.errors import ConfigurationError, Problem
from atanor.inference.continuous import continuing_engine, write_greedily
from atanor.inference.prefill import Prefill
from atanor.models import Base, virtual_tokens
from atanor.progress import Progress

TOKENS_PER_BATCH = 8192
"""Most prompt and answer tokens in one batch: what its key-value cache may hold."""


@dataclass(frozen=True)
class Answer:
    """What a model wrote.

    Attributes:
        text: without special tokens.
        finished: it ended by itself, before the limit.
        tokens: what was written, the end included.
        seconds: of the time of its batch, its share by tokens written; no part of what makes two answers equal.
    """

    text: str
    finished: bool
    tokens: tuple[int, ...] = ()
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Decoding:
    """How the next token is chosen. A temperature of 0 is greedy."""

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


def generate_answers(
    base: Base,
    model: PreTrainedModel | PeftModel,
    prompts: Sequence[tuple[int, ...]],
    *,
    decoding: Decoding,
    progress: Progress,
    name: str = "answering",
) -> list[Answer]:
    """Answer every prompt, in the order given.

    Greedy answers go on together, each leaving when it ends (`continuous`); where that is not possible, and for sampled
    ones, prompts of similar length make batches, padded on the left. What prompts that are read together have in common
    is read once.
    Greedy answers do not depend on the batch they are in, up to rounding.

    Args:
        base: for the tokenizer, the context and the tokens that end an answer.
        model: the network to ask, with the wanted adapter active.
        prompts: token ids, from `encode_prompt`.
        decoding: how tokens are chosen.
        progress: shown one unit a prompt.
        name: what the progress bar says.

    Raises:
        ConfigurationError: a prompt and its answer do not fit into the model's context.
    """
    longest = virtual_tokens(model) + max(map(len, prompts), default=0)
    if longest + decoding.max_new_tokens > base.context:  # of an encoder and a decoder together: rows are held to it
        raise ConfigurationError(
            "a prompt and its answer do not fit into the context of the base",
            [
                Problem(
                    reason=f"{longest} prompt tokens and {decoding.max_new_tokens} new ones exceed {base.context}",
                    field="generate.max_new_tokens",
                    value=str(decoding.max_new_tokens),
                    fix=f"Set it to at most {max(1, base.context - longest)}, or shorten the prompts",
                )
            ],
        )
    torch.manual_seed(decoding.seed)
    answers: dict[int, Answer] = {}
    engine = continuing_engine(model, prompts) if decoding.temperature == 0 else None
    if engine is not None:
        began = time.perf_counter()
        with progress.start(name, len(prompts), "answer") as bar:
            for number, tokens in write_greedily(engine, prompts, decoding.max_new_tokens, base.end_ids):
                answers[number] = _read(base, tokens)
                bar.advance()
        return timed([answers[number] for number in range(len(prompts))], time.perf_counter() - began)
    prefill = Prefill(model, prompts)
    with progress.start(name, len(prompts), "answer") as bar:
        # PEFT cannot tell virtual tokens the place of a padded prompt: its prompts go with others of their length.
        alike = virtual_tokens(model) > 0
        for numbers in _batches(prompts, decoding.max_new_tokens, alike=alike):
            began = time.perf_counter()
            written = _generate(base, model, [prompts[number] for number in numbers], decoding, prefill)
            answers.update(zip(numbers, timed(written, time.perf_counter() - began), strict=True))
            bar.advance(len(numbers))
    return [answers[number] for number in range(len(prompts))]


def timed(answers: Sequence[Answer], seconds: float) -> list[Answer]:
    """Answers that were made together, each with its share by tokens written of the seconds all of them took."""
    shares = [max(1, len(answer.tokens)) for answer in answers]
    return [replace(one, seconds=seconds * share / sum(shares)) for one, share in zip(answers, shares, strict=True)]


def stream_answer(
    base: Base, model: PreTrainedModel | PeftModel, prompt: tuple[int, ...], decoding: Decoding, streamer: BaseStreamer
) -> None:
    """Answer one prompt, handing tokens to a Transformers streamer as they come."""
    torch.manual_seed(decoding.seed)
    tokens_1T = torch.tensor([prompt], device=model.device)
    with _without_position_ids():
        model.generate(
            input_ids=tokens_1T,
            attention_mask=torch.ones_like(tokens_1T),
            generation_config=_settings(base, decoding),
            streamer=_Same(streamer),
        )


class _Same(BaseStreamer):  # type: ignore[misc]  # untyped in transformers
    """Hands tokens on. PEFT copies deeply what it is given for virtual tokens before an encoder; a copy is mute."""

    def __init__(self, streamer: BaseStreamer) -> None:
        self._streamer = streamer

    def __deepcopy__(self, memo: object) -> _Same:
        return self

    def put(self, value: torch.Tensor) -> None:
        self._streamer.put(value)

    def end(self) -> None:
        self._streamer.end()


def _batches(prompts: Sequence[tuple[int, ...]], new_tokens: int, *, alike: bool = False) -> list[list[int]]:
    """Prompt numbers, longest first, grouped so that a batch's cache stays within TOKENS_PER_BATCH.

    With `alike`, the prompts of a batch are of one length.
    """
    order = sorted(range(len(prompts)), key=lambda number: -len(prompts[number]))
    batches: list[list[int]] = []
    for number in order:
        longest = len(prompts[batches[-1][0]]) if batches else 0
        fits = batches and (len(batches[-1]) + 1) * (longest + new_tokens) <= TOKENS_PER_BATCH
        if fits and (not alike or longest == len(prompts[number])):
            batches[-1].append(number)
        else:
            batches.append([number])
    return batches


@torch.no_grad()
def _generate(
    base: Base,
    model: PreTrainedModel | PeftModel,
    prompts: Sequence[tuple[int, ...]],
    decoding: Decoding,
    prefill: Prefill,
) -> list[Answer]:
    width = max(map(len, prompts))
    pad = _pad(base.tokenizer)
    tokens_BT = torch.full((len(prompts), width), pad, dtype=torch.long)
    mask_BT = torch.zeros_like(tokens_BT)
    for line, prompt in enumerate(prompts):
        # What goes on after the prompt needs it at the end; an encoder counts its places from the beginning.
        start = 0 if base.encoder_decoder else width - len(prompt)
        tokens_BT[line, start : start + len(prompt)] = torch.tensor(prompt)
        mask_BT[line, start : start + len(prompt)] = 1
    read = 1 if base.encoder_decoder else width  # a decoder begins with its start token
    with _without_position_ids():
        written_BT = model.generate(
            input_ids=tokens_BT.to(model.device),
            attention_mask=mask_BT.to(model.device),
            past_key_values=prefill.cache(prompts),
            generation_config=_settings(base, decoding),
        )[:, read:]
    return [_read(base, line.tolist()) for line in written_BT]


@contextmanager
def _without_position_ids() -> Iterator[None]:
    """PEFT warns that it leaves them out where virtual tokens stand; prompts of one length have no need of them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Position ids are not supported for parameter efficient tuning")
        yield


def _read(base: Base, tokens: Sequence[int]) -> Answer:
    end = next((place for place, token in enumerate(tokens) if token in base.end_ids), None)
    text = base.tokenizer.decode(tokens[:end], skip_special_tokens=True)
    written = tokens if end is None else tokens[: end + 1]
    return Answer(text=text, finished=end is not None, tokens=tuple(written))


def _settings(base: Base, decoding: Decoding) -> GenerationConfig:
    sampling = (
        {"do_sample": True, "temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": 0}
        if decoding.temperature > 0
        else {"do_sample": False}
    )
    start = {"decoder_start_token_id": base.model.config.decoder_start_token_id} if base.encoder_decoder else {}
    return GenerationConfig(
        **start,
        max_new_tokens=decoding.max_new_tokens,
        eos_token_id=sorted(base.end_ids),
        pad_token_id=_pad(base.tokenizer),
        **sampling,
    )


def _pad(tokenizer: PreTrainedTokenizerBase) -> int:
    return int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0)
