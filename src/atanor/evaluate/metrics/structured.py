"""Metrics of answers that should be JSON.

Nothing is stripped from an answer or mended in it, neither a code fence nor a sentence before it: the program that is
to read the answers will not do so either, and a candidate that answers cleanly should be seen to be better.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from atanor.errors import MetricError, Problem, shorten
from atanor.evaluate.items import Item
from atanor.evaluate.metrics.base import MARGIN_OF_A_SHARE, MeanOverItems
from atanor.evaluate.metrics.strict_json import NOT_JSON, equal, parse_answer


class JsonValid(MeanOverItems):
    """The answer is valid JSON (RFC 8259) of whatever kind: `42` and `"yes"` are. `json_schema` asks for more."""

    name = "json_valid"
    label = "valid JSON"
    unit = "share"
    yes_no = True
    bounds = (0.0, 1.0)

    def value(self, item: Item, answer: str) -> float:
        del item
        return float(parse_answer(answer) is not NOT_JSON)

    def default_margin(self, baseline: float) -> float:
        """0.05: one item in twenty."""
        del baseline
        return MARGIN_OF_A_SHARE


class JsonSchema(MeanOverItems):
    """The answer is JSON and valid under a schema: Draft 2020-12, or the draft that the schema's `$schema` names.

    `format` is an annotation, as the specification has it, and decides nothing; a `pattern` does.
    """

    name = "json_schema"
    label = "schema-valid JSON"
    unit = "share"
    yes_no = True
    bounds = (0.0, 1.0)

    def __init__(self, path: Path, shown: str, margin: float | None = None) -> None:
        """Read the schema.

        Args:
            path: where it lies.
            shown: the path as the project wrote it, for messages.
            margin: smallest change of interest, a share of items; None for 0.05.

        Raises:
            ConfigurationError: the schema cannot be used.
        """
        super().__init__(margin)
        from atanor.evaluate.metrics.schema_file import schema_validator

        self._is_valid = schema_validator(path, shown)

    def value(self, item: Item, answer: str) -> float:
        del item
        parsed = parse_answer(answer)
        return float(parsed is not NOT_JSON and self._is_valid(parsed))

    def default_margin(self, baseline: float) -> float:
        """0.05: one item in twenty."""
        del baseline
        return MARGIN_OF_A_SHARE


class FieldAccuracy(MeanOverItems):
    """Share of the reference's fields that the answer has with an equal value; mean over items.

    Fields are those at the top of the object; a nested value is equal or not as a whole. An answer that is no JSON
    object scores 0, and fields that only the answer has do not count. Of several references the best counts.
    """

    name = "field_accuracy"
    label = "field accuracy"
    unit = "share"
    bounds = (0.0, 1.0)

    def check_item(self, item: Item) -> None:
        _wanted(self.name, item)

    def value(self, item: Item, answer: str) -> float:
        several = _wanted(self.name, item)
        given = parse_answer(answer)
        if not isinstance(given, dict):
            return 0.0
        return max(_share(wanted, given) for wanted in several)

    def default_margin(self, baseline: float) -> float:
        """0.05: one field in twenty."""
        del baseline
        return MARGIN_OF_A_SHARE


def _share(wanted: dict[str, Any], given: dict[str, Any]) -> float:
    if not wanted:
        return 1.0  # none of no fields is wrong
    return sum(field in given and equal(value, given[field]) for field, value in wanted.items()) / len(wanted)


def _wanted(metric: str, item: Item) -> list[dict[str, Any]]:
    """The fields of every reference."""
    return [_fields(metric, item, reference) for reference in item.references]


def _fields(metric: str, item: Item, reference: str) -> dict[str, Any]:
    parsed = parse_answer(reference)
    if isinstance(parsed, dict):
        return parsed
    problem = Problem(
        f"item {item.id}: the reference is no JSON object, so it has no fields to compare",
        field=metric,
        value=shorten(reference),
        fix="Mend the row, or use `exact_match` for answers that are not objects",
    )
    raise MetricError(f"`{metric}` cannot be computed", [problem])
