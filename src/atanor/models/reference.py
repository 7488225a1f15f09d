"""How a base model is named: `pkg:NAME`, `hf:owner/name[@revision]`, `path:DIR` or `gguf:FILE`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from atanor.errors import ConfigurationError, Problem

FORMS = "pkg:NAME, hf:owner/name[@revision], path:DIRECTORY or gguf:FILE"


class Scheme(StrEnum):
    """Where a base model comes from."""

    PACKAGE = "pkg"
    HUB = "hf"
    PATH = "path"
    GGUF = "gguf"


@dataclass(frozen=True)
class BaseReference:
    """A parsed base: where it comes from, its name there, and for the hub an optional revision."""

    scheme: Scheme
    name: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{self.scheme}:{self.name}" + (f"@{self.revision}" if self.revision else "")

    @classmethod
    def parse(cls, text: str) -> BaseReference:
        """Read a base as it is written in a project file.

        Raises:
            ConfigurationError: the text has none of the four forms; the fix shows what was probably meant.
        """
        scheme, colon, name = text.partition(":")
        if not colon or scheme not in set(Scheme) or not name.strip():
            guess = f"hf:{text}" if re.fullmatch(r"[\w.-]+/[\w.-]+", text) else None
            raise ConfigurationError(
                "a base model is written with where it comes from",
                [
                    Problem(
                        reason="not a base model",
                        field="base",
                        value=repr(text),
                        fix=f"Write `{guess}`" if guess else f"Write one of {FORMS}",
                    )
                ],
            )
        revision = None
        if scheme == Scheme.HUB:
            name, _, revision = name.partition("@")
            if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
                raise ConfigurationError(
                    "a hub model has an owner and a name",
                    [Problem(reason="not owner/name", field="base", value=repr(text), fix="Write hf:owner/name")],
                )
        return cls(Scheme(scheme), name.strip(), revision or None)
