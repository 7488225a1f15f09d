"""Texts that leave the project are freed of secrets: of those written in its file, and of those in the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import pyarrow as pa

from atanor.data.checks.secrets import find_secrets

MASK = "[secret]"
_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s'\"<>]+", re.IGNORECASE)
_SHORTEST = 8
"""Characters from which the value of an environment variable is taken for a secret: `true` and `1` are none."""


@dataclass(frozen=True)
class Secrets:
    """What must not be said."""

    values: tuple[str, ...]

    @classmethod
    def of(cls, text: str, environment: Mapping[str, str] | None = None) -> Secrets:
        """Those in a text, and those of the environment, which is this process's own by default."""
        found = {text[one.start : one.end] for one in find_secrets(pa.array([text], pa.string()))}
        found |= {part for url in _URL.findall(text) if (part := urlsplit(url).password)}
        around = os.environ if environment is None else environment
        found |= {value for name, value in around.items() if _NAMES.search(name) and len(value) >= _SHORTEST}
        return cls(tuple(sorted(found, key=len, reverse=True)))

    def masked(self, text: str) -> str:
        """The text without them."""
        for value in self.values:
            text = text.replace(value, MASK)
        return text
