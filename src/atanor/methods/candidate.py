"""A thing that can answer, and the interface every method makes one through."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from atanor.data.options import RenderOptions
from atanor.evaluate.options import GenerationOptions
from atanor.methods.classification.classifier import Classifier, ClassifierDescription
from atanor.methods.classification.material import ClassMaterial
from atanor.methods.framing import Framing
from atanor.models import QUANTISATION_FILE, Base, Quantisation, Tuned
from atanor.progress import Progress
from atanor.store.files import sha256_file
from atanor.train import ALONE, Group, Material, Supervision, TrainingResult
from atanor.train.continuing import Continuation
from atanor.train.distillation import Teachers
from atanor.train.job import Follow, unfollowed

DESCRIPTION = "candidate.json"


@dataclass(frozen=True)
class Bench:
    """What lies before a method when it makes a candidate.

    Attributes:
        base: the loaded base.
        goal: the role's goal in words.
        training: what is learned.
        validation: what chooses the best checkpoint.
        seed: of everything random.
        folder: of this run.
        versions: of the libraries.
        root: folder of the project, where relative paths start and caches lie.
        held_out: ids of the role's validation and test examples, which nothing may learn from.
        group: this process's place among those that train together.
        render: how examples become tokens.
        teachers: whom the project can name as a teacher.
        follow: told the history of a training while it grows.
        continuation: of a training whose last checkpoint lies in the folder.
        start: folder of what training begins from; None for fresh numbers.
        classes: what a classifier learns from; None for the other methods.
    """

    base: Base
    goal: str
    training: Supervision
    validation: Supervision
    seed: int
    folder: Path
    versions: dict[str, str]
    root: Path = Path()
    held_out: frozenset[str] = frozenset()
    group: Group = ALONE
    render: RenderOptions = field(default_factory=RenderOptions)
    teachers: Teachers | None = None
    follow: Follow = unfollowed
    start: Path | None = None
    continuation: Continuation | None = None
    classes: ClassMaterial | None = None

    @property
    def material(self) -> Material:
        """What an objective is made of."""
        return Material(self.base, self.training, self.validation, self.seed, self.folder, self.render, self.teachers)


@dataclass(frozen=True)
class Made:
    """What a method made.

    Attributes:
        framing: what is put around every prompt.
        settings: every option in force, for the report.
        tuned: the base with what was trained, ready to answer; None when the untouched base answers.
        folder: where that was published.
        training: how training went.
        trainable_parameters: how many numbers were trained.
        total_parameters: how many there are, where the candidate has another base than the role; None for the role's.
        classifier: what answers, where the candidate names classes and writes nothing.
        judged_as: what answered, where that is another thing than the base with what was trained; a sentence.
    """

    framing: Framing
    settings: dict[str, Any]
    tuned: Tuned | None = None
    folder: Path | None = None
    training: TrainingResult | None = None
    trainable_parameters: int = 0
    judged_as: str | None = None
    total_parameters: int | None = None
    classifier: Classifier | None = None

    @property
    def identity(self) -> str:
        """Names a candidate by content: what was trained and on what, or `base` with another prompt."""
        if self.folder is None:
            return "base"
        files = sorted([*self.folder.glob("*.safetensors"), *self.folder.glob(QUANTISATION_FILE)])
        return hashlib.sha256("".join(map(sha256_file, files)).encode()).hexdigest()


class Method(Protocol):
    """One way to customise a model."""

    def make(self, options: Any, bench: Bench, progress: Progress) -> Made:
        """Make a candidate. What is put on the base's network stays until the caller takes it off (`Tuned.detach`)."""


class TrainingOrigin(BaseModel):
    """Where a candidate's training is, so that it can go on.

    Attributes:
        key: SHA-256 of everything that decided it; names its folder of checkpoints.
        options: of the method, as they were.
        seed: of the order of rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    options: dict[str, Any]
    seed: int


class CandidateDescription(BaseModel):
    """`candidate.json`: everything needed to ask this candidate again, elsewhere or later.

    Attributes:
        base: as written in the project file.
        base_sha: of the base's weights; compared before the candidate answers.
        template_sha: of the chat template; compared likewise.
        precision: the arithmetic it was judged in, `float32` or `bfloat16`.
        adapter: published folder relative to this file (an adapter or a whole network), or None for an untuned base.
        quantisation: of the base's linear layers beneath the adapter, or None where they are as they came.
        training: where its checkpoints are; None where nothing was trained.
        parent: what its training began from, a candidate's id or a folder; None where it began afresh.
        classifier: what makes it a classifier, or None where it writes.
        choices: the only answers it may give; without any it writes freely.
        system: the role's own system message, put before conversations that have none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    method: str
    base: str
    base_sha: str
    template_sha: str
    precision: str
    adapter: str | None
    quantisation: Quantisation | None = None
    parent: str | None = None
    training: TrainingOrigin | None = None
    classifier: ClassifierDescription | None = None
    choices: tuple[str, ...] = ()
    system: str | None
    framing: Framing
    generation: GenerationOptions
