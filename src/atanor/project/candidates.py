"""A candidate that was judged, loaded again as it was."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from atanor.compute import device_name
from atanor.errors import BaseModelError, Problem
from atanor.methods import DESCRIPTION, CandidateDescription
from atanor.models import Base, BaseReference, load_base, load_tuned, resolve_base
from atanor.progress import Progress
from atanor.store import CandidateRecord, Store


def describe_candidate(store: Store, candidate: CandidateRecord) -> CandidateDescription:
    """What a candidate is made of."""
    text = (store.folder / candidate.folder / DESCRIPTION).read_text(encoding="utf-8")
    return CandidateDescription.model_validate_json(text)


def load_candidate(
    store: Store, candidate: CandidateRecord, root: Path, progress: Progress
) -> tuple[Base, PreTrainedModel | PeftModel, CandidateDescription]:
    """A candidate's base, what answers, and what is put around a prompt.

    Args:
        store: that keeps it.
        candidate: which.
        root: folder of the project.
        progress: told about a base that has to be fetched or converted first.

    Raises:
        BaseModelError: the base has other weights or another chat template than when the candidate was made, or the
            candidate is a classifier.
    """
    folder = store.folder / candidate.folder
    description = describe_candidate(store, candidate)
    if description.classifier is not None:
        problem = Problem("it names classes and writes nothing", value=candidate.id, fix="Name one that writes")
        raise BaseModelError(f"{candidate.id} is a classifier", [problem])
    local = resolve_base(BaseReference.parse(description.base), root, progress)
    base = load_base(local, dtype=getattr(torch, description.precision), device=device_name())
    require_same(candidate, description, weights=local.sha, template=base.template_sha)
    model = base.model if description.adapter is None else load_tuned(base, folder / description.adapter).model
    return base, model, description


def require_same_base(candidate: CandidateRecord, description: CandidateDescription, base: Base) -> None:
    """The base is the one a candidate was made on; see `require_same`."""
    require_same(candidate, description, weights=base.local.sha, template=base.template_sha)


def require_same(
    candidate: CandidateRecord,
    description: CandidateDescription,
    *,
    weights: str | None = None,
    template: str | None = None,
) -> None:
    """What is known of a base by now is what it was when the candidate was made.

    Raises:
        BaseModelError: its weights or its chat template are others.
    """
    for what, then, present in (
        ("weights", description.base_sha, weights),
        ("chat template", description.template_sha, template),
    ):
        if present is not None and then != present:
            raise BaseModelError(
                f"the base of {candidate.id} has changed",
                [
                    Problem(
                        reason=f"its {what} had the hash {then[:12]} and now have {present[:12]}",
                        field="base",
                        value=description.base,
                        fix="Bring the old base back, or run `atanor run` for a candidate on the new one",
                    )
                ],
            )
