"""Find personal data: contact details, payment and national numbers, network addresses, dates of birth, names.

Each kind is a rule with a prefilter for whole batches and an exact search (`scanning`). Of places that overlap the
surest kind keeps its own: check digits before forms, forms before words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from atanor.data.checks.contact_details import (
    EMAIL_FORM,
    EMAIL_IN_WORDS_FORM,
    STREET_FORM,
    email_addresses,
    emails_in_words,
    street_addresses,
)
from atanor.data.checks.national_numbers import NATIONAL_NUMBERS
from atanor.data.checks.network_addresses import IP_FORM, MAC_FORM, ip_addresses, mac_addresses
from atanor.data.checks.payment_numbers import IBAN_FORM, bank_accounts, payment_cards
from atanor.data.checks.personal_options import PersonalDataKind
from atanor.data.checks.persons import BIRTH_FORM, NAME_FORM, dates_of_birth, person_names
from atanor.data.checks.phone_numbers import phone_numbers
from atanor.data.checks.scanning import Places, Rule, scan
from atanor.data.checks.surroundings import DIGITS_FORM
from atanor.data.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

_FIX: Final = "Mask it, or use the row only if the person agreed or the data is public"


def _rule(kind: PersonalDataKind, prefilter: str, places: Places, what: str, mask: str) -> Rule:
    return Rule(f"personal_data.{kind.value}", prefilter, places, f"the text holds {what}", _FIX, mask)


_KIND = PersonalDataKind
_RULES: Final = {
    kind: _rule(kind, prefilter, places, what, mask)
    for kind, prefilter, places, what, mask in (
        (_KIND.EMAIL, EMAIL_FORM, email_addresses, "an e-mail address", "[email]"),
        (_KIND.EMAIL_IN_WORDS, EMAIL_IN_WORDS_FORM, emails_in_words, "an e-mail address in words", "[email]"),
        (_KIND.IBAN, IBAN_FORM, bank_accounts, "a bank account number", "[iban]"),
        (_KIND.CARD, DIGITS_FORM, payment_cards, "a payment card number", "[card]"),
        *(
            (kind, number.prefilter, number.places, number.name, "[national_number]")
            for kind, number in NATIONAL_NUMBERS.items()
        ),
        (_KIND.MAC_ADDRESS, MAC_FORM, mac_addresses, "the address of a network card", "[mac]"),
        (_KIND.IP_ADDRESS, IP_FORM, ip_addresses, "a public IP address", "[ip]"),
        (_KIND.DATE_OF_BIRTH, BIRTH_FORM, dates_of_birth, "a date of birth", "[date_of_birth]"),
        (_KIND.PHONE, DIGITS_FORM, phone_numbers, "a phone number", "[phone]"),
        (_KIND.STREET_ADDRESS, STREET_FORM, street_addresses, "a street address", "[address]"),
        (_KIND.PERSON_NAME, NAME_FORM, person_names, "the name of a person", "[name]"),
    )
}
"""In the order in which overlapping places are given away."""


def find_personal_data(texts: pa.StringArray, kinds: Sequence[PersonalDataKind]) -> list[Finding]:
    """Every place of personal data, in the order of texts and places; no two findings of a text overlap.

    Masking what was found leaves nothing of these kinds to be found.

    Args:
        texts: any number of texts; a null has no findings.
        kinds: what to look for, in any order; `DEFAULT_KINDS` unless the project says otherwise.
    """
    return scan(texts, [rule for kind, rule in _RULES.items() if kind in kinds])
