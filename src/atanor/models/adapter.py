"""Adapters on a base: attach a new one, save and load PEFT safetensors, choose which one answers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from atanor.errors import BaseModelError, Problem
from atanor.models.load import Base
from atanor.models.reference import Scheme

ADAPTER_FILE = "adapter_model.safetensors"


def attach_lora(base: Base, *, rank: int, alpha: float, seed: int) -> PeftModel:
    """Put a fresh LoRA adapter on every linear layer of the base's body (not the vocabulary head).

    The second factor starts at zero, so that the adapted model equals the base until the first step. The base's layers
    are replaced in place: the same network answers as the base with `answering_as(model, None)`.

    Args:
        base: the loaded base.
        rank: rank of the two factors.
        alpha: the update is multiplied by alpha / rank.
        seed: of the first factor's random start.
    """
    torch.manual_seed(seed)
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        base_model_name_or_path=_portable_name(base),
    )
    model = get_peft_model(base.model, config)
    # get_peft_model writes the folder the model was loaded from over the name given above.
    model.peft_config["default"].base_model_name_or_path = _portable_name(base)
    return model


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Write the active adapter as PEFT does, loadable by PEFT, vLLM and llama.cpp's converter without Atanor."""
    model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model-card template


def load_adapter(base: Base, folder: Path) -> PeftModel:
    """Put a saved adapter on the base's network, ready to answer; `detach` takes it off again.

    Raises:
        BaseModelError: the folder holds no adapter, or one for other layers than this base has.
    """
    if not (folder / ADAPTER_FILE).is_file():
        raise _no_adapter(folder, f"{ADAPTER_FILE} is not there")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Found missing adapter keys")
            return PeftModel.from_pretrained(base.model, str(folder)).eval()
    except (RuntimeError, ValueError, UserWarning) as error:
        raise _no_adapter(folder, f"it does not fit {base.local.reference}: {error}") from error


@contextmanager
def answering_as(model: PeftModel, adapter: str | None) -> Iterator[PeftModel]:
    """Within this context the model answers with the named adapter, or as the untouched base for None."""
    if adapter is None:
        with model.disable_adapter():
            yield model
    else:
        model.set_adapter(adapter)
        yield model


def detach(model: PeftModel) -> None:
    """Take every adapter off the base's network; its weights were never changed and are as they came."""
    model.unload()


def _portable_name(base: Base) -> str:
    """What a reader of `adapter_config.json` can load: the hub's name, else the Transformers folder on this machine."""
    reference = base.local.reference
    return reference.name if reference.scheme is Scheme.HUB else str(base.local.folder)


def _no_adapter(folder: Path, reason: str) -> BaseModelError:
    return BaseModelError(
        f"{folder} cannot be used as an adapter",
        [Problem(reason=reason, file=str(folder), fix="Give a folder written by Atanor or PEFT for this very base")],
    )
