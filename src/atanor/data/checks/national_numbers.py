"""National identity, tax and social security numbers of persons, told by their form and check digits.

A form that hardly anything else has is enough by itself. Where it is common (bare digits with one check digit, which
one number in ten passes by accident), a word such as `NIF` or `tax id` has to stand near.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from atanor.data.checks import checksums
from atanor.data.checks.personal_options import PersonalDataKind
from atanor.data.checks.scanning import Span
from atanor.data.checks.surroundings import NUMBER_ENDS, NUMBER_STARTS, is_near, is_other_number

_SEPARATORS = str.maketrans("", "", " .-/")


@dataclass(frozen=True, slots=True)
class NationalNumber:
    """One country's number. Its forms are expressions for RE2 and Python alike, in whatever case.

    Attributes:
        name: as a report calls it.
        valid: the check of the number without separators, in upper case.
        sure: the forms that are enough by themselves; None: there are none.
        named: the forms that need one of `words` near them; None: there are none.
        words: what the number is called.
    """

    name: str
    valid: Callable[[str], bool]
    sure: str | None
    named: str | None = None
    words: re.Pattern[str] | None = None

    @property
    def prefilter(self) -> str:
        """RE2 expression that every text with this number matches."""
        return "|".join(f"(?i:{form})" for form in (self.sure, self.named) if form is not None)

    def places(self, text: str) -> Iterator[Span]:
        """Where the number stands in the text: the sure forms, then the named ones."""
        for form in (self.sure, self.named):
            for match in _written(form).finditer(text) if form is not None else ():
                start, end = match.span()
                if not self.valid(match[0].translate(_SEPARATORS).upper()):
                    continue
                named = self.words is not None and is_near(self.words, text, start, end)
                if named or (form == self.sure and not is_other_number(text, start)):
                    yield start, end


@cache
def _written(form: str) -> re.Pattern[str]:
    return re.compile(f"{NUMBER_STARTS}(?:{form}){NUMBER_ENDS}", re.IGNORECASE)


def _words(alternatives: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{alternatives})\b", re.IGNORECASE)


NATIONAL_NUMBERS: Final = {
    PersonalDataKind.ITALY_FISCAL_CODE: NationalNumber(
        "an Italian codice fiscale",
        checksums.italy_fiscal_code,
        sure=r"[A-Z]{3} ?[A-Z]{3} ?[0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{2} ?[A-Z][0-9LMNP-V]{3}[A-Z]",
    ),
    PersonalDataKind.MEXICO_CURP: NationalNumber(
        "a Mexican CURP", checksums.mexico_curp, sure=r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]"
    ),
    PersonalDataKind.FRANCE_INSEE: NationalNumber(
        "a French social security number",
        checksums.france_insee,
        sure=r"[1-478][ .]?[0-9]{2}[ .]?[0-9]{2}[ .]?(?:[0-9]{2}|2[AB])[ .]?[0-9]{3}[ .]?[0-9]{3}[ ./]?[0-9]{2}",
    ),
    PersonalDataKind.SPAIN_SOCIAL_SECURITY: NationalNumber(
        "a Spanish Social Security number",
        checksums.spain_social_security,
        sure=r"[0-9]{2}[/-][0-9]{8}[/-][0-9]{2}",
        named=r"[0-9]{2} ?[0-9]{8} ?[0-9]{2}",
        words=_words(r"seguridad social|afiliaci[oó]n|n\.?u?\.?s\.?s|naf|social security"),
    ),
    PersonalDataKind.BRAZIL_CPF: NationalNumber(
        "a Brazilian CPF",
        checksums.brazil_cpf,
        sure=r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
        named=r"[0-9]{9}-?[0-9]{2}",
        words=_words(r"cpf|cadastro|contribuinte|tax(?:payer)?"),
    ),
    PersonalDataKind.ARGENTINA_CUIL: NationalNumber(
        "an Argentine CUIL or CUIT",
        checksums.argentina_cuil,
        sure=r"2[034567]-[0-9]{8}-[0-9]",
        named=r"2[034567][ .]?[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}[ .]?[0-9]",
        words=_words(r"cui[lt]|c\.u\.i\.[lt]\.?|afip|tax(?:payer)?"),
    ),
    PersonalDataKind.GERMANY_TAX_ID: NationalNumber(
        "a German Steuer-ID",
        checksums.germany_tax_id,
        sure=r"[1-9][0-9] [0-9]{3} [0-9]{3} [0-9]{3}",
        named=r"[1-9][0-9]{10}",
        words=_words(r"steuer\W?(?:id|identifikations)\w*|steuer\W?nummer|idnr|tin|tax (?:id|number)\w*"),
    ),
    PersonalDataKind.SPAIN_DNI: NationalNumber(
        "a Spanish DNI or NIE",
        checksums.spain_dni,
        sure=r"(?:[0-9]{8}|[0-9]{2}\.[0-9]{3}\.[0-9]{3}|[XYZ]-?[0-9]{7}|[XYZ]-?[0-9]\.[0-9]{3}\.[0-9]{3})-?[A-Z]",
        named=r"(?:[0-9]{8}|[0-9]{2}[. ][0-9]{3}[. ][0-9]{3}|[XYZ] ?[0-9]{7})[ -][A-Z]",
        words=_words(r"d\.?n\.?i\.?|n\.?i\.?[ef]\.?|documento|identidad|c[eé]dula|identity"),
    ),
    PersonalDataKind.CHILE_RUT: NationalNumber(
        "a Chilean RUT",
        checksums.chile_rut,
        sure=r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9K]",
        named=r"[0-9]{7,8}-?[0-9K]",
        words=_words(r"r\.?u\.?[tn]\.?|c[eé]dula|carnet"),
    ),
    PersonalDataKind.US_SSN: NationalNumber(
        "a US Social Security number",
        checksums.us_ssn,
        sure=r"[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}",
        named=r"[0-8][0-9]{2} ?[0-9]{2} ?[0-9]{4}",
        words=_words(r"ssn|s\.s\.n\.?|social security|social|seguro social"),
    ),
    PersonalDataKind.US_ITIN: NationalNumber(
        "a US taxpayer number",
        checksums.us_itin,
        sure=r"9[0-9]{2}-[5-9][0-9]-[0-9]{4}",
        named=r"9[0-9]{2} ?[5-9][0-9] ?[0-9]{4}",
        words=_words(r"itin|tin|taxpayer|contribuyente"),
    ),
    PersonalDataKind.UK_NINO: NationalNumber(
        "a UK National Insurance number",
        checksums.uk_nino,
        sure=r"[A-Z]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[A-D]",
    ),
    PersonalDataKind.PORTUGAL_NIF: NationalNumber(
        "a Portuguese NIF",
        checksums.portugal_nif,
        sure=None,
        named=r"[0-9]{3}[ .]?[0-9]{3}[ .]?[0-9]{3}",
        words=_words(r"nif|n\.i\.f\.?|contribuinte|fiscal|tax (?:id|number)|taxpayer"),
    ),
}
"""In the order in which they are asked: the surest checks first."""
