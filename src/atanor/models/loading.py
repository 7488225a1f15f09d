"""A published candidate back onto its base, whatever was trained."""

from __future__ import annotations

from pathlib import Path

from atanor.models.adapter import ADAPTER_FILE, load_adapter, no_adapter
from atanor.models.bottleneck import CONFIG_FILE as BOTTLENECK
from atanor.models.bottleneck import load_bottleneck
from atanor.models.load import Base
from atanor.models.quantisation import QUANTISATION_FILE, load_quantised
from atanor.models.tuned import Tuned
from atanor.models.weights import load_weights


def load_tuned(base: Base, folder: Path) -> Tuned:
    """Put what a folder of `Tuned.publish` holds on its base, ready to answer.

    Raises:
        BaseModelError: the folder holds nothing of the kind, or it is of another base.
    """
    if (folder / QUANTISATION_FILE).is_file():
        return load_quantised(base, folder)
    if (folder / ADAPTER_FILE).is_file():
        return load_adapter(base, folder)
    if (folder / BOTTLENECK).is_file():
        return load_bottleneck(base, folder)
    if (folder / "config.json").is_file():
        return load_weights(base, folder)
    raise no_adapter(folder, f"{ADAPTER_FILE} is not there")
