"""The base of every option class: unknown keys are refused, every field is documented once.

A room declares its options beside the code that reads them, as a subclass of `Options` whose fields carry
`Field(description=...)`. The project file, its JSON schema, `atanor check --explain` and the reference in the docs are
made from these declarations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, model_validator
from pydantic_core import PydanticCustomError

from atanor.nearest import did_you_mean

REFUSED = "atanor_refused"
"""The type of the pydantic errors that `refused` makes; their context carries `reason` and `fix` for the reader."""


class Options(BaseModel):
    """A frozen group of options. Unknown keys are an error; the project room adds the nearest known key."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NamedOptions(BaseModel):
    """One of several groups of options: written as its name, or as its name with its options below it.

    Attributes:
        kind: what is chosen, with its article, for errors: `a method`.
        declared: every name that may be written, with the options it takes.
        name: which was chosen.
        options: its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str]
    declared: ClassVar[Mapping[str, type[Options]]]

    name: str = Field(description="Which one.")
    options: SerializeAsAny[Options] = Field(description="Its own options.")

    @classmethod
    def of(cls, name: str, **options: Any) -> Self:
        """The choice `name` with these options, the rest at their defaults."""
        return cls.model_validate({name: options})

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {value: None}
        if value is None or isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise refused(f"{cls.kind} is a name, or a name with its options below it", one_key({}, cls.declared))
        if set(value) == {"name", "options"}:
            value = {value["name"]: value["options"]}
        if len(value) != 1:
            raise refused(f"{cls.kind} is a name, or a name with its options below it", one_key(value, cls.declared))
        ((name, options),) = value.items()
        declared = cls.declared.get(name)
        if declared is None:
            word = cls.kind.partition(" ")[2]
            known = f"{word.capitalize()}s: {', '.join(cls.declared)}"
            raise refused(f"`{name}` is no {word}", did_you_mean(str(name), cls.declared, known))
        if options is not None and not isinstance(options, (Mapping, declared)):
            raise refused(f"the options of `{name}` are a group of keys", f"Write `{name}: {{key: value}}`")
        return {"name": name, "options": declared.model_validate({} if options is None else options)}


def refused(reason: str, fix: str) -> PydanticCustomError:
    """The error of a value that cannot stand, from within a validator."""
    return PydanticCustomError(REFUSED, "{reason}", {"reason": reason, "fix": fix})


def one_key(value: Mapping[Any, Any], known: Iterable[str]) -> str:
    """How to mend a choice with no key or several: usually options not indented below their name."""
    names = list(known)
    name = next((key for key in value if key in names), None)
    if name is None:
        return f"Write one of {', '.join(names)}"
    others = ", ".join(f"{key}: …" for key in value if key != name)
    return f"Write `{name}: {{{others}}}`"
