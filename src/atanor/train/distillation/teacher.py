"""A teacher in memory, and how one is found by the name a project gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from peft import PeftModel
from torch import Tensor
from transformers import PreTrainedModel

from atanor.data.rows import Message
from atanor.models import Base


@dataclass(frozen=True)
class TeacherModel:
    """A network that answers.

    Attributes:
        name: as the project names it.
        base: its tokenizer, context and ends.
        model: the network; that of `base`, or an adapter on it.
        around: what it sees of a conversation, where its own instruction or examples stand before it; None adds
            nothing.
    """

    name: str
    base: Base
    model: PreTrainedModel | PeftModel
    around: Callable[[tuple[Message, ...]], tuple[Message, ...]] | None = None


class Teachers(Protocol):
    """The bases and candidates that a project can name as teachers."""

    def identity(self, name: str) -> str:
        """SHA-256 of everything a teacher's answers follow from, hex; no weight is loaded."""
        ...

    def open(self, name: str) -> TeacherModel:
        """Load one. The base that is tuned is not loaded a second time: its untouched self is the teacher."""
        ...


@dataclass(frozen=True)
class Teaching:
    """What is ready when training begins.

    Attributes:
        teacher: to be asked at every step; None where nobody is.
        drawn: tokens drawn from it before, by the rows' names.
    """

    teacher: TeacherModel | None = None
    drawn: Mapping[str, Tensor] | None = None
