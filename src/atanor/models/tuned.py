"""What training changes in a base: a network with numbers that train, however they are put into it.

Whatever the technique, training, evaluation and chat see a `Tuned`: they compute with its `model`, keep and restore the
numbers that train, publish them in files that others can load, answer as the untouched base, and take it off again.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from peft import PeftModel
from transformers import PreTrainedModel


class Tuned(Protocol):
    """A base with something in it that was, or will be, trained.

    Attributes:
        model: what is computed with; its parameters that require a gradient are those that train.
        folder_name: what the published folder is called: `adapter`, or `model` where it is a whole network.
    """

    @property
    def model(self) -> PreTrainedModel | PeftModel: ...

    @property
    def folder_name(self) -> str: ...

    def save(self, folder: Path) -> None:
        """Write the numbers that train into a folder, for a checkpoint."""

    def restore(self, folder: Path) -> None:
        """Take them from a folder that `save` wrote, bit for bit."""

    def publish(self, folder: Path) -> None:
        """Write what others need to use the result, loadable by PEFT or Transformers alone where they know it."""

    def untouched(self) -> AbstractContextManager[None]:
        """Within this context `model` answers as what training began with: the base, or the base in 4 bits."""

    def merge(self) -> PreTrainedModel:
        """Fold the result into the base's own weights, for good, and return the plain network.

        Raises:
            ConfigurationError: it is no sum or product of weights; says why.
        """

    def detach(self) -> None:
        """Take it off: the base's network is as it came."""


def trained_numbers(tuned: Tuned) -> int:
    """How many numbers train."""
    return sum(parameter.numel() for parameter in tuned.model.parameters() if parameter.requires_grad)
