"""Whether a network may compute a shared prefix once, and why not."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from atanor.errors import ConfigurationError, Problem
from atanor.models import is_encoder

_ATTENTION = {"full_attention", "sliding_attention"}
BOTH_WAYS = "an encoder reads in both directions, so what rows have in common is not computed alike"


def unshareable(network: PreTrainedModel) -> str | None:
    """Why rows cannot be laid out as one stream for this family, or None if they can.

    Attention that Transformers routes through its interface sees only the keys it is given. A recurrent or
    convolutional layer carries its state along the stream instead, from one row into the next.
    """
    if is_encoder(network.config):
        return BOTH_WAYS
    if network.config.is_encoder_decoder:
        return "the encoder reads a prompt from both sides, so what prompts have in common is not the same in each"
    config = network.config.get_text_config()
    others = {str(kind) for kind in getattr(config, "layer_types", None) or ()} - _ATTENTION
    if others:
        return f"its layers of type {', '.join(sorted(others))} carry state from one row into the next"
    if not getattr(network, "_supports_attention_backend", False):
        return "its attention does not go through Transformers' attention interface"
    return None


def randomness(network: PreTrainedModel) -> list[Problem]:
    """What in this network draws random numbers in training, each with why a shared prefix cannot have it."""
    problems = [
        Problem(
            reason="rows that share a prefix would share its random zeros, which is another objective than dropout on "
            "each row",
            field=name,
            value=f"dropout {module.p:g}",
            fix="Set this dropout to 0, or write `share_prefixes: false`",
        )
        for name, module in network.named_modules()
        if isinstance(module, nn.Dropout) and module.p > 0
    ]
    rate = float(getattr(network.config.get_text_config(), "attention_dropout", 0.0) or 0.0)
    if rate > 0:
        problems.append(
            Problem(
                reason="attention over a forest does not drop scores",
                field="attention_dropout",
                value=f"{rate:g}",
                fix="Set attention_dropout to 0 in the base's config.json, or write `share_prefixes: false`",
            )
        )
    noise = getattr(network.get_input_embeddings(), "neftune_noise_alpha", None)
    if noise:
        problems.append(
            Problem(
                reason="NEFTune draws noise for every row, and rows that share a prefix have one embedding of it",
                field="neftune_noise_alpha",
                value=str(noise),
                fix="Switch NEFTune off, or write `share_prefixes: false`",
            )
        )
    return problems


def refuse_randomness(problems: list[Problem]) -> None:
    """Raises:
    ConfigurationError: there is any.
    """
    if problems:
        raise ConfigurationError("this model cannot be trained with shared prefixes", problems)
