"""Whether what a method names is there in its base, told from the base's files before anything is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from atanor.data.options import RenderOptions
from atanor.methods.options import (
    Ia3Options,
    LastLayersOptions,
    LoraMethodOptions,
    PrefixTuningOptions,
    PromptTuningOptions,
)
from atanor.models.outline import Outline
from atanor.nearest import did_you_mean
from atanor.options import Options

_SCALED_BY_IA3 = ("k_proj", "v_proj", "down_proj")


@dataclass(frozen=True)
class Misfit:
    """An option that names what its base does not have.

    Attributes:
        option: its key under the method, or empty where the method as a whole does not fit.
        reason, fix: as of a `Problem`.
        value: what was written.
    """

    option: str
    reason: str
    fix: str
    value: object = None


def misfits(options: Options, outline: Outline, render: RenderOptions) -> Iterator[Misfit]:
    """Everything a method's options ask of a base that it does not have.

    Args:
        options: of the method.
        outline: of the base.
        render: how long rows may be.
    """
    if isinstance(options, LoraMethodOptions):
        yield from _lora(options, outline)
    elif isinstance(options, LastLayersOptions):
        if outline.layers is not None and options.layers > outline.layers:
            fix = f"Write at most {outline.layers}, or `full: {{}}` to train every weight"
            yield Misfit("layers", f"the base has {outline.layers} layers", fix, options.layers)
    elif isinstance(options, Ia3Options):
        missing = [name for name in _SCALED_BY_IA3 if outline.linears and name not in outline.linear_names]
        if missing:
            reason = f"the base has no layers named {', '.join(missing)}, which `ia3` scales"
            yield Misfit("", reason, "Use `lora`, which takes any linear layers")
    elif isinstance(options, (PrefixTuningOptions, PromptTuningOptions)):
        yield from _virtual_tokens(options.tokens, outline, render)


def _lora(options: LoraMethodOptions, outline: Outline) -> Iterator[Misfit]:
    if not outline.linears:
        return
    targeted = set(outline.linears)
    listing = f"Layers: {', '.join(outline.linear_names)}"
    for name in options.targets:
        if not _ending(name, outline):
            fix = did_you_mean(name, outline.linear_names, listing)
            yield Misfit("targets", "no linear layer of the base has this name", fix, name)
    if options.targets:
        targeted = {layer for name in options.targets for layer in _ending(name, outline)}
    for pattern in options.ranks:
        if targeted and not any(re.match(rf"(.*\.)?({pattern})$", layer) for layer in targeted):
            among = "`targets`" if options.targets else "the base's linear layers"
            yield Misfit("ranks", f"none of {among} is named so, and the rank would be ignored", listing, pattern)


def _ending(name: str, outline: Outline) -> list[str]:
    """The layers whose names end in this one, as PEFT finds them."""
    return [layer for layer in outline.linears if layer == name or layer.endswith(f".{name}")]


def _virtual_tokens(tokens: int, outline: Outline, render: RenderOptions) -> Iterator[Misfit]:
    if outline.context is None:
        return
    room = outline.context - tokens
    if room <= 0:
        yield Misfit("tokens", f"the context of the base has {outline.context} tokens", "Write fewer", tokens)
    elif render.max_tokens is not None and render.max_tokens > room:
        reason = (
            f"rows of up to {render.max_tokens} tokens (`render.max_tokens`) and the virtual tokens before them do not "
            f"fit into the base's context of {outline.context}"
        )
        yield Misfit("tokens", reason, f"Write fewer, or set `render.max_tokens` to {room}", tokens)
