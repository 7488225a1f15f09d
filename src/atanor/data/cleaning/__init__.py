"""Cleaning: texts as they were found become texts to train on, and every change is told.

In: a batch of texts (`pa.StringArray`), `CleanOptions`, and the control tokens of the base. Out of `clean_texts`:

    cleaned.texts      the texts, same length and order; the very same array where nothing had to change
    cleaned.changes    one `TextChange` for each text and rule that wrote it anew
    cleaned.reported   findings that leave the text as it is
    cleaned.refused    texts that cannot be used, at most one finding each

Cleaning a cleaned text changes nothing, and no control token of a chat template is let through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atanor.data.cleaning.options import CleanOptions, ControlTokenPolicy, HtmlPolicy, UnicodeForm

if TYPE_CHECKING:
    from atanor.data.cleaning.batch import CleanedTexts, clean_texts

__all__ = ["CleanOptions", "CleanedTexts", "ControlTokenPolicy", "HtmlPolicy", "UnicodeForm", "clean_texts"]


def __getattr__(name: str) -> object:
    # The options are read by every command; pyarrow is loaded only by the one that cleans.
    if name in ("CleanedTexts", "clean_texts"):
        from atanor.data.cleaning import batch

        return getattr(batch, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
