"""Forms an instruction can ask for, and whether an answer has them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any


def keeps(rule: Mapping[str, Any], answer: str) -> bool:
    """Whether an answer has the form of a rule: one of `RULES` with what it needs.

    Args:
        rule: `{"form": name, ...}`.
        answer: white space around it does not matter.
    """
    return RULES[rule["form"]](answer.strip(), rule)


def _json_of(answer: str) -> Any:
    fenced = re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", answer, flags=re.DOTALL)
    try:
        return json.loads(fenced[1] if fenced else answer)
    except json.JSONDecodeError:
        return None


def _words(answer: str) -> list[str]:
    return re.findall(r"[\w'’-]+", answer)


def _lines(answer: str) -> list[str]:
    return [line for line in answer.splitlines() if line.strip()]


def _json_list(answer: str, rule: Mapping[str, Any]) -> bool:
    found = _json_of(answer)
    return isinstance(found, list) and len(found) == rule["count"]


def _json_object(answer: str, rule: Mapping[str, Any]) -> bool:
    found = _json_of(answer)
    return isinstance(found, dict) and set(found) == set(rule["keys"])


RULES: Mapping[str, Callable[[str, Mapping[str, Any]], bool]] = {
    "words": lambda answer, rule: len(_words(answer)) == rule["count"],
    "at_most_words": lambda answer, rule: 0 < len(_words(answer)) <= rule["count"],
    "one_of": lambda answer, rule: answer.strip(".!\"'").lower() in rule["answers"],
    "number": lambda answer, _: re.fullmatch(r"-?\d[\d,]*\.?", answer) is not None,
    "json_list": _json_list,
    "json_object": _json_object,
    "lines": lambda answer, rule: len(_lines(answer)) == rule["count"],
    "numbered": lambda answer, rule: (
        [line.strip().split(".")[0] for line in _lines(answer)] == [str(n + 1) for n in range(rule["count"])]
    ),
    "bullets": lambda answer, rule: (
        len(_lines(answer)) == rule["count"] and all(line.lstrip().startswith("- ") for line in _lines(answer))
    ),
    "upper": lambda answer, _: answer != answer.lower() and answer == answer.upper(),
    "lower": lambda answer, _: answer != answer.upper() and answer == answer.lower(),
    "begins": lambda answer, rule: answer.startswith(rule["with"]),
    "ends": lambda answer, rule: answer.endswith(rule["with"]),
    "separated": lambda answer, rule: len([part for part in answer.split(",") if part.strip()]) == rule["count"],
    "sentences": lambda answer, rule: len(re.findall(r"[.!?]+(?:\s|$)", answer)) == rule["count"],
}
"""By name: from an answer and its rule to whether the form is kept."""
