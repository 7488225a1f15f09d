"""What a run and a search lay before a method, and how the folder of a training says whose it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atanor.methods import Bench
from atanor.project.assessment import versions
from atanor.project.options import MethodChoice
from atanor.project.probing import learned_by
from atanor.train import Follow

if TYPE_CHECKING:
    from atanor.project.workflow import RoleJob

SEARCHED = "searched"
"""In the folder of a training that a search made and no run has taken: it goes when a better one is found."""


def bench_of(job: RoleJob, choice: MethodChoice, folder: Path, follow: Follow) -> Bench:
    """What lies before the method at work, whose training is in a folder."""
    return Bench(
        base=job.base,
        goal=job.role.goal,
        training=learned_by(choice, job.data.training),
        validation=job.data.validation,
        seed=job.seed,
        folder=folder,
        versions=versions(),
        root=job.loaded.root,
        held_out=job.data.held_out,
        render=job.role.render,
        teachers=job.teachers,
        follow=follow,
        start=None if job.beginning is None else job.beginning.folder,
        continuation=None if job.continued is None else job.continued.continuation,
        classes=job.classes(choice),
    )
