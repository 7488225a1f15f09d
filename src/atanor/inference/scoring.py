"""How likely a base, or an adapter on it, finds given answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from atanor.compute import Engine, WeightedTokens
from atanor.progress import Progress

_FOLLOWED_TOGETHER = 64
"""Rows whose hidden states are held at once."""


def score_rows(
    model: PreTrainedModel | PeftModel, rows: Sequence[WeightedTokens], progress: Progress, name: str = "scoring"
) -> list[float]:
    """Negative log-likelihood in nats of every row's supervised tokens, in the order given.

    What rows have in common is computed once; logits are made for supervised positions only, a chunk at a time.
    """
    scores: dict[int, float] = {}
    engine = checked_engine(model, rows)
    with progress.start(name, len(rows), "row") as bar:
        for number, nll in engine.likelihoods(rows):
            scores[number] = nll
            bar.advance()
    return [scores[number] for number in range(len(rows))]


@dataclass(frozen=True)
class Followed:
    """How likely a row's supervised tokens are.

    Attributes:
        nll: their negative log-likelihood in nats, summed.
        greedy: each is the likeliest of all tokens at its place.
    """

    nll: float
    greedy: bool


@torch.no_grad()
def follow_rows(
    model: PreTrainedModel | PeftModel, rows: Sequence[WeightedTokens], progress: Progress, name: str = "scoring"
) -> list[Followed]:
    """The same as `score_rows`, and whether greedy decoding would have written every row's supervised tokens."""
    engine, found = checked_engine(model, rows), []
    head = engine.kept_head()
    with progress.start(name, len(rows), "row") as bar:
        for start in range(0, len(rows), _FOLLOWED_TOGETHER):
            part = rows[start : start + _FOLLOWED_TOGETHER]
            states_Sd = engine.states(part)
            targets = [
                [token for token, weight in zip(row.tokens[1:], row.weights[1:], strict=True) if weight > 0]
                for row in part
            ]
            place = 0
            for wanted in targets:
                logits_TV = head.logits(states_Sd[place : place + len(wanted)])
                place += len(wanted)
                wanted_T = torch.tensor(wanted, dtype=torch.long, device=logits_TV.device)
                nll_T = logits_TV.logsumexp(1) - logits_TV.gather(1, wanted_T[:, None])[:, 0]
                found.append(Followed(float(nll_T.double().sum()), bool((logits_TV.argmax(1) == wanted_T).all())))
                bar.advance()
    return found


def checked_engine(model: PreTrainedModel | PeftModel, rows: Sequence[WeightedTokens]) -> Engine:
    """An engine on the fastest route that agrees with the model's own computation on the shortest two rows."""
    engine = Engine(model, pad=0)
    predicting = [row for row in rows if any(weight > 0 for weight in row.weights[1:])]
    with torch.no_grad():
        engine.self_check(sorted(predicting, key=lambda row: len(row.tokens))[:2])
    return engine


@dataclass(frozen=True)
class _Scored:
    tokens: tuple[int, ...]
    weights: tuple[float, ...]


def to_predict(tokens: tuple[int, ...]) -> WeightedTokens:
    """A prompt with every token to predict, for a check of the engine.

    Its last token alone, which a chat template puts there, is so sure that its loss is rounding.
    """
    return _Scored(tokens, (1.0,) * len(tokens))


def score_choices(
    model: PreTrainedModel | PeftModel,
    prompts: Sequence[tuple[int, ...]],
    choices: Sequence[Sequence[tuple[int, ...]]],
    progress: Progress,
    name: str = "scoring choices",
) -> list[list[float]]:
    """Negative log-likelihood in nats of every choice after its prompt, which is computed once for all of them.

    Args:
        model: the network, with or without an adapter active.
        prompts: token ids of each question; not empty.
        choices: for each question the token ids of its possible answers.
        progress: shown the rows done.
        name: what the progress is called.

    Returns:
        For each question one number a choice; the smallest is the model's choice.
    """
    rows = [
        _Scored((*prompt, *choice), (0.0,) * len(prompt) + (1.0,) * len(choice))
        for prompt, options in zip(prompts, choices, strict=True)
        for choice in options
    ]
    scores = iter(score_rows(model, rows, progress, name))
    return [[next(scores) for _ in options] for options in choices]
