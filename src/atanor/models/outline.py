"""What the files of a base say of it without loading it: sizes of its configuration, names of its layers.

Neither torch nor Transformers is needed, so that a project is checked in an instant. A `.safetensors` file begins with
the length of a JSON header, eight bytes, and that header: the name and the shape of every tensor.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MATRIX = 2
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
_LARGEST_HEADER = 1 << 28
_TABLES = ("embed", "wte", "wpe", "lm_head")
"""Parts of the names of matrices that are no linear layer of the body."""


@dataclass(frozen=True)
class Outline:
    """A base from outside.

    Attributes:
        layers: blocks of its body, or None where its configuration does not say.
        context: longest sequence in tokens, likewise.
        linears: full names of what may be linear layers of the body. Empty where they cannot be told: experts of a
            mixture are stored otherwise than they are computed.
        encoder_decoder: it reads with an encoder and writes with a decoder.
    """

    layers: int | None
    context: int | None
    linears: frozenset[str]
    encoder_decoder: bool = False

    @property
    def linear_names(self) -> list[str]:
        """What the linear layers of a block are called."""
        return sorted({name.rpartition(".")[2] for name in self.linears})


def outline_of(folder: Path) -> Outline | None:
    """The outline of a Transformers folder, None where there is none or it cannot be read."""
    try:
        written = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        # A configuration of several parts has the text's in one of its own.
        config = {**written, **written.get("text_config", {})}
        shapes = {name: shape for file in sorted(folder.glob("*.safetensors")) for name, shape in _header(file)}
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return None
    mixed = any(config.get(name) for name in _EXPERTS)
    return Outline(
        _number(config, "num_hidden_layers", "n_layer"),
        _number(config, "max_position_embeddings"),
        frozenset() if mixed else frozenset(_linears(shapes)),
        bool(written.get("is_encoder_decoder")),
    )


def _header(file: Path) -> Iterator[tuple[str, list[int]]]:
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        if length > _LARGEST_HEADER:
            raise ValueError(f"{file} has no header of safetensors")
        header = json.loads(opened.read(length))
    for name, tensor in header.items():
        if name != "__metadata__":
            yield name, tensor["shape"]


def _linears(shapes: Mapping[str, list[int]]) -> Iterator[str]:
    for name, shape in shapes.items():
        layer, _, kind = name.rpartition(".")
        if kind == "weight" and len(shape) == _MATRIX and not any(part in layer for part in _TABLES):
            yield layer


def _number(config: Mapping[str, Any], *names: str) -> int | None:
    return next((config[name] for name in names if isinstance(config.get(name), int)), None)
