"""The kinds of personal data that can be looked for."""

from __future__ import annotations

from enum import StrEnum


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
