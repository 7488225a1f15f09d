"""Every method that trains: what is put into the base differs, how it is trained does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from peft import IA3Config, LoraConfig, PrefixTuningConfig, PromptTuningConfig
from torch import nn

from atanor.errors import BaseModelError, ConfigurationError, Problem
from atanor.methods.candidate import Bench, Made
from atanor.methods.framing import Framing
from atanor.methods.options import (
    BottleneckOptions,
    FullOptions,
    Ia3Options,
    LastLayersOptions,
    LoraMethodOptions,
    PrefixTuningOptions,
    PromptTuningOptions,
    QloraOptions,
)
from atanor.methods.remedies import prepare_remedies
from atanor.methods.tuning import TuningOptions
from atanor.models import (
    Base,
    BottleneckShape,
    Pissa,
    Tuned,
    attach,
    attach_all,
    attach_bottleneck,
    attach_last,
    attach_quantised,
    begin_from,
    trained_numbers,
)
from atanor.progress import Progress
from atanor.train import OBJECTIVES, TrainingJob, TrainOptions, train

_IA3_LAYERS = (
    ("k_proj", "v_proj", "down_proj"),
    ("k_proj", "v_proj", "fc2"),
    ("k", "v", "wo"),
)
"""What families call the layers of keys and values, and the one that reads a feed-forward block's inner states."""


@dataclass(frozen=True)
class Trained:
    """A method that trains what `attach` puts into the base."""

    attach: Callable[[Any, Bench], Tuned]

    def make(self, options: TuningOptions, bench: Bench, progress: Progress) -> Made:
        """See `Method.make`."""
        kind, chosen = OBJECTIVES[options.objective.name], options.objective.options
        material = kind.prepare(chosen, bench.material, progress)
        training, validation = kind.items(chosen, material.training), kind.items(chosen, material.validation)
        for note in training.notes:
            progress.say(f"training  {note}")
        remedies = prepare_remedies(options.against_forgetting, bench, progress)
        tuned = self.attach(options, bench)
        numbers = trained_numbers(tuned)
        try:
            if bench.start is not None:
                begin_from(tuned, bench.base, bench.start)
            result = train(
                TrainingJob(
                    tuned=tuned,
                    training=training.items,
                    validation=validation.items,
                    options=options,
                    pad=bench.base.tokenizer.pad_token_id or 0,
                    seed=bench.seed,
                    folder=bench.folder,
                    versions=bench.versions,
                    objective=kind.build(chosen, tuned, material),
                    follow=bench.follow,
                    continuation=bench.continuation,
                    rates=_rates(options),
                    replays=remedies.replays,
                    regularisers=remedies.regularisers(tuned),
                    group=bench.group,
                ),
                progress,
            )
        except BaseException:
            # The base goes on to the next method, or to the person who stopped this one.
            if bench.group.alone:
                tuned.detach()
            raise
        tuned.model.requires_grad_(False)
        return Made(
            framing=Framing(),
            tuned=tuned,
            folder=result.folder,
            training=result,
            settings=settings_of(options),
            trainable_parameters=numbers,
            judged_as=options.judged_as,
        )


def settings_of(options: TrainOptions) -> dict[str, Any]:
    """Every option in force, with what a default came to."""
    told = {**options.model_dump(mode="json"), **options.in_force()}
    return {**told, "alpha": options.scale} if isinstance(options, LoraMethodOptions) else told


def _rates(options: TrainOptions) -> dict[str, float]:
    """Parameters whose learning rate is another."""
    if isinstance(options, LoraMethodOptions) and options.second_factor != 1:
        return {"lora_B": options.second_factor}
    return {}


def lora(options: LoraMethodOptions, bench: Bench) -> Tuned:
    """Low-rank factors; see `LoraMethodOptions`."""
    config = _lora_config(options, bench)
    return attach(bench.base, config, bench.seed) if options.start == "zero" else Pissa(bench.base, config, bench.seed)


def qlora(options: QloraOptions, bench: Bench) -> Tuned:
    """Low-rank factors on a base in 4 bits; see `QloraOptions`."""
    return attach_quantised(bench.base, _lora_config(options, bench), options.quantisation, bench.seed)


def _lora_config(options: LoraMethodOptions, bench: Bench) -> LoraConfig:
    _require_linear(bench.base, options.targets, "methods.lora.targets")
    _require_ranked(bench.base, options)
    return LoraConfig(
        r=options.rank,
        lora_alpha=options.scale,
        target_modules=list(options.targets) or "all-linear",
        rank_pattern=dict(options.ranks),
        # PEFT scales each layer by alpha over its own rank: the same scale everywhere keeps one learning rate right.
        alpha_pattern={name: _alpha(options, rank) for name, rank in options.ranks.items()},
        use_rslora=options.rslora,
        use_dora=options.dora,
        init_lora_weights=True if options.start == "zero" else "pissa",
        task_type=bench.base.task_type,
    )


def full(options: FullOptions, bench: Bench) -> Tuned:
    """Every weight; see `FullOptions`."""
    del options
    return attach_all(bench.base)


def last_layers(options: LastLayersOptions, bench: Bench) -> Tuned:
    """The last layers; see `LastLayersOptions`."""
    return attach_last(bench.base, options.layers, head=options.head)


def ia3(options: Ia3Options, bench: Bench) -> Tuned:
    """Factors on channels; see `Ia3Options`."""
    del options
    there = _linear_names(bench.base)
    names = next((names for names in _IA3_LAYERS if there.issuperset(names)), _IA3_LAYERS[0])
    _require_linear(bench.base, names, "base")
    config = IA3Config(target_modules=list(names), feedforward_modules=[names[-1]], task_type=bench.base.task_type)
    return attach(bench.base, config, bench.seed)


def bottleneck(options: BottleneckOptions, bench: Bench) -> Tuned:
    """Small blocks; see `BottleneckOptions`."""
    shape = BottleneckShape(width=options.width, placement=options.placement, activation=options.activation)
    return attach_bottleneck(bench.base, shape, bench.seed)


def prefix_tuning(options: PrefixTuningOptions, bench: Bench) -> Tuned:
    """Keys and values before every prompt; see `PrefixTuningOptions`."""
    _require_room(bench, options.tokens)
    begin = _keys_and_values(bench, options.tokens) if _begins_as_goal(options, bench) else None
    config = PrefixTuningConfig(num_virtual_tokens=options.tokens, task_type=bench.base.task_type)
    tuned = attach(bench.base, config, bench.seed)
    if begin is not None:
        with torch.no_grad():
            tuned.model.prompt_encoder["default"].embedding.weight.copy_(begin)
    return tuned


def prompt_tuning(options: PromptTuningOptions, bench: Bench) -> Tuned:
    """Embeddings before every prompt; see `PromptTuningOptions`."""
    _require_room(bench, options.tokens)
    # Before what the encoder reads, where there is one, and not before the decoder's input as well.
    config = PromptTuningConfig(
        num_virtual_tokens=options.tokens, task_type=bench.base.task_type, num_transformer_submodules=1
    )
    tuned = attach(bench.base, config, bench.seed)
    words = bench.base.model.get_input_embeddings()
    if options.start == "goal":
        tokens = _tokens_of_goal(bench, options.tokens)
    else:
        draw = torch.Generator().manual_seed(bench.seed)
        tokens = torch.randint(words.weight.shape[0], (options.tokens,), generator=draw).tolist()
    with torch.no_grad():
        embedding = tuned.model.prompt_encoder["default"].embedding.weight
        embedding.copy_(words.weight[tokens])
    return tuned


def _tokens_of_goal(bench: Bench, count: int) -> list[int]:
    """So many tokens of the role's goal, from its beginning again where it is shorter."""
    goal = bench.base.tokenizer(bench.goal, add_special_tokens=False)["input_ids"]
    return [goal[place % len(goal)] for place in range(count)]


def _begins_as_goal(options: PrefixTuningOptions, bench: Bench) -> bool:
    return options.start == "goal" and not bench.base.encoder_decoder


@torch.no_grad()
def _keys_and_values(bench: Bench, count: int) -> torch.Tensor:
    """What the base makes of the goal's tokens in every layer, as PEFT lays a prefix out: (tokens, layers * 2 * width).

    The prefix is read where these tokens would stand, so that training begins as if the goal were told.

    Raises:
        BaseModelError: layers of the family keep something else, or share what they keep.
    """
    model = bench.base.model
    tokens_1T = torch.tensor([_tokens_of_goal(bench, count)], device=model.device)
    kept = model(input_ids=tokens_1T, use_cache=True).past_key_values
    config = model.config.get_text_config()
    layers = getattr(kept, "layers", ())
    found = [getattr(layer, name, None) for layer in layers for name in ("keys", "values")]
    whole = [one for one in found if isinstance(one, torch.Tensor)]
    alike = len({one.shape for one in whole}) == 1 and whole[0].shape[2] == count
    if len(whole) != 2 * config.num_hidden_layers or not alike:
        problem = Problem(
            "not every layer of its family keeps keys and values of all tokens, of one shape",
            field="methods.prefix_tuning.start",
            value="goal",
            fix="Write `start: random`",
        )
        raise BaseModelError(f"a prefix for {bench.base.local.reference} cannot begin as the goal", [problem])
    stacked_LGTd = torch.stack([one[0] for one in whole])
    return stacked_LGTd.permute(2, 0, 1, 3).reshape(count, -1)


def _alpha(options: LoraMethodOptions, rank: int) -> float:
    """What gives a layer of another rank the scale that `rank` has."""
    share = rank / options.rank
    return options.scale * (share**0.5 if options.rslora else share)


def _require_room(bench: Bench, tokens: int) -> None:
    """Every row fits into the context together with the virtual tokens."""
    longest = max(len(row.tokens) for row in (*bench.training.rows, *bench.validation.rows))
    room = bench.base.context - tokens
    if longest > room:
        problem = Problem(
            f"the longest row has {longest} tokens, {tokens} more stand before it, and the context has "
            f"{bench.base.context}",
            field="render.max_tokens",
            fix=f"Set it to {room}, or ask for fewer virtual tokens",
        )
        raise ConfigurationError("rows and virtual tokens do not fit into the context together", [problem])


def _linear_names(base: Base) -> set[str]:
    """Ends of the names of the base's linear layers, its head aside."""
    return {
        name.rpartition(".")[2]
        for name, module in base.model.named_modules()
        if isinstance(module, nn.Linear) and module is not base.model.get_output_embeddings()
    }


def _require_linear(base: Base, names: tuple[str, ...], field: str) -> None:
    """Every name is the end of a linear layer's name."""
    there = _linear_names(base)
    for name in names:
        if name.rpartition(".")[2] not in there:
            problem = Problem(
                "no linear layer of the base has this name",
                field=field,
                value=name,
                fix=f"Layers: {', '.join(sorted(there))}",
            )
            raise BaseModelError(f"{base.local.reference} has no layer `{name}`", [problem])


def _require_ranked(base: Base, options: LoraMethodOptions) -> None:
    """Every key of `ranks` is about some layer that gets factors; PEFT passes over the others."""
    layers = [
        name
        for name, module in base.model.named_modules()
        if isinstance(module, nn.Linear) and module is not base.model.get_output_embeddings()
    ]
    targets = [re.escape(name) for name in options.targets] or [".*"]
    targeted = [name for name in layers if any(re.match(rf"(.*\.)?({target})$", name) for target in targets)]
    for pattern in options.ranks:
        if not any(re.match(rf"(.*\.)?({pattern})$", name) for name in targeted):
            fix = f"Layers: {', '.join(sorted({name.rpartition('.')[2] for name in targeted}))}"
            problem = Problem("no layer with factors has this name", field="methods.lora.ranks", value=pattern, fix=fix)
            raise BaseModelError(f"{base.local.reference} has no layer `{pattern}` to give another rank", [problem])
