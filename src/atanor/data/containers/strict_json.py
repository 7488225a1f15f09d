"""JSON read strictly (RFC 8259): what Python would pass over without a word is an objection.

A key written twice and a number that is not finite are refused, because Python would keep the last key and invent a
NaN. Rows that are nested too deeply and numbers of thousands of digits are refused before they cost time or the stack.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from atanor.data import limits
from atanor.data.refusals import row_error
from atanor.errors import DataError, Problem, shorten

_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
"""A string, closed or not, or a bracket. Possessive, so that no text makes it go back (Python 3.11)."""
_SPACES = re.compile(r"[ \t\n\r]*")
_SHOWN_AROUND = 24
"""Characters on both sides of a syntax error that its message shows."""


class Parsed(NamedTuple):
    """A JSON value, where it ends in the text, and what a strict reader has against it."""

    value: Any
    end: int
    objection: DataError | None


class StrictDecoder:
    """A JSON parser that notes duplicate keys and endless numbers, and still finds the end of the value.

    Its hooks run once an object, a fraction or a long number; the scanner stays Python's own in C, at its own speed.
    """

    def __init__(self) -> None:
        self._objection: DataError | None = None
        self._plain = self._decoder()
        self._for_long_numbers = self._decoder(parse_int=self._integer)

    def parse(self, text: str, start: int = 0) -> Parsed:
        """The value that begins at `start`.

        Raises:
            DataError: the text is not JSON from there on.
        """
        self._objection = None
        decoder = self._plain if len(text) <= limits.DIGITS else self._for_long_numbers
        try:
            value, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise syntax_error(error) from error
        except RecursionError as error:
            raise too_deep() from error
        except ValueError as error:  # Python was told to read fewer digits than we do.
            raise row_error(f"not JSON that can be used: {error}", fix="Write the number as text") from error
        return Parsed(value, end, self._objection)

    def whole_object(self, text: str) -> dict[str, Any]:
        """The object that `text` is, with nothing but space around it.

        Raises:
            DataError: the text is not one JSON object, or a strict reader objects to it.
        """
        refuse_depth(text)
        value, end, objection = self.parse(text, 0 if text[:1] == "{" else skip_space(text, 0))
        if end != len(text) and (end := skip_space(text, end)) < len(text):
            raise syntax_error(json.JSONDecodeError("one row a line is expected, but more follows", text, end))
        if objection is not None:
            raise objection
        if not isinstance(value, dict):
            raise not_an_object(value)
        return value

    def _decoder(self, **hooks: Any) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=self._constant, parse_float=self._float, **hooks
        )

    def _object(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        keys = dict(pairs)
        if len(keys) < len(pairs):
            seen: set[str] = set()
            twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            self._objection = row_error(f"the key `{twice}` is written twice", field=twice, fix="Keep one of them")
        return keys

    def _constant(self, name: str) -> float:
        self._objection = row_error(f"{name} is not a JSON number", value=name, fix="Write null or a finite number")
        return math.nan

    def _float(self, digits: str) -> float:
        number = float(digits)
        return number if math.isfinite(number) else self._constant(digits[:20])

    def _integer(self, digits: str) -> int:
        if len(digits) <= limits.DIGITS:
            return int(digits)
        reason = f"a number has {len(digits)} digits, more than {limits.DIGITS}"
        self._objection = row_error(reason, value=digits[:20], fix="Write the number as text")
        return 0


def refuse_depth(text: str) -> None:
    """Raise the `DataError` of a row whose lists and objects are nested too deeply."""
    if text.count("[") + text.count("{") <= limits.NESTING:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        first = text[match.start()]
        if first in "[{":
            depth += 1
            if depth > limits.NESTING:
                raise too_deep()
        elif first in "]}":
            depth -= 1


def too_deep() -> DataError:
    """The error of a row that is nested more deeply than is read."""
    return row_error(f"the JSON is nested too deeply: more than {limits.NESTING} levels", fix="Flatten the row")


def not_an_object(value: Any) -> DataError:
    """The error of a row without named columns."""
    return row_error("the row is not an object", value=value, fix='Write it as {"column": value, …} with named columns')


def syntax_error(error: json.JSONDecodeError) -> DataError:
    """What is wrong, at which column, and the text around it."""
    around = error.doc[max(0, error.pos - _SHOWN_AROUND) : error.pos + _SHOWN_AROUND].strip()
    what = error.msg[:1].lower() + error.msg[1:]
    problem = Problem(
        f"not JSON: {what} at column {error.colno}",
        line=error.lineno,
        value=shorten(around),
        fix="Mend the JSON of this row",
    )
    return DataError("a row is not JSON", [problem])


def skip_space(text: str, place: int) -> int:
    """Where the space that begins at `place` ends."""
    match = _SPACES.match(text, place)
    return match.end() if match else place
