"""The options for personal data, as they are written in a project file."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from atanor.data.findings import Action
from atanor.options import Options


class PersonalDataKind(StrEnum):
    """What counts as personal data, one rule a kind."""

    EMAIL = "email"
    EMAIL_IN_WORDS = "email_in_words"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    SPAIN_DNI = "spain_dni"
    SPAIN_SOCIAL_SECURITY = "spain_social_security"
    US_SSN = "us_ssn"
    US_ITIN = "us_itin"
    UK_NINO = "uk_nino"
    FRANCE_INSEE = "france_insee"
    GERMANY_TAX_ID = "germany_tax_id"
    ITALY_FISCAL_CODE = "italy_fiscal_code"
    PORTUGAL_NIF = "portugal_nif"
    BRAZIL_CPF = "brazil_cpf"
    MEXICO_CURP = "mexico_curp"
    ARGENTINA_CUIL = "argentina_cuil"
    CHILE_RUT = "chile_rut"
    IP_ADDRESS = "ip_address"
    MAC_ADDRESS = "mac_address"
    DATE_OF_BIRTH = "date_of_birth"
    STREET_ADDRESS = "street_address"
    PERSON_NAME = "person_name"


OFF_BY_DEFAULT = (PersonalDataKind.STREET_ADDRESS, PersonalDataKind.PERSON_NAME)
"""Kinds one has to ask for: most streets and names in a text are of public places and public figures, and a pattern
cannot tell them from a private home or person. The other kinds mostly lead to one person wherever they stand."""

DEFAULT_KINDS = tuple(kind for kind in PersonalDataKind if kind not in OFF_BY_DEFAULT)


class PersonalDataOptions(Options):
    """What is looked for as personal data, and what happens to it."""

    action: Action = Field(
        Action.REPORT, description="What happens to personal data: `off`, `report`, `mask` (as `[email]`) or `refuse`."
    )
    kinds: tuple[PersonalDataKind, ...] = Field(
        DEFAULT_KINDS,
        description="Kinds to look for. Off unless named: `street_address` and `person_name`, which are mostly public.",
    )
