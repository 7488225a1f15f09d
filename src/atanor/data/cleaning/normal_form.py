"""Unicode normal forms: one way to write a character (Unicode Standard Annex 15)."""

from __future__ import annotations

import unicodedata

from atanor.data.cleaning.options import UnicodeForm
from atanor.data.cleaning.rule import Rule

# A text without a mark, a Hangul part or one of these is in NFC (NFC_Quick_Check in DerivedNormalizationProps).
_NOT_ALWAYS_NFC = (
    r"\p{M}|[\x{340}\x{341}\x{374}\x{37e}\x{387}\x{958}-\x{95f}\x{9dc}-\x{9df}\x{a33}\x{a36}\x{a59}-\x{a5e}\x{b5c}\x{b5d}"
    r"\x{f43}-\x{f69}\x{1160}-\x{11ff}\x{1f71}-\x{1fff}\x{2000}\x{2001}\x{2126}\x{212a}"
    r"\x{212b}\x{2329}\x{232a}\x{2adc}\x{f900}-\x{faff}\x{fb1d}-\x{fb4e}\x{1d15e}-\x{1d164}\x{1d1bb}-\x{1d1c0}"
    r"\x{2f800}-\x{2fa1d}]"
)
_NOT_ASCII = r"[^\x00-\x7f]"


def normal_form_rules(form: UnicodeForm) -> list[Rule]:
    """The rule that brings texts to `form`; none when it is off."""
    match form:
        case UnicodeForm.NFC:
            return [Rule("clean.unicode", _NOT_ALWAYS_NFC, lambda text: unicodedata.normalize("NFC", text))]
        case UnicodeForm.NFKC:
            return [Rule("clean.unicode", _NOT_ASCII, lambda text: unicodedata.normalize("NFKC", text))]
        case UnicodeForm.OFF:
            return []
