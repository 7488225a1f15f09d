"""Which method of a role a search is about, what of it is tried, and the method with a trial's values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from atanor.methods.tuning import TuningOptions
from atanor.nearest import did_you_mean
from atanor.options import NamedOptions, refused
from atanor.train.search.options import SearchOptions
from atanor.train.search.space import Space, Values, plain, space_of

Choice = TypeVar("Choice", bound=NamedOptions)


def searched(search: SearchOptions, methods: Sequence[Choice], name: str | None = None) -> Choice:
    """The method that is searched: the one named here, in `search: method`, or the first that trains.

    Raises:
        PydanticCustomError: it is not there, or trains nothing.
    """
    training = [choice for choice in methods if isinstance(choice.options, TuningOptions)]
    names = [choice.name for choice in training]
    wanted = name or search.method
    if not training:
        raise refused("none of the role's methods trains, so there is nothing to search", "Add `lora` to `methods`")
    if wanted is None:
        return training[0]
    if wanted in names:
        return training[names.index(wanted)]
    if any(choice.name == wanted for choice in methods):
        raise refused(f"`{wanted}` trains nothing, so there is nothing to search", f"Name one of {', '.join(names)}")
    fix = did_you_mean(wanted, names, f"Its methods that train: {', '.join(names)}")
    raise refused(f"the role has no method `{wanted}`", fix)


def space_for(search: SearchOptions, choice: NamedOptions) -> Space:
    """What is tried for a method.

    Raises:
        PydanticCustomError: an option is not there or cannot be searched, a value cannot stand, or nothing is left.
    """
    try:
        space = space_of(choice.options, values_in_force(choice), search.space)
    except ValueError as error:
        raise refused(str(error), "Correct it in `search: space`") from error
    for parameter in space.parameters:
        for value in parameter.choices or (parameter.rounded(parameter.low), parameter.rounded(parameter.high)):
            try:
                with_values(choice, space, {parameter.name: value})
            except ValidationError as error:
                reason = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
                told = f"`{choice.name}` cannot be trained with `{parameter.name}: {plain(value)}`: {reason}"
                raise refused(told, "Correct it in `search: space`") from error
    return space


def values_in_force(choice: NamedOptions) -> dict[str, Any]:
    """The options of a method that trains, with what defaults came to."""
    options = choice.options
    assert isinstance(options, TuningOptions)
    return {**options.model_dump(mode="json"), **options.in_force()}


def with_values(choice: Choice, space: Space, values: Values) -> Choice:
    """A method with a trial's values; where they are those in force it is as it was, and so is what it trains.

    Raises:
        ValidationError: they do not go together.
    """
    changed = {name: value for name, value in values.items() if value != space.default[name]}
    if not changed:
        return choice
    written = choice.options.model_dump(mode="json", exclude_unset=True)
    return type(choice).model_validate({choice.name: {**written, **changed}})
