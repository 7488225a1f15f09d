"""Adapters of PEFT on a base: attach a new one, save and load its safetensors, choose who answers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import PreTrainedModel

from atanor.errors import BaseModelError, ConfigurationError, Problem
from atanor.models.load import Base
from atanor.models.reference import Scheme

ADAPTER_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"


class Adapter:
    """A `Tuned` whose numbers are a PEFT adapter; the base's own weights never change.

    Args:
        model: the adapted model, with one active adapter.
    """

    folder_name = "adapter"

    def __init__(self, model: PeftModel) -> None:
        self.model = model

    @property
    def config(self) -> PeftConfig:
        """Of the active adapter."""
        return self.model.peft_config[str(self.model.active_adapter)]

    def save(self, folder: Path) -> None:
        """See `Tuned.save`."""
        self.model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model-card template

    def restore(self, folder: Path) -> None:
        """See `Tuned.restore`."""
        weights = load_file(folder / ADAPTER_FILE, device=str(next(self.model.parameters()).device))
        set_peft_model_state_dict(self.model, weights, adapter_name=str(self.model.active_adapter))

    def publish(self, folder: Path) -> None:
        """See `Tuned.publish`."""
        self.save(folder)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """See `Tuned.untouched`."""
        with self.model.disable_adapter():
            yield

    def merge(self) -> PreTrainedModel:
        """See `Tuned.merge`."""
        if self.config.is_prompt_learning:
            reason = "virtual tokens stand before every prompt; they are no weights of the base"
            raise cannot_merge(reason, "Serve it as an adapter")
        merged: PreTrainedModel = self.model.merge_and_unload()
        return merged

    def detach(self) -> None:
        """See `Tuned.detach`."""
        if not self.config.is_prompt_learning:
            self.model.unload()


def attach(base: Base, config: PeftConfig, seed: int) -> Adapter:
    """Put a fresh adapter on a base. The base's layers are replaced in place; `Adapter.detach` puts them back.

    Args:
        base: the loaded base.
        config: of PEFT.
        seed: of what is drawn at random in it.
    """
    torch.manual_seed(seed)
    config.base_model_name_or_path = _portable_name(base)
    model = get_peft_model(base.model, config)
    # get_peft_model writes the folder the model was loaded from over the name given above.
    model.peft_config["default"].base_model_name_or_path = _portable_name(base)
    return Adapter(model)


def attach_lora(base: Base, *, rank: int, alpha: float, seed: int) -> Adapter:
    """Put a fresh LoRA adapter on every linear layer of the base's body (not the vocabulary head).

    The second factor starts at zero, so that the adapted model equals the base until the first step.

    Args:
        base: the loaded base.
        rank: rank of the two factors.
        alpha: the update is multiplied by alpha / rank.
        seed: of the first factor's random start.
    """
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear", task_type=base.task_type)
    return attach(base, config, seed)


def load_adapter(base: Base, folder: Path) -> Adapter:
    """Put a saved adapter on the base's network, ready to answer.

    Raises:
        BaseModelError: the folder holds no adapter, or one for other layers than this base has.
    """
    if not (folder / ADAPTER_FILE).is_file():
        raise no_adapter(folder, f"{ADAPTER_FILE} is not there")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Found missing adapter keys")
            return Adapter(PeftModel.from_pretrained(base.model, str(folder)).eval())
    except (RuntimeError, ValueError, UserWarning) as error:
        raise no_adapter(folder, f"it does not fit {base.local.reference}: {error}") from error


def virtual_tokens(model: PreTrainedModel | PeftModel) -> int:
    """Tokens that stand before every input of this model and take up places of its context."""
    if not isinstance(model, PeftModel) or not model.active_peft_config.is_prompt_learning:
        return 0
    return int(model.active_peft_config.num_virtual_tokens)


def no_adapter(folder: Path, reason: str) -> BaseModelError:
    """The error of a folder that cannot be put on a base."""
    return BaseModelError(
        f"{folder} cannot be used as an adapter",
        [Problem(reason=reason, file=str(folder), fix="Give a folder written by Atanor or PEFT for this very base")],
    )


def cannot_merge(reason: str, fix: str) -> ConfigurationError:
    return ConfigurationError("this cannot be merged into the base's weights", [Problem(reason, fix=fix)])


def _portable_name(base: Base) -> str:
    """What a reader of `adapter_config.json` can load: the hub's name, else the Transformers folder on this machine."""
    reference = base.local.reference
    return reference.name if reference.scheme is Scheme.HUB else str(base.local.folder)
