"""Tool calls and tools of the OpenAI chat format, kept as JSON text so that nothing of them is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from atanor.data.formats.fields import as_json
from atanor.data.refusals import row_error

_CALL_FIX = 'Write it as {"type": "function", "function": {"name": …, "arguments": "…"}}'


def calls_of(turn: Mapping[str, Any], place: str) -> str | None:
    """JSON text of the `tool_calls` of a turn, or of its older `function_call` written as one; None without calls.

    Raises:
        DataError: the calls are no list of named functions.
    """
    calls = turn.get("tool_calls")
    if isinstance(calls, str) and calls:  # Parquet files hold them as JSON text.
        calls = _loaded(calls, f"{place}.tool_calls")
    if calls:
        if not isinstance(calls, list):
            raise row_error("`tool_calls` is not a list", field=f"{place}.tool_calls", value=calls, fix=_CALL_FIX)
        for index, call in enumerate(calls):
            _require_function(call.get("function") if isinstance(call, dict) else None, f"{place}.tool_calls[{index}]")
        return as_json([_without_nulls(call) for call in calls])
    older = turn.get("function_call")
    if not older:
        return None
    _require_function(older, f"{place}.function_call")
    return as_json([{"type": "function", "function": _without_nulls(older)}])


def call_of_text(value: Any, place: str) -> str:
    """The call a ShareGPT `function_call` turn writes as JSON text.

    Raises:
        DataError: the text is not a JSON object with the name of a function.
    """
    try:
        function = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        function = None
    _require_function(function, place)
    return as_json([{"type": "function", "function": function}])


def tools_of(fields: Mapping[str, Any], column: str) -> str | None:
    """JSON text of the tools a row lists in `column`, or None where it lists none.

    Raises:
        DataError: they are neither a list of objects nor JSON text of one.
    """
    tools = fields.get(column)
    if isinstance(tools, str) and tools.strip():
        tools = _loaded(tools, column)
    if not tools:
        return None
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise row_error("the tools are not a list of objects", field=column, value=tools, fix="Write a list of tools")
    if column == "functions":
        tools = [{"type": "function", "function": function} for function in tools]
    return as_json(_without_nulls(tools))


def _loaded(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise row_error(f"`{place}` is not JSON", field=place, value=text, fix="Write a list of objects") from error


def _require_function(function: Any, place: str) -> None:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise row_error("the call names no function", field=place, value=function, fix=_CALL_FIX)


def _without_nulls(value: Any) -> Any:
    """The value without keys that are null: tables fill every row with the keys of all the others."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value
