"""The base of every option class: unknown keys are refused, every field is documented once.

A room declares its options beside the code that reads them, as a subclass of `Options` whose fields carry
`Field(description=...)`. The project file, its JSON schema, `atanor check --explain` and the reference in the docs are
made from these declarations.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """A frozen group of options. Unknown keys are an error; the project room adds the nearest known key."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
