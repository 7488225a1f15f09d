"""Teachers for the tests: the base itself, and another network that is surer of what it says."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from atanor.models import Base
from atanor.train.distillation import TeacherModel
from tests.train.jobs import tiny_base


@dataclass
class KnownTeachers:
    """Finds `itself`, the base that is tuned, and `other`, of the same family with other weights."""

    base: Base
    opened: int = 0

    def identity(self, name: str) -> str:
        return name

    def open(self, name: str) -> TeacherModel:
        self.opened += 1
        if name == "itself":
            return TeacherModel(name, self.base, self.base.model)
        other = tiny_base(self.base.local.folder)
        torch.manual_seed(8)
        with torch.no_grad():
            for parameter in other.model.parameters():
                if parameter.dim() == 2:
                    parameter.copy_(0.3 * torch.randn_like(parameter))
        return TeacherModel(name, other, other.model)
