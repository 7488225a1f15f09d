"""The probes of a role: made, asked of base and candidate, compared, and shown by section."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from peft import PeftModel
from transformers import PreTrainedModel

from atanor.data.options import RenderOptions
from atanor.data.rendering import render_examples
from atanor.evaluate import compare
from atanor.evaluate.items import Comparison, Outcome
from atanor.evaluate.probing.canaries import SOURCE, planted
from atanor.evaluate.probing.options import CanaryOptions
from atanor.evaluate.probing.probe import Ground, Probe
from atanor.evaluate.probing.registry import PROBES
from atanor.evaluate.report import ProbeSection
from atanor.evaluate.runner import outcomes_from_json, outcomes_to_json
from atanor.methods import Framing
from atanor.methods.options import PrefixTuningOptions, PromptTuningOptions
from atanor.methods.tuning import TuningOptions
from atanor.project.dataset import Reader, RoleData
from atanor.project.options import MethodChoice, RoleOptions, Task
from atanor.train import Supervision

if TYPE_CHECKING:
    from atanor.project.workflow import RoleJob

Asked = list[tuple[Probe, list[Outcome]]]
"""Probes, each with one outcome an item."""


def ask_probes(job: RoleJob, framing: Framing, model: PreTrainedModel | PeftModel, who: str, identity: str) -> Asked:
    """What a base or a candidate makes of the role's probes; asked once, then remembered.

    Args:
        job: the role's.
        framing: what the candidate adds to every prompt.
        model: the network, with the candidate's adapter active.
        who: for the progress bar.
        identity: names the candidate by content.
    """
    ground = _ground(job, framing)
    probes = [probe for choice in job.role.probes for probe in PROBES[choice.name](choice.options, ground)]
    return [(probe, _outcomes(job, probe, model, who=who, identity=identity)) for probe in probes]


def sections_of(job: RoleJob, before: Asked, after: Asked) -> list[ProbeSection]:
    """The changes from the base, one comparison a metric of every probe, by section of the report."""
    found: dict[str, tuple[list[str], list[Comparison]]] = {}
    for (probe, baseline), (_, candidate) in zip(before, after, strict=True):
        about, comparisons = found.setdefault(probe.section, ([], []))
        about.append(probe.about)
        comparisons += [
            compare(metric, probe.items, baseline, candidate, seed=job.loaded.file.seed, options=job.role.evaluate)
            for metric in probe.metrics
        ]
    return [ProbeSection(title=title, about=about, comparisons=made) for title, (about, made) in found.items()]


def with_canaries(data: RoleData, role: RoleOptions, reader: Reader, seed: int) -> RoleData:
    """The role's data with its canaries among the training rows, each as often as the project asks."""
    options = next((choice.options for choice in role.probes if isinstance(choice.options, CanaryOptions)), None)
    if options is None:
        return data
    examples = planted(options, seed, role.system, text=role.task is Task.TEXT)
    rendered = render_examples(examples, reader.tokenizer, RenderOptions(), reader.context, reader.end_ids)
    training = data.training
    together = {**training.examples, **{example.id: example for example in examples}}
    note = f"{options.number} canaries stand {options.repeat} times each among the training rows"
    return replace(
        data,
        training=Supervision((*training.rows, *rendered.rows * options.repeat), training.pairs, together),
        section=data.section.model_copy(update={"notes": [*data.section.notes, note]}),
        notes=(*data.notes, note),
    )


def learned_by(choice: MethodChoice, training: Supervision) -> Supervision:
    """What a method is given: one that trains nothing shows examples, and no canary may be among them."""
    return training if isinstance(choice.options, TuningOptions) else without_canaries(training)


def without_canaries(training: Supervision) -> Supervision:
    """What is learned, without the planted rows."""
    own = {name: example for name, example in training.examples.items() if example.source != SOURCE}
    planted_ids = training.examples.keys() - own.keys()
    rows = [row for row in training.rows if row.example_id not in planted_ids]
    return Supervision(rows, training.pairs, own) if planted_ids else training


def _ground(job: RoleJob, framing: Framing) -> Ground:
    virtual = (PrefixTuningOptions, PromptTuningOptions)
    return Ground(
        base=job.base,
        training=without_canaries(job.data.training).rows,
        test=job.data.test,
        ask=framing.around,
        metrics=job.examiner.metrics,
        root=job.loaded.root,
        seed=job.loaded.file.seed,
        system=job.role.system,
        max_new_tokens=job.role.generate.max_new_tokens,
        room=max(
            (choice.options.tokens for choice in job.role.methods if isinstance(choice.options, virtual)), default=0
        ),
    )


def _outcomes(
    job: RoleJob, probe: Probe, model: PreTrainedModel | PeftModel, *, who: str, identity: str
) -> list[Outcome]:
    content = [identity, job.base.local.sha, job.base.template_sha, str(job.base.model.dtype), probe.content]
    key = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    known = job.store.outcomes(key)
    if known is not None:
        return outcomes_from_json(known)
    outcomes = probe.ask(job.base, model, who, job.watcher)
    job.store.remember_outcomes(key, outcomes_to_json(outcomes))
    return outcomes
