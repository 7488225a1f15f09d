"""The teachers a project can name: any base, and its own candidates."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from atanor.compute import device_name
from atanor.methods import DESCRIPTION, Framing
from atanor.models import Base, BaseReference, LocalBase, Scheme, load_base, resolve_base
from atanor.options import Options
from atanor.progress import Progress
from atanor.project.candidates import describe_candidate, load_candidate
from atanor.store import Store
from atanor.store.files import sha256_file
from atanor.train import TrainOptions
from atanor.train.distillation import DistillationOptions, TeacherModel


@dataclass(frozen=True)
class ProjectTeachers:
    """See `Teachers`.

    Attributes:
        root: folder of the project.
        store: its candidates.
        base: that is tuned; named as a teacher it is its own untouched self.
        progress: told about a base that has to be fetched or converted first.
    """

    root: Path
    store: Store
    base: Base
    progress: Progress

    def identity(self, name: str) -> str:
        """See `Teachers.identity`.

        Raises:
            NotFoundError: no candidate has this name.
            BaseModelError: there is no such base.
        """
        if is_base(name):
            return self._local(name).sha
        candidate = self.store.candidate(name)
        folder = self.store.folder / candidate.folder
        adapter = describe_candidate(self.store, candidate).adapter
        files = [folder / DESCRIPTION, *(sorted((folder / adapter).rglob("*")) if adapter else ())]
        told = [sha256_file(file) for file in files if file.is_file()]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def open(self, name: str) -> TeacherModel:
        """See `Teachers.open`.

        Raises:
            NotFoundError: no candidate has this name.
            BaseModelError: there is no such base, or it is another than when the candidate was made.
        """
        if not is_base(name):
            base, model, description = load_candidate(self.store, self.store.candidate(name), self.root, self.progress)
            framing = description.framing
            return TeacherModel(name, base, model, None if framing == Framing() else framing.around_messages)
        local = self._local(name)
        if local.sha == self.base.local.sha and local.folder == self.base.local.folder:
            return TeacherModel(name, self.base, self.base.model)
        base = load_base(local, dtype=self.base.model.dtype, device=device_name())
        return TeacherModel(name, base, base.model)

    def named_in(self, options: Options) -> str | None:
        """Identity of the teacher a method learns from, for the keys of runs; None where it loads none."""
        chosen = options.objective.options if isinstance(options, TrainOptions) else None
        if not isinstance(chosen, DistillationOptions) or chosen.teacher is None:
            return None
        return self.identity(chosen.teacher)

    def _local(self, name: str) -> LocalBase:
        return resolve_base(BaseReference.parse(name), self.root, self.progress)


def is_base(name: str) -> bool:
    """It is written with where it comes from, as bases are and candidates are not."""
    return name.partition(":")[0] in set(Scheme)
