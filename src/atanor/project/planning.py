"""What a run of a method will do and take, told before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atanor.compute import device_name, process_bytes
from atanor.errors import BaseModelError
from atanor.methods.tuning import TuningOptions
from atanor.project.estimating import Prediction, Prepared, predict, trains_here
from atanor.project.options import MethodChoice
from atanor.project.wording import reason_of_default
from atanor.train import OBJECTIVES, budget_of, steps_of

if TYPE_CHECKING:
    from atanor.project.workflow import RoleJob


def plan_in_words(job: RoleJob, choice: MethodChoice) -> str:
    """What a method will do, on one line."""
    options = choice.options
    if not isinstance(options, TuningOptions):
        return f"{choice.name} · nothing is trained"
    classes = job.classes(choice)
    if classes is None:
        learned = OBJECTIVES[options.objective.name].items(options.objective.options, job.data.training)
        minimised = options.objective.name
        length = budget_of(learned.items, options, job.seed).in_words(options.batch)
    else:
        minimised = f"{len(classes.names)} classes"
        length = f"at most {steps_of(len(classes.training), options)} steps of {options.batch} rows"
    reason = reason_of_default(options, "learning_rate")
    why = f" (default: {reason})" if reason else ""
    parts = (
        options.in_words,
        minimised,
        f"lr {options.learning_rate:g}{why} {options.schedule_in_force}",
        f"{options.epochs:g} epochs, {length}",
        *options.against_forgetting.in_words,
        *job.loaded.file.launch.in_words,
    )
    return " · ".join(parts)


def predicted(job: RoleJob, choice: MethodChoice) -> Prediction | None:
    """What training will take, with the base in memory already."""
    if not trains_here(choice) or job.loaded.file.launch.in_words:  # of several processes nothing is predicted
        return None
    network = job.base.model
    local, goal = job.base.local, job.role.goal
    prepared = Prepared(
        job.name, local, goal, network.config, job.data.training_rows, job.data.validation_rows, job.seed
    )
    weights = sum(parameter.nbytes for parameter in network.parameters())
    try:
        return predict(prepared, choice, process=max(0, process_bytes(device_name()) - weights))
    except BaseModelError as error:
        job.watcher.say(f"predicted {error.summary}")
        return None
