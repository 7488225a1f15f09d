"""A base with its linear layers in 4 bits (QLoRA, Dettmers et al. 2023, arXiv:2305.14314), and an adapter on it.

Weights are kept as 16 levels in blocks of 64, each with its largest absolute value; double quantisation keeps those
values in 8 bits, in blocks of 256. The layers are those of bitsandbytes, and the same are quantised that Transformers
quantises under a `BitsAndBytesConfig`: every linear layer but the vocabulary head. So others load the result as it was
trained and judged.

The weights as they were are given up when they are quantised, one layer at a time, because memory is the point; they
are read from the base's folder again when the adapter is taken off.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from peft.tuners.lora import LoraLayer
from pydantic import ValidationError
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D
from transformers.quantizers.base import get_keys_to_not_convert
from transformers.quantizers.quantizers_utils import should_convert_module

from atanor.errors import BaseModelError, MissingExtraError, Problem
from atanor.models.adapter import Adapter, attach, load_adapter, no_adapter
from atanor.models.load import Base, load_network
from atanor.models.shapes import Quantisation

QUANTISATION_FILE = "quantisation.json"
"""Beside an adapter: the arguments of `transformers.BitsAndBytesConfig` that make its base anew."""


class QuantisedLinears:
    """The linear layers of a base's network, in 4 bits until `put_back`.

    Args:
        base: the loaded base; its network is changed in place.
        quantisation: how.

    Raises:
        MissingExtraError: bitsandbytes is not installed.
        BaseModelError: the family keeps its weights otherwise than in linear layers.
    """

    def __init__(self, base: Base, quantisation: Quantisation) -> None:
        self.base = base
        self.quantisation = quantisation
        self.originals = quantise(base.model, quantisation)

    def put_back(self) -> None:
        """The base is as it came: the layers' weights are read from its folder once more."""
        network = self.base.model
        for name, original in self.originals.items():
            network.set_submodule(name, original)
        again = load_network(self.base.local, network.dtype)
        for name, original in self.originals.items():
            original.weight.data = again.get_submodule(name).weight.data.to(network.device)


class QuantisedAdapter(Adapter):
    """A `Tuned` like `Adapter` on a base in 4 bits; switched off, it answers as that base in 4 bits.

    Args:
        adapter: the adapter on the quantised base.
        linears: the layers in 4 bits.
    """

    def __init__(self, adapter: Adapter, linears: QuantisedLinears) -> None:
        super().__init__(adapter.model)
        self.linears = linears

    @property
    def quantisation(self) -> Quantisation:
        """How the base is kept."""
        return self.linears.quantisation

    def publish(self, folder: Path) -> None:
        """See `Tuned.publish`."""
        super().publish(folder)
        settings = bitsandbytes_settings(self.quantisation, self.linears.base.model.dtype)
        (folder / QUANTISATION_FILE).write_text(json.dumps(settings, indent=1), encoding="utf-8")

    def merge(self) -> PreTrainedModel:
        """See `Tuned.merge`: into the weights that the 4 bits stand for, in the type the base was loaded in.

        Quantising the merged weights again would round the adapter away with them; that is not done here.
        """
        network: PreTrainedModel = self.model.get_base_model()
        for name, layer in list(network.named_modules()):
            if isinstance(layer, LoraLayer):
                network.set_submodule(name, _plain(layer.get_base_layer(), _merged(layer)))
        for name in self.linears.originals:
            layer = network.get_submodule(name)
            if is_quantised(layer):
                network.set_submodule(name, _plain(layer, dequantised(layer)))
        return network

    def detach(self) -> None:
        """See `Tuned.detach`."""
        super().detach()
        self.linears.put_back()


def attach_quantised(base: Base, config: LoraConfig, quantisation: Quantisation, seed: int) -> QuantisedAdapter:
    """Quantise a base and put a fresh LoRA on it.

    Args:
        base: the loaded base.
        config: of PEFT.
        quantisation: how the base's weights are kept.
        seed: of what is drawn at random in the adapter.

    Raises:
        MissingExtraError, BaseModelError: see `QuantisedLinears`.
    """
    linears = QuantisedLinears(base, quantisation)
    try:
        adapter = attach(base, config, seed)
    except BaseException:
        linears.put_back()
        raise
    finally:
        _known_to_peft(base.model, False)
    return QuantisedAdapter(adapter, linears)


def load_quantised(base: Base, folder: Path) -> QuantisedAdapter:
    """Put a published adapter on the base, quantised as it was for training.

    Raises:
        MissingExtraError, BaseModelError: see `QuantisedLinears`; or the folder holds nothing of the kind.
    """
    try:
        settings = json.loads((folder / QUANTISATION_FILE).read_text(encoding="utf-8"))
        quantisation = Quantisation(
            levels=settings["bnb_4bit_quant_type"], double=settings["bnb_4bit_use_double_quant"]
        )
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise no_adapter(folder, f"{QUANTISATION_FILE} cannot be read: {error}") from error
    linears = QuantisedLinears(base, quantisation)
    try:
        adapter = load_adapter(base, folder)
    except BaseException:
        linears.put_back()
        raise
    finally:
        _known_to_peft(base.model, False)
    return QuantisedAdapter(adapter, linears)


def quantise(network: PreTrainedModel, quantisation: Quantisation) -> dict[str, nn.Linear]:
    """Put linear layers in 4 bits in the place of a network's own, which lose their weights.

    Args:
        network: on the device where it stays.
        quantisation: how.

    Returns:
        The layers that were replaced, by their names, without weights.

    Raises:
        MissingExtraError: bitsandbytes is not installed.
        BaseModelError: the family keeps its weights otherwise than in linear layers.
    """
    linears = dict(_quantisable(network))
    for name, linear in linears.items():
        network.set_submodule(name, _in_four_bits(linear, quantisation))
        linear.weight.data = linear.weight.data.new_empty(0)
    if network.device.type == "cpu":
        _give_back_memory(network)
    _known_to_peft(network, True)
    return linears


def is_quantised(layer: Any) -> bool:
    """A layer keeps its weight in 4 bits."""
    return getattr(getattr(layer, "weight", None), "quant_state", None) is not None


def dequantised(layer: Any) -> Tensor:
    """The weight (o, i) that a layer's 4 bits stand for, in the type it was quantised from; a plain layer's own."""
    if not is_quantised(layer):
        return layer.weight.detach()  # type: ignore[no-any-return]
    from bitsandbytes.functional import dequantize_4bit

    weight: Tensor = dequantize_4bit(layer.weight.data, layer.weight.quant_state)
    return weight


def bitsandbytes_settings(quantisation: Quantisation, dtype: torch.dtype) -> dict[str, Any]:
    """The arguments of `transformers.BitsAndBytesConfig` that quantise a base likewise when it is loaded."""
    return {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": quantisation.levels.value,
        "bnb_4bit_use_double_quant": quantisation.double,
        "bnb_4bit_compute_dtype": str(dtype).removeprefix("torch."),
    }


def _quantisable(network: PreTrainedModel) -> Iterator[tuple[str, nn.Linear]]:
    """The linear layers that Transformers would quantise."""
    if importlib.util.find_spec("bitsandbytes") is None:
        problem = Problem(
            "weights in 4 bits are kept by the bitsandbytes package",
            field="methods.qlora",
            fix="Run `pip install 'atanor[quantised]'`, or use `lora`",
        )
        raise MissingExtraError("bitsandbytes is not installed", [problem])
    left_alone = [*get_keys_to_not_convert(network), *(network._keep_in_fp32_modules or ())]
    found = False
    for name, module in list(network.named_modules()):
        if isinstance(module, Conv1D):
            problem = Problem(f"`{name}` keeps its weight transposed", field="base", fix="Use `lora` with this base")
            raise BaseModelError("layers of this family cannot be kept in 4 bits", [problem])
        if type(module) is nn.Linear and should_convert_module(name, left_alone):
            found = True
            yield name, module
    if not found:
        problem = Problem("it has no linear layers but its head", field="base", fix="Use `full` with this base")
        raise BaseModelError("there is nothing to keep in 4 bits", [problem])


def _in_four_bits(linear: nn.Linear, quantisation: Quantisation) -> nn.Module:
    from bitsandbytes.nn import Linear4bit, Params4bit

    weight = linear.weight.data
    with torch.device("meta"):
        layer = Linear4bit(
            linear.in_features,
            linear.out_features,
            bias=False,
            compute_dtype=weight.dtype,
            compress_statistics=quantisation.double,
            quant_type=quantisation.levels.value,
        )
    layer.bias = linear.bias
    layer.weight = Params4bit(
        weight,
        requires_grad=False,
        compress_statistics=quantisation.double,
        quant_type=quantisation.levels.value,
        module=layer,
    ).to(weight.device)
    # Else a processor with bfloat16 packs the weight anew in the first evaluation and computes it in other arithmetic.
    layer.support_avx512bf16_for_cpu = False
    quantised: nn.Module = layer.train(linear.training)
    return quantised


def _give_back_memory(network: PreTrainedModel) -> None:
    """Return what the weights as they were took up, which the process would otherwise go on holding.

    A base in its file's own type lies in the mapped file, whose pages stay with the last tensor in them; and glibc
    keeps the working memory of quantising, more than the 4 bits themselves.
    """
    for parameter in network.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.clone()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def _known_to_peft(network: PreTrainedModel, known: bool) -> None:
    """PEFT looks at this mark to put layers for 4 bits around; the Trainer and others must not see it."""
    if known:
        network.is_loaded_in_4bit = True
    elif "is_loaded_in_4bit" in network.__dict__:
        del network.is_loaded_in_4bit


def _merged(layer: Any) -> Tensor:
    """The weight a LoRA layer comes to."""
    weight = dequantised(layer.get_base_layer())
    for name in layer.active_adapters:
        if name in layer.lora_variant:
            weight = layer.lora_variant[name].merge_safe(layer, name, weight)
        else:
            weight = weight + layer.get_delta_weight(name).to(weight.dtype)
    return weight


def _plain(layer: Any, weight: Tensor) -> nn.Linear:
    with torch.device("meta"):
        linear = nn.Linear(layer.in_features, layer.out_features, bias=False)
    linear.weight = nn.Parameter(weight, requires_grad=False)
    linear.bias = layer.bias
    return linear
