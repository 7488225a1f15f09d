"""What may be tried: for each option of a method a range or a list of values, around what is in force."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from pydantic import BaseModel, StrictBool, StrictFloat, StrictInt, StrictStr

Value = StrictBool | StrictInt | StrictFloat | StrictStr
Values = Mapping[str, Value]
"""Options by name, with the value a trial has for them."""

RATE = "learning_rate"
SIZES = ("rank", "width", "tokens")
"""What methods call the size of what they train."""
_BUDGETS = ("max_steps", "max_tokens", "max_minutes", "max_cost")
_DECADE = 10.0
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*")

NOT_SEARCHED: Mapping[str, str] = {
    **dict.fromkeys(
        ("objective", "multi_label", "class_weights", "base", "threshold"),
        "validation losses of different values cannot be compared",
    ),
    **dict.fromkeys(
        ("share_prefixes", "tokens_per_pass", "compile", "loop", "keep_checkpoints", "precision"),
        "it is about speed and memory, and the loss would not tell",
    ),
    **dict.fromkeys(
        (*_BUDGETS, "price_per_hour", "patience", "validate_every"),
        "it says when a training is measured or ended, which has to be the same for all",
    ),
    **dict.fromkeys(("start_from", "against_forgetting"), "validation rows do not show what it is for"),
}
"""Options that no search can decide, and why."""


@dataclass(frozen=True)
class Parameter:
    """An option that is searched.

    Attributes:
        name: of the option.
        low, high: ends of a range.
        logarithmic: equal factors are tried equally often.
        whole: only whole numbers.
        choices: in place of a range, every value that may be tried, in order.
        default: the value in force without a search.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    logarithmic: bool = False
    whole: bool = False
    choices: tuple[Value, ...] = ()
    default: Value = 0

    @property
    def ordered(self) -> bool:
        """Its values have an order, and with it two ends."""
        return not self.choices or all(_is_number(choice) for choice in self.choices)

    @property
    def in_words(self) -> str:
        """As it would be written in the file."""
        if self.choices:
            return ", ".join(map(plain, self.choices))
        return f"{self.low:g} .. {self.high:g}"

    def edge(self, value: Value) -> str | None:
        """`upper` or `lower` where a value lies at an end: of a list its last, of a range the outer twentieth."""
        if not self.ordered:
            return None
        if self.choices:
            ends = {self.choices[0]: "lower", self.choices[-1]: "upper"}
            return ends.get(value) if len(self.choices) > 1 else None
        place = self.place(value)
        return "lower" if place <= 0.05 else "upper" if place >= 0.95 else None

    def place(self, value: Value) -> float:
        """Where a value lies between the ends, from 0 to 1."""
        if self.choices:
            return self.choices.index(value) / max(1, len(self.choices) - 1)
        if self.high == self.low:
            return 0.5
        low, high, at = float(self.low), float(self.high), float(value)
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)

    def at(self, place: float) -> Value:
        """The value of a range at a place between its ends; see `place`."""
        if self.logarithmic:
            found = math.exp(math.log(self.low) + place * (math.log(self.high) - math.log(self.low)))
        else:
            found = self.low + place * (self.high - self.low)
        return self.rounded(found)

    def rounded(self, value: float) -> Value:
        """Three digits are as many as a training can tell apart, and as a person wants to read in a file."""
        return round(value) if self.whole else float(f"{value:.3g}")


@dataclass(frozen=True)
class Space:
    """Everything that is searched, the learning rate first."""

    parameters: tuple[Parameter, ...]

    @property
    def default(self) -> dict[str, Value]:
        """What is in force without a search."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    @property
    def first(self) -> list[dict[str, Value]]:
        """What is trained before the sampler chooses: the default, then the learning rate alone, from the middle out.

        Of a range the four values that are with the default's own place about evenly spread; of a list all.
        """
        rate = next((parameter for parameter in self.parameters if parameter.name == RATE), None)
        if rate is None:
            return [self.default]
        if rate.choices:
            tried = [choice for choice in rate.choices if choice != rate.default]
        else:
            places = [number / 4 for number in range(5)]
            nearest = min(places, key=lambda place: abs(place - rate.place(rate.default)))
            tried = [rate.at(place) for place in places if place != nearest]
        tried.sort(key=lambda value: (round(abs(rate.place(value) - rate.place(rate.default)), 6), -float(value)))
        return [self.default, *({**self.default, RATE: value} for value in tried)]

    def decided_by(self) -> list[str]:
        """The space as text, for the name of a study."""
        return [repr(parameter) for parameter in self.parameters]


def written_parameter(name: str, written: str | tuple[Value, ...]) -> Parameter:
    """What is written for an option, as a parameter without a default.

    Raises:
        ValueError: it is neither a range nor a list of different values.
    """
    if isinstance(written, str):
        ends = _RANGE.fullmatch(written)
        if ends is None:
            raise ValueError(f"`{name}: {written}` is no range; write it as `1e-5 .. 1e-3`, or a list as `[4, 8]`")
        low, high = float(ends[1]), float(ends[2])
        if not low < high:
            raise ValueError(
                f"the range of `{name}` ends at {high:g}, where it begins at {low:g}; write the low end first"
            )
        whole = all(re.fullmatch(r"[-+]?\d+", end) for end in (ends[1], ends[2]))
        return Parameter(name, low, high, logarithmic=low > 0 and high / low >= _DECADE, whole=whole)
    if not written:
        raise ValueError(f"`{name}` has an empty list; write its values, or `null` to keep the one that is written")
    if len(set(map(repr, written))) < len(written):
        raise ValueError(f"the list of `{name}` has a value twice; name each once")
    numbers = all(_is_number(value) for value in written)
    return Parameter(name, choices=tuple(sorted(written, key=float)) if numbers else tuple(written))


def space_of(options: BaseModel, in_force: Mapping[str, Any], written: Mapping[str, Any]) -> Space:
    """The default space of a method, with what is written in its place.

    Args:
        options: of the method, as the project has them.
        in_force: their values, with what defaults came to.
        written: see `SearchOptions.space`.

    Raises:
        ValueError: an option is not there or cannot be searched, or nothing is left.
    """
    for name, entry in written.items():
        _require_searchable(name, entry, options, in_force)
    found = {parameter.name: parameter for parameter in _defaults(options, in_force)}
    for name, entry in written.items():
        if entry is None:
            found.pop(name, None)
        else:
            parameter = written_parameter(name, entry)
            found[name] = replace(parameter, whole=parameter.whole and _takes_whole(options, name, parameter))
    if not found:
        raise ValueError("nothing is left to search: every option has `null`; name one with its values")
    order = sorted(found, key=lambda name: name != RATE)  # stable: the others stay as they stood
    return Space(tuple(_with_default(found[name], in_force[name]) for name in order))


def plain(value: Value) -> str:
    """A value as it is written in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _defaults(options: BaseModel, in_force: Mapping[str, Any]) -> list[Parameter]:
    rate = float(in_force[RATE])
    found = [Parameter(RATE, float(f"{rate / _DECADE:.3g}"), float(f"{rate * _DECADE:.3g}"), logarithmic=True)]
    if getattr(options, "start_from", None) is None:  # what training begins from has its size
        found += [
            Parameter(name, choices=_around(in_force[name], (0.25, 0.5, 1, 2, 4), whole=True))
            for name in SIZES
            if isinstance(in_force.get(name), int)
        ]
    if all(getattr(options, name, None) is None for name in _BUDGETS):
        found.append(Parameter("epochs", choices=_around(in_force["epochs"], (0.5, 1, 2), whole=False)))
    found.append(Parameter("batch", choices=_around(in_force["batch"], (0.5, 1, 2), whole=True)))
    return found


def _around(value: float, factors: tuple[float, ...], *, whole: bool) -> tuple[Value, ...]:
    if whole:
        return tuple(sorted({max(1, round(value * factor)) for factor in factors}))
    return tuple(float(value * factor) for factor in factors)


def _with_default(parameter: Parameter, default: Any) -> Parameter:
    """What is in force belongs to the space, or the default could not be compared with the rest."""
    value: Value = default.value if isinstance(default, Enum) else default
    if parameter.choices:
        if value in parameter.choices:
            return replace(parameter, default=value)
        choices = (*parameter.choices, value)
        numbers = all(_is_number(choice) for choice in choices)
        return replace(parameter, choices=tuple(sorted(choices, key=float)) if numbers else choices, default=value)
    low, high = min(parameter.low, float(value)), max(parameter.high, float(value))
    return replace(parameter, low=low, high=high, logarithmic=parameter.logarithmic and low > 0, default=value)


def _takes_whole(options: BaseModel, name: str, parameter: Parameter) -> bool:
    """`1 .. 4` of `epochs` means any number between them, of `rank` a whole one."""
    return not isinstance(type(options).model_fields[name].default, float) or parameter.name in SIZES


def _require_searchable(name: str, entry: object, options: BaseModel, in_force: Mapping[str, Any]) -> None:
    known = type(options).model_fields
    if name not in known:
        searched = [one for one in known if one not in NOT_SEARCHED]
        raise ValueError(f"the method has no option `{name}`; its options: {', '.join(searched)}")
    if name in NOT_SEARCHED:
        raise ValueError(f"`{name}` cannot be searched: {NOT_SEARCHED[name]}")
    if not isinstance(in_force.get(name), (bool, int, float, str)):
        raise ValueError(f"`{name}` has no single value in force that others could be compared with; write one first")
    if isinstance(entry, str) and not _is_number(in_force[name]):
        raise ValueError(f"`{name}` is no number and has no range; write a list of its values")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
