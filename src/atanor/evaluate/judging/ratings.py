"""Answers that people rated, from a file with a JSON line each."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from atanor.errors import ConfigurationError, Problem, shorten
from atanor.evaluate.judging.wording import Better

FEWEST = 10
"""Rated examples below which an agreement says nothing."""

Rating = TypeVar("Rating")


@dataclass(frozen=True)
class RatedAnswer:
    """An answer and the score people gave it; the mean, where several did."""

    request: str
    answer: str
    rating: float
    reference: str | None


@dataclass(frozen=True)
class RatedPair:
    """Two answers and which of them people found better."""

    request: str
    first: str
    second: str
    better: Better
    reference: str | None


def read_rated_answers(path: Path, shown: str, highest: int) -> list[RatedAnswer]:
    """Rows of `prompt`, `answer`, `rating` from 1 to `highest`, and `reference` where there is one.

    Raises:
        ConfigurationError: the file, a row or a rating is missing or wrong; each is named by its line.
    """

    def rated(row: dict[str, Any]) -> RatedAnswer | str:
        rating = row.get("rating")
        number = isinstance(rating, int | float) and not isinstance(rating, bool) and math.isfinite(rating)
        if not number or not 1 <= row["rating"] <= highest:
            return f"`rating` has to be a number from 1 to {highest}"
        missing = _missing(row, "prompt", "answer")
        return missing or RatedAnswer(row["prompt"], row["answer"], float(row["rating"]), row.get("reference"))

    return _read(path, shown, rated)


def read_rated_pairs(path: Path, shown: str) -> list[RatedPair]:
    """Rows of `prompt`, `first`, `second`, `better` (`first`, `second` or `neither`), and `reference`.

    Raises:
        ConfigurationError: as of `read_rated_answers`.
    """

    def rated(row: dict[str, Any]) -> RatedPair | str:
        if row.get("better") not in set(Better):
            return "`better` has to be `first`, `second` or `neither`"
        missing = _missing(row, "prompt", "first", "second")
        reference = row.get("reference")
        return missing or RatedPair(row["prompt"], row["first"], row["second"], Better(row["better"]), reference)

    return _read(path, shown, rated)


def _missing(row: dict[str, Any], *names: str) -> str | None:
    wrong = [name for name in names if not isinstance(row.get(name), str)]
    if not wrong and not isinstance(row.get("reference"), str | None):
        wrong = ["reference"]
    return f"`{wrong[0]}` has to be a text" if wrong else None


def _read(path: Path, shown: str, rated: Callable[[dict[str, Any]], Rating | str]) -> list[Rating]:
    if not path.is_file():
        raise _refused("the file does not exist", shown, fix="The path is relative to the project file")
    ratings: list[Rating] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _refused("the line is no JSON", shown, number, shorten(line)) from error
        found = rated(row) if isinstance(row, dict) else "a rated example is a JSON object"
        if isinstance(found, str):
            raise _refused(found, shown, number, shorten(line))
        ratings.append(found)
    if len(ratings) < FEWEST:
        raise _refused(f"{len(ratings)} rated examples say nothing", shown, fix=f"Rate at least {FEWEST}")
    return ratings


def _refused(
    reason: str, shown: str, line: int | None = None, value: str | None = None, fix: str = "Mend the line"
) -> ConfigurationError:
    return ConfigurationError("the ratings cannot be used", [Problem(reason, shown, line, "ratings", value, fix)])
