"""What tuning a role will take on this machine, said before any weight is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PretrainedConfig

from atanor.compute import Estimate, available_bytes, device_name, process_bytes
from atanor.compute.engine import TOKENS_PER_PASS
from atanor.data.rows import TokenRow
from atanor.errors import BaseModelError, Problem
from atanor.methods import METHODS, Probed, probe
from atanor.methods.options import FullOptions, LoraMethodOptions, QloraOptions
from atanor.methods.training import Trained
from atanor.methods.tuning import TuningOptions
from atanor.models import LocalBase, config_of, context_of, resolve_base
from atanor.options import Options
from atanor.progress import Progress
from atanor.project.dataset import Reader, prepare_role
from atanor.project.file import LoadedProject
from atanor.project.options import MethodChoice
from atanor.project.probing import with_canaries
from atanor.train import Forecast, TrainOptions

_SMALLEST_PASS = 64


@dataclass(frozen=True)
class Prediction:
    """What one method of a role will take.

    Attributes:
        role, method: which.
        estimate: memory, time and tokens of training.
        available: bytes of memory that are free now, with what this process holds.
        fitting: most `tokens_per_pass` whose peak is below that, None if none is.
        cost: of the time, at the price an hour that was given.
    """

    role: str
    method: str
    estimate: Estimate
    available: int
    fitting: int | None
    cost: float | None = None

    @property
    def fits(self) -> bool:
        return self.estimate.memory.total <= self.available

    @property
    def advice(self) -> str | None:
        """What to do where memory does not suffice."""
        if self.fits:
            return None
        if self.fitting is not None:
            return f"more memory than there is; `tokens_per_pass: {self.fitting}` would fit and changes no result"
        return "more memory than there is, however small the passes; take a smaller base"


@dataclass(frozen=True)
class Prepared:
    """What a role's methods train, and on what."""

    role: str
    local: LocalBase
    goal: str
    config: PretrainedConfig
    training: Sequence[TokenRow]
    validation: Sequence[TokenRow]
    seed: int


def estimate_role(
    loaded: LoadedProject, name: str, progress: Progress, *, only: str | None = None, price: float | None = None
) -> list[Prediction]:
    """Predict every method of a role that trains on this machine.

    Args:
        loaded: the project.
        name: of the role.
        progress: told about a base that has to be fetched or converted first.
        only: just this method.
        price: of an hour of this machine.

    Raises:
        DataError: the role's data cannot be used.
        BaseModelError: the base is not there.
    """
    project = loaded.file
    tuned = [choice for choice in project.roles[name].methods if trains_here(choice) and only in (None, choice.name)]
    if not tuned:
        return []
    local = resolve_base(project.base_of(name), loaded.root, progress)
    reader = Reader.of(local)
    data = prepare_role(project, name, loaded.root, reader, progress)
    data = with_canaries(data, project.roles[name], reader, project.seed)
    goal = project.roles[name].goal
    prepared = Prepared(name, local, goal, config_of(local), data.training_rows, data.validation_rows, project.seed)
    process = process_bytes(device_name())
    predictions = []
    for choice in tuned:
        if _is_known(choice.options) or _is_probed(choice):
            predictions.append(predict(prepared, choice, process=process, price=price))
        else:
            progress.say(f"predicted {_unknown(choice).summary}")
    return predictions


def trains_here(choice: MethodChoice) -> bool:
    """The method trains on this machine."""
    return isinstance(choice.options, TrainOptions)


def predict(prepared: Prepared, choice: MethodChoice, *, process: int, price: float | None = None) -> Prediction:
    """Predict one method that trains on this machine.

    Args:
        prepared: what it trains on.
        choice: the method.
        process: bytes this process holds without the base.
        price: of an hour of this machine.

    Raises:
        BaseModelError: the base's family has sizes that cannot be read from its configuration, or the method's memory
            and time are not known.
    """
    options = choice.options
    if not isinstance(options, TuningOptions) or not (_is_known(options) or _is_probed(choice)):
        raise _unknown(choice)
    if prepared.config.is_encoder_decoder:
        raise _unpredictable(prepared.config, "the formulas are those of a decoder alone")
    available = available_bytes(device_name()) + process
    try:
        if _is_known(options):
            estimate, fitting = _by_formula(prepared, options, process, available)
        else:
            estimate, fitting = _by_probe(prepared, choice.name, options, process, available)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _unpredictable(prepared.config, f"a small network like it cannot be built: {error}") from error
    return Prediction(
        role=prepared.role,
        method=choice.name,
        estimate=estimate,
        available=available,
        fitting=fitting,
        cost=None if price is None else price * estimate.seconds / 3600,
    )


def _by_formula(
    prepared: Prepared, options: TuningOptions, process: int, available: int
) -> tuple[Estimate, int | None]:
    """The estimate, and most tokens a pass that fit."""
    forecast = Forecast(
        prepared.config,
        prepared.training,
        prepared.validation,
        options,
        rank=options.rank if isinstance(options, LoraMethodOptions) else None,
        seed=prepared.seed,
        process=process,
        quantisation=options.quantisation if isinstance(options, QloraOptions) else None,
    )
    return forecast.estimate(), forecast.fitting(available)


def _by_probe(
    prepared: Prepared, method: str, options: TuningOptions, process: int, available: int
) -> tuple[Estimate, int | None]:
    """The same of a technique whose memory no formula tells."""
    made = METHODS[method]
    assert isinstance(made, Trained)
    context = context_of(prepared.local)
    probed = Probed(prepared.config, prepared.local, context, prepared.goal, prepared.training, prepared.seed, process)
    estimate = probe(made, options, probed)
    tokens = options.tokens_per_pass or TOKENS_PER_PASS[device_name()]
    smaller = estimate
    while smaller.memory.total > available:
        tokens //= 2
        if tokens < _SMALLEST_PASS:
            return estimate, None
        smaller = probe(made, options.model_copy(update={"tokens_per_pass": tokens}), probed)
    return estimate, tokens


def _unknown(choice: MethodChoice) -> BaseModelError:
    reason = (
        "its memory and time have not been measured; completion is predicted, with nothing against forgetting, on a "
        "base that is not in 4 bits or as plain `qlora`"
    )
    return BaseModelError(
        f"nothing for `{choice.name}`: {reason}", [Problem(reason, field="methods", fix="`atanor run` trains it")]
    )


def _is_known(options: Options) -> bool:
    """Whether the formulas of `Forecast` were made for what this trains."""
    if isinstance(options, LoraMethodOptions):
        plain = not (options.targets or options.ranks or options.dora)
    else:
        plain = isinstance(options, FullOptions)
    if not isinstance(options, TrainOptions):
        return False
    usual = options.objective.name == "completion" and not options.against_forgetting.in_words
    return plain and usual and options.neftune is None


def _is_probed(choice: MethodChoice) -> bool:
    """Whether a few blocks of the base can be trained in this way to measure what the whole takes."""
    options = choice.options
    return (
        isinstance(METHODS[choice.name], Trained)
        and isinstance(options, TuningOptions)
        and not isinstance(options, QloraOptions)
        and options.objective.name == "completion"
        and not options.against_forgetting.in_words
    )


def _unpredictable(config: PretrainedConfig, reason: str) -> BaseModelError:
    """A family of another build, or a configuration no smaller network is built from, or with other names of sizes."""
    family = str(config.model_type)
    return BaseModelError(
        f"training a base of the family {family} cannot be predicted",
        [Problem(reason, field="base", fix="`atanor run` trains it")],
    )
