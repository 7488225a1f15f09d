"""From a metric as a project names it to a metric that marks."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from atanor.errors import ConfigurationError, Problem
from atanor.evaluate.items import OnError
from atanor.evaluate.judging.options import JudgeOptions
from atanor.evaluate.metrics.base import Metric
from atanor.evaluate.metrics.calibration import Calibration
from atanor.evaluate.metrics.catalogue import METRIC_NAMES, METRICS, MetricEntry
from atanor.evaluate.metrics.classes import Accuracy, LabelF1, MacroF1
from atanor.evaluate.metrics.cost import AnswerLength, Latency, LengthRatio, TokensUsed
from atanor.evaluate.metrics.custom import Custom
from atanor.evaluate.metrics.diversity import Distinct, Repetition
from atanor.evaluate.metrics.editing import EditDistance
from atanor.evaluate.metrics.judged import PairwiseJudge, RubricJudge
from atanor.evaluate.metrics.likelihood import BitsPerByte, Forgetting, Perplexity
from atanor.evaluate.metrics.matthews import Matthews
from atanor.evaluate.metrics.meaning import EmbeddingSimilarity
from atanor.evaluate.metrics.ngrams import Bleu, Chrf
from atanor.evaluate.metrics.preference import Preference
from atanor.evaluate.metrics.slots import SlotErrorRate
from atanor.evaluate.metrics.structured import FieldAccuracy, JsonSchema, JsonValid
from atanor.evaluate.metrics.words import ExactMatch, Rouge, TokenF1
from atanor.evaluate.options import MetricSpec

_PLAIN: dict[str, Callable[[float | None], Metric]] = {
    "perplexity": Perplexity,
    "bits_per_byte": BitsPerByte,
    "preference": Preference,
    "preference_per_token": lambda margin: Preference(margin, per_token=True),
    "exact_match": ExactMatch,
    "accuracy": Accuracy,
    "macro_f1": MacroF1,
    "mcc": Matthews,
    "ece": Calibration,
    "label_f1": LabelF1,
    "bleu": Bleu,
    "chrf": Chrf,
    "rouge_1": lambda margin: Rouge("1", margin),
    "rouge_2": lambda margin: Rouge("2", margin),
    "rouge_l": lambda margin: Rouge("l", margin),
    "token_f1": TokenF1,
    "edit_distance": EditDistance,
    "json_valid": JsonValid,
    "field_accuracy": FieldAccuracy,
    "distinct_1": lambda margin: Distinct(1, margin),
    "distinct_2": lambda margin: Distinct(2, margin),
    "repetition": Repetition,
    "length_ratio": LengthRatio,
    "answer_length": AnswerLength,
    "tokens_used": TokensUsed,
    "latency": Latency,
    "forgetting": Forgetting,
}
_WITH_ARGUMENT: dict[str, Callable[[str, Path, float | None], Metric]] = {
    "json_schema": lambda argument, root, margin: JsonSchema(_schema_path(argument, root), argument, margin),
    "custom": Custom,
}
_WITH_OPTIONAL_ARGUMENT: dict[str, Callable[[str | None, Path, float | None], Metric]] = {
    "embedding_similarity": EmbeddingSimilarity,
    "slot_error_rate": lambda argument, root, margin: SlotErrorRate(argument, margin),  # noqa: ARG005
}

_JUDGED: dict[str, Callable[[JudgeOptions, Path, float | None], Metric]] = {
    "judge": RubricJudge,
    "judge_pairwise": PairwiseJudge,
}


def build_metric(spec: MetricSpec, root: Path) -> Metric:
    """The metric a project asks for, ready to mark.

    Args:
        spec: its name, argument and margin.
        root: the project's folder; paths in arguments are relative to it.

    Raises:
        ConfigurationError: the name is unknown, an argument is missing or not wanted, or what the argument names
            cannot be used.
    """
    entry = next((entry for entry in METRICS if entry.name == spec.name), None)
    if entry is None:
        near = difflib.get_close_matches(spec.name, METRIC_NAMES, n=1)
        question = f"Did you mean `{near[0]}`? " if near else ""
        raise _refused("name", f"`{spec.name}` is no metric", f"{question}Metrics: {', '.join(METRIC_NAMES)}")
    metric = _built(spec, entry, root)
    if spec.on_error is OnError.WORST and metric.worst() is None:
        reason = f"`{spec.name}` has no worst score that an item could get"
        raise _refused("on_error", reason, "Write `on_error: exclude`, or `stop`", "worst")
    metric.on_error = spec.on_error
    return metric


def _built(spec: MetricSpec, entry: MetricEntry, root: Path) -> Metric:
    argument = _argument(spec, entry)
    if spec.judge is not None:
        return _JUDGED[spec.name](spec.judge, root, spec.margin)
    if entry.optional:
        return _WITH_OPTIONAL_ARGUMENT[spec.name](argument, root, spec.margin)
    if argument is None:
        return _PLAIN[spec.name](spec.margin)
    return _WITH_ARGUMENT[spec.name](argument, root, spec.margin)


def _argument(spec: MetricSpec, entry: MetricEntry) -> str | None:
    if entry.argument is None and spec.argument is not None:
        reason = f"`{entry.name}` takes no argument"
        raise _refused("argument", reason, f"Write `{entry.name}` alone", spec.argument)
    if entry.argument is not None and not entry.optional and not spec.argument:
        reason = f"`{entry.name}` needs the {entry.argument}" if entry.name != "custom" else "`custom` needs a function"
        example = "schema.json" if entry.name == "json_schema" else "metrics.py:function"
        raise _refused("argument", reason, f"Write `{entry.name}: {example}`")
    return spec.argument


def _schema_path(argument: str, root: Path) -> Path:
    path = root / argument
    if path.is_file():
        return path
    names = [found.name for found in path.parent.iterdir() if found.is_file()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    fix = f"Nearby: {Path(argument).with_name(near[0])}" if near else "The path is relative to the project file"
    raise _refused("argument", f"{argument} does not exist", fix)


def _refused(field: str, reason: str, fix: str, value: str | None = None) -> ConfigurationError:
    return ConfigurationError("a metric cannot be used", [Problem(reason, field=field, value=value, fix=fix)])
