"""PiSSA: LoRA whose factors begin as the largest singular values of the weights they adapt (Meng et al. 2024,
arXiv:2404.02948). What is left of a weight is frozen, so training moves the part that matters most.

The result is published as plain LoRA of twice the rank on the untouched base, which is the same sum exactly:
B A - B_0 A_0 = [B, -B_0] [A; A_0].
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file
from torch import Tensor, nn

from atanor.models.adapter import ADAPTER_FILE, Adapter, attach
from atanor.models.load import Base


class Pissa(Adapter):
    """A `Tuned` like `Adapter`; the base's adapted weights are changed while it is attached.

    Args:
        base: the loaded base.
        config: of a LoRA with `init_lora_weights="pissa"`.
        seed: of what is drawn at random.
    """

    def __init__(self, base: Base, config: LoraConfig, seed: int) -> None:
        linears = ((name, module) for name, module in base.model.named_modules() if isinstance(module, nn.Linear))
        before = {name: module.weight.detach().clone() for name, module in linears}
        super().__init__(attach(base, config, seed).model)
        self._layers = {
            name: module
            for name, module in self.model.get_base_model().named_modules()
            if isinstance(module, LoraLayer)
        }
        self._before = {name: before[name] for name in self._layers}
        self._start = {name: one.clone() for name, one in get_peft_model_state_dict(self.model).items()}

    def publish(self, folder: Path) -> None:
        """See `Tuned.publish`."""
        now = get_peft_model_state_dict(self.model)
        doubled = {name: _beside_start(name, one, self._start[name]) for name, one in now.items()}
        save_file(doubled, folder / ADAPTER_FILE, metadata={"format": "pt"})
        config = copy.deepcopy(self.config)
        assert isinstance(config, LoraConfig)
        config.init_lora_weights = True
        config.inference_mode = True
        # The update is scaled by alpha / rank, or alpha / sqrt(rank): twice the rank must not change it.
        more = 2**0.5 if config.use_rslora else 2
        config.r, config.lora_alpha = 2 * config.r, config.lora_alpha * more
        config.rank_pattern = {name: 2 * rank for name, rank in (config.rank_pattern or {}).items()}
        config.alpha_pattern = {name: alpha * more for name, alpha in (config.alpha_pattern or {}).items()}
        config.save_pretrained(str(folder))

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """See `Tuned.untouched`."""
        left = {name: layer.get_base_layer().weight.detach().clone() for name, layer in self._layers.items()}
        self._put(self._before)
        try:
            with super().untouched():
                yield
        finally:
            self._put(left)

    def detach(self) -> None:
        """See `Tuned.detach`."""
        self._put(self._before)
        super().detach()

    @torch.no_grad()
    def _put(self, weights: dict[str, Tensor]) -> None:
        for name, layer in self._layers.items():
            layer.get_base_layer().weight.copy_(weights[name])


def _beside_start(name: str, now: Tensor, start: Tensor) -> Tensor:
    """[A; A_0] of a first factor, [B, -B_0] of a second one."""
    return torch.cat([now, start]) if ".lora_A." in name else torch.cat([now, -start], dim=1)
