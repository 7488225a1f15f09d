"""Checks look at texts and say what they find; whoever calls them decides what becomes of it.

In: all texts of a batch of rows as one flat `pa.StringArray`. Out: a `Finding` for each place, by the text's index.

    findings = [*find_personal_data(texts, options.kinds), *find_secrets(texts)]
    masked = mask(text, [found for found in findings if found.text == index])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atanor.data.checks.masking import mask
from atanor.data.checks.personal_options import DEFAULT_KINDS, PersonalDataKind
from atanor.data.checks.severity import Severity

if TYPE_CHECKING:
    from atanor.data.checks.personal_data import find_personal_data
    from atanor.data.checks.secrets import find_secrets

__all__ = ["DEFAULT_KINDS", "PersonalDataKind", "Severity", "find_personal_data", "find_secrets", "mask"]


def __getattr__(name: str) -> object:
    # The options are read by every command; pyarrow is loaded only by the one that checks.
    if name == "find_personal_data":
        from atanor.data.checks import personal_data

        return personal_data.find_personal_data
    if name == "find_secrets":
        from atanor.data.checks import secrets

        return secrets.find_secrets
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
