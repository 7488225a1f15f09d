"""What a run leaves beside its candidate, so that it can be asked again and its training can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atanor.methods import CandidateDescription, Made, TrainingOrigin
from atanor.models import QuantisedAdapter
from atanor.project.keys import training_key
from atanor.project.options import MethodChoice
from atanor.store import RunRecord

if TYPE_CHECKING:
    from atanor.project.workflow import RoleJob


def describe(job: RoleJob, choice: MethodChoice, run: RunRecord, made: Made) -> CandidateDescription:
    """Everything needed to ask the candidate again."""
    base = job.base if made.classifier is None else made.classifier.classifying.base
    origin = job.continued or job.beginning
    return CandidateDescription(
        role=job.name,
        method=choice.name,
        base=str(base.local.reference),
        base_sha=base.local.sha,
        template_sha=base.template_sha,
        precision=str(job.base.model.dtype).removeprefix("torch."),
        adapter=None if made.folder is None else made.folder.name,
        quantisation=made.tuned.quantisation if isinstance(made.tuned, QuantisedAdapter) else None,
        parent=None if origin is None else origin.parent,
        training=None if made.training is None else _training_origin(job, choice, run),
        classifier=None if made.classifier is None else made.classifier.description,
        system=job.role.system,
        choices=job.choices if made.classifier is None else (),
        framing=made.framing,
        generation=job.role.generate,
    )


def _training_origin(job: RoleJob, choice: MethodChoice, run: RunRecord) -> TrainingOrigin:
    options = choice.options.model_dump(mode="json")
    return TrainingOrigin(key=training_key(job, choice, run), options=options, seed=job.seed)
