"""Training that begins from what an earlier one made, in place of fresh numbers.

Technique and shape have to be the same. One exception is exact: LoRA of a lower rank begins a higher one with the same
scale, its second factor padded with zeros, so that the product is what it was. A higher rank would have to be cut,
which changes the answers, and is refused.
"""

from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig, PeftConfig, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from peft.utils.other import get_pattern_key
from safetensors.torch import load_file
from torch import Tensor

from atanor.errors import ConfigurationError, Problem
from atanor.models.adapter import ADAPTER_FILE, Adapter
from atanor.models.bottleneck import CONFIG_FILE as BOTTLENECK
from atanor.models.bottleneck import Bottleneck, BottleneckShape
from atanor.models.load import Base
from atanor.models.pissa import Pissa
from atanor.models.tuned import Tuned
from atanor.models.weights import Weights

FIELD = "start_from"


def begin_from(tuned: Tuned, base: Base, folder: Path) -> None:
    """Put the numbers of a published folder where fresh ones stand.

    Args:
        tuned: freshly attached to the base.
        base: the loaded base.
        folder: that `Tuned.publish` wrote, or PEFT or Transformers in its place.

    Raises:
        ConfigurationError: the folder holds another technique, another shape or another base's.
    """
    if isinstance(tuned, Pissa):
        raise _refused(folder, "`start: pissa` says how the factors begin, and so does this", "Remove one of the two")
    if isinstance(tuned, Adapter) and (folder / ADAPTER_FILE).is_file():
        _adapter(tuned, folder)
    elif isinstance(tuned, Bottleneck) and (folder / BOTTLENECK).is_file():
        _bottleneck(tuned, folder)
    elif isinstance(tuned, Weights) and (folder / "config.json").is_file():
        _weights(base, folder)
    else:
        raise _refused(
            folder, "it holds another technique than this method trains", "Train the technique it was made by"
        )


def _adapter(tuned: Adapter, folder: Path) -> None:
    given = PeftConfig.from_pretrained(str(folder))
    if given.peft_type != tuned.config.peft_type:
        reason = f"it holds {given.peft_type.value}, and this method trains {tuned.config.peft_type.value}"
        raise _refused(folder, reason, "Train the technique it was made by")
    fresh = get_peft_model_state_dict(tuned.model)
    saved = load_file(folder / ADAPTER_FILE, device=str(next(tuned.model.parameters()).device))
    if fresh.keys() != saved.keys():
        other = sorted(fresh.keys() ^ saved.keys())[0]
        raise _refused(folder, f"it covers other layers: {other} is only in one of the two", "Write its `targets`")
    if isinstance(given, LoraConfig):
        assert isinstance(tuned.config, LoraConfig)
        _require_scale(tuned, given, folder)
        saved = {name: _padded(name, one, fresh[name], folder) for name, one in saved.items()}
    for name, one in saved.items():
        if one.shape != fresh[name].shape:
            reason = f"{name} is {tuple(one.shape)} in it, and {tuple(fresh[name].shape)} here"
            raise _refused(folder, reason, "Write the size it was trained with")
    set_peft_model_state_dict(tuned.model, saved, adapter_name=str(tuned.model.active_adapter))


def _require_scale(tuned: Adapter, given: LoraConfig, folder: Path) -> None:
    """Each layer multiplies the product by the same number as before."""
    for name, layer in tuned.model.get_base_model().named_modules():
        if not isinstance(layer, LoraLayer):
            continue
        now = layer.scaling[str(tuned.model.active_adapter)]
        before = _scale(given, name)
        if abs(now - before) > 1e-9 * before:
            reason = f"it scales {name} by {before:g}, and this method by {now:g}"
            raise _refused(folder, reason, "Write the `alpha`, `rank` and `rslora` it was trained with")


def _scale(config: LoraConfig, layer: str) -> float:
    """What PEFT multiplies the product of this layer's factors by."""
    ranks, alphas = config.rank_pattern or {}, config.alpha_pattern or {}
    rank = ranks.get(get_pattern_key(ranks, layer), config.r)
    alpha = alphas.get(get_pattern_key(alphas, layer), config.lora_alpha)
    return float(alpha / (rank**0.5 if config.use_rslora else rank))


def _padded(name: str, saved: Tensor, fresh: Tensor, folder: Path) -> Tensor:
    """The factor at the new rank: A goes on with its fresh rows, B with columns of zeros."""
    axis = 0 if ".lora_A." in name else 1 if ".lora_B." in name else None
    if axis is None or saved.shape == fresh.shape or saved.shape[1 - axis] != fresh.shape[1 - axis]:
        return saved
    before, now = saved.shape[axis], fresh.shape[axis]
    if before > now:
        reason = f"its rank is {before} in {name}, and this method's is {now}: cutting it would change its answers"
        raise _refused(folder, reason, f"Write `rank: {before}` or more")
    rest = fresh.narrow(axis, before, now - before)
    return torch.cat([saved.to(fresh.dtype), rest if axis == 0 else torch.zeros_like(rest)], dim=axis)


def _bottleneck(tuned: Bottleneck, folder: Path) -> None:
    shape = BottleneckShape.model_validate_json((folder / BOTTLENECK).read_text(encoding="utf-8"))
    if shape != tuned.shape:
        reason = f"its blocks are of width {shape.width}, {shape.placement}, {shape.activation}"
        raise _refused(folder, reason, "Write the same `width`, `placement` and `activation`")
    tuned.restore(folder)


def _weights(base: Base, folder: Path) -> None:
    """The weights that train; the others have to be the base's own."""
    network = type(base.model).from_pretrained(folder, dtype=torch.float32)
    saved = dict(network.named_parameters())
    own = dict(base.model.named_parameters())
    if saved.keys() != own.keys() or any(saved[name].shape != one.shape for name, one in own.items()):
        raise _refused(folder, "it is another network than the base", "Start from a candidate of this base")
    for name, one in own.items():
        if not one.requires_grad and not torch.equal(saved[name].to(one.dtype), one.detach().cpu()):
            reason = f"{name} differs from the base's, and this method would lose it, because it does not train it"
            raise _refused(folder, reason, "Use `full`, or as many `layers` as it was trained with")
    with torch.no_grad():
        for name, one in own.items():
            if one.requires_grad:
                one.copy_(saved[name])


def _refused(folder: Path, reason: str, fix: str) -> ConfigurationError:
    return ConfigurationError(
        "training cannot begin from there", [Problem(reason, file=str(folder), field=FIELD, fix=fix)]
    )
