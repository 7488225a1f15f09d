"""Personal data is found where it stands and not where a number only looks like it; a mask ends the search."""

from __future__ import annotations

import json
import os
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data.checks import DEFAULT_KINDS, PersonalDataKind, find_personal_data, mask
from atanor.data.checks import checksums as check
from atanor.data.checks.personal_data import _RULES
from atanor.data.checks.scanning import scan
from atanor.data.findings import Finding

DATA = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[2] / "../shared/data"))
KIND = PersonalDataKind
ALL = tuple(PersonalDataKind)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CONSONANTS = "BCDFGHJKLMNPQRSTVWXYZ"


def find(text: str, *kinds: PersonalDataKind) -> list[str]:
    """What is found in one text, in order."""
    return [text[one.start : one.end] for one in find_personal_data(pa.array([text]), kinds or ALL)]


# Numbers that issuers and public documents give as valid.
PUBLISHED = [
    *((check.card, card) for card in ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117")),
    *((check.card, card) for card in ("30569309025904", "3530111333300000", "6200000000000005", "2223003122003222")),
    *((check.iban, iban) for iban in ("GB82WEST12345698765432", "ES9121000418450200051332", "DE89370400440532013000")),
    *(
        (check.iban, iban)
        for iban in ("MT84MALT011000012345MTLCAST001S", "NO9386011117947", "BR1800360305000010009795493C1")
    ),
    *((check.spain_dni, number) for number in ("54362315K", "12345678Z", "X2482300W")),
    (check.spain_social_security, "281234567840"),
    (check.us_ssn, "536904399"),
    (check.us_itin, "912903456"),
    (check.uk_nino, "AB123456C"),
    *((check.france_insee, number) for number in ("295109912611193", "253072B07300470")),
    (check.germany_tax_id, "36574261809"),
    (check.italy_fiscal_code, "RCCMNL83S18D969H"),
    (check.portugal_nif, "123456789"),
    (check.brazil_cpf, "39053344705"),
    (check.mexico_curp, "BOXW310820HNERXN09"),
    (check.argentina_cuil, "20055361682"),
    (check.chile_rut, "125319092"),
]


@pytest.mark.parametrize(("valid", "number"), PUBLISHED)
def test_published_numbers_pass_their_check(valid: Callable[[str], bool], number: str) -> None:
    assert valid(number)
    assert not valid(number[:-1])
    assert not valid("0" * 40 + number)


@pytest.mark.parametrize(
    ("valid", "number"),
    [pair for pair in PUBLISHED if pair[0] not in {check.us_ssn, check.us_itin, check.uk_nino}],
)
def test_one_wrong_last_place_fails_the_check(valid: Callable[[str], bool], number: str) -> None:
    # In an IBAN a letter counts as two digits, so only digits are told apart for certain.
    places = "0123456789" if valid is check.iban else "0123456789" + LETTERS
    others = [number[:-1] + one for one in places if one != number[-1]]
    assert not any(valid(other) for other in others)


@given(st.text(max_size=25))
def test_checks_answer_for_any_text(text: str) -> None:
    for valid in {function for function, _ in PUBLISHED}:
        assert valid(text) in {True, False}


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def letters(rng: random.Random, count: int, alphabet: str = LETTERS) -> str:
    return "".join(rng.choices(alphabet, k=count))


def valid_one(valid: Callable[[str], bool], make: Callable[[], str]) -> str:
    """A number that passes its check, found by trying."""
    while not valid(number := make()):
        pass
    return number


def grouped(number: str, sizes: tuple[int, ...], gap: str) -> str:
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    return gap.join(number[end - size : end] for size, end in zip(sizes, ends, strict=True))


def email(rng: random.Random) -> str:
    name = rng.choice(["ana.lopez", "j_smith", "bob+lists", "maria-jose", "x", "o'brien", "MARTA99"])
    host = rng.choice(["mail", "uni-koeln", "correo.madrid", "a.b"])
    return f"{name}{rng.randrange(100)}@{host}.{rng.choice(['com', 'es', 'co.uk', 'org'])}"


def phone(rng: random.Random) -> str:
    n = digits(rng, 8)
    area = f"{rng.randrange(2, 9)}{rng.randrange(2, 9)}{rng.randrange(2, 9)}"
    return rng.choice(
        [
            f"+34 6{n[:2]} {n[2:5]} {n[5:8]}",
            f"+346{n}",
            f"6{n[:2]} {n[2:5]} {n[5:8]}",
            f"91 {n[:3]} {n[3:5]} {n[5:7]}",
            f"({area}) {area}-{n[:4]}",
            f"{area}-{area}-{n[:4]}",
            f"{area}.{area}.{n[:4]}",
            f"+1 {area} {area} {n[:4]}",
            f"+44 20 7{n[:3]} {n[3:7]}",
            f"+44 (0)20 7{n[:3]} {n[3:7]}",
            f"020 7{n[:3]} {n[3:7]}",
            f"07{n[:3]} {n[2:8]}",
            f"07{n}{rng.randrange(10)}",
            f"+52 55 {n[:4]} {n[4:]}",
            f"+33 6 {n[:2]} {n[2:4]} {n[4:6]} {n[6:]}",
            f"06 {n[:2]} {n[2:4]} {n[4:6]} {n[6:]}",
        ]
    )


def card(rng: random.Random) -> str:
    prefix, length = rng.choice([("4", 16), ("53", 16), ("2331", 16), ("37", 15), ("6011", 16), ("36", 14)])
    number = valid_one(check.card, lambda: prefix + digits(rng, length - len(prefix)))
    sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[length]
    return grouped(number, sizes, rng.choice([" ", "-", ""]))


def iban(rng: random.Random) -> str:
    bodies = {"ES": digits(rng, 20), "DE": digits(rng, 18), "FR": digits(rng, 23)}
    bodies["GB"] = letters(rng, 4) + digits(rng, 14)
    country = rng.choice(sorted(bodies))
    number = next(one for key in range(2, 99) if check.iban(one := f"{country}{key:02}{bodies[country]}"))
    return rng.choice([number, grouped(number.ljust(36), (4,) * 9, " ").strip()])


def social_security(rng: random.Random) -> str:
    number = valid_one(check.spain_social_security, lambda: f"{rng.randrange(1, 53):02}{digits(rng, 10)}")
    return grouped(number, (2, 8, 2), rng.choice(["/", " ", ""]))


def tax_id(rng: random.Random) -> str:
    def make() -> str:
        nine = rng.sample("0123456789", 9)
        return "".join(rng.sample([*nine, nine[0]], 10)) + digits(rng, 1)

    return grouped(valid_one(check.germany_tax_id, make), (2, 3, 3, 3), rng.choice(["", " "]))


def cpf(rng: random.Random) -> str:
    number = valid_one(check.brazil_cpf, lambda: digits(rng, 11))
    return rng.choice([number, f"{grouped(number[:9], (3, 3, 3), '.')}-{number[9:]}"])


def rut(rng: random.Random) -> str:
    number = valid_one(check.chile_rut, lambda: f"1{digits(rng, 7)}{rng.choice('0123456789K')}")
    return rng.choice([f"{number[:-1]}-{number[-1]}", f"{grouped(number[:8], (2, 3, 3), '.')}-{number[-1]}"])


def curp(rng: random.Random) -> str:
    return valid_one(
        check.mexico_curp,
        lambda: f"{letters(rng, 1)}A{letters(rng, 2)}900512HDF{letters(rng, 3, CONSONANTS)}0{digits(rng, 1)}",
    )


def street(rng: random.Random) -> str:
    number = rng.randrange(1, 999)
    english = f"{number} {rng.choice(['Maple', 'Oak Hill', 'N. Fifth'])} {rng.choice(['Street', 'Ave', 'Road'])}"
    spanish = f"Calle {rng.choice(['Mayor', 'de Alcalá', 'San Juan'])}, {number}"
    return rng.choice([english, spanish, f"Avda. de la Constitución {number}"])


def birth(rng: random.Random) -> str:
    day, month, year = rng.randrange(1, 29), rng.randrange(1, 13), rng.randrange(1930, 2015)
    numbers = [f"{day:02}/{month:02}/{year}", f"{year}-{month:02}-{day:02}"]
    return rng.choice([*numbers, f"{day} March {year}", f"May {day}, {year}", f"{day} de abril de {year}"])


def ip(rng: random.Random) -> str:
    parts = [rng.randrange(1, 255) for _ in range(3)]
    return rng.choice([f"{rng.randrange(80, 95)}.{parts[0]}.{parts[1]}.{parts[2]}", f"2a02:{parts[0]}::{parts[1]}"])


MAKERS: dict[PersonalDataKind, Callable[[random.Random], str]] = {
    KIND.EMAIL: email,
    KIND.EMAIL_IN_WORDS: lambda rng: rng.choice(
        ["ana at gmail dot com", "ana.lopez [at] correo [dot] es", "bob (at) mail.org", "luis arroba correo punto es"]
    ),
    KIND.PHONE: phone,
    KIND.CARD: card,
    KIND.IBAN: iban,
    KIND.SPAIN_DNI: lambda rng: valid_one(
        check.spain_dni, lambda: rng.choice(["X", "Y", "Z", "1", "4", "7"]) + digits(rng, 7) + letters(rng, 1)
    ),
    KIND.SPAIN_SOCIAL_SECURITY: social_security,
    KIND.US_SSN: lambda rng: grouped(valid_one(check.us_ssn, lambda: digits(rng, 9)), (3, 2, 4), "-"),
    KIND.US_ITIN: lambda rng: grouped(valid_one(check.us_itin, lambda: "9" + digits(rng, 8)), (3, 2, 4), "-"),
    KIND.UK_NINO: lambda rng: grouped(
        valid_one(check.uk_nino, lambda: letters(rng, 2) + digits(rng, 6) + rng.choice("ABCD")),
        (2, 2, 2, 2, 1),
        rng.choice(["", " "]),
    ),
    KIND.FRANCE_INSEE: lambda rng: grouped(
        valid_one(check.france_insee, lambda: rng.choice("12") + digits(rng, 2) + "07" + digits(rng, 10)),
        (1, 2, 2, 2, 3, 3, 2),
        rng.choice(["", " "]),
    ),
    KIND.GERMANY_TAX_ID: tax_id,
    KIND.ITALY_FISCAL_CODE: lambda rng: valid_one(
        check.italy_fiscal_code,
        lambda: f"{letters(rng, 6, CONSONANTS)}{digits(rng, 2)}S{digits(rng, 2)}D{digits(rng, 3)}{letters(rng, 1)}",
    ),
    KIND.PORTUGAL_NIF: lambda rng: grouped(
        valid_one(check.portugal_nif, lambda: "2" + digits(rng, 8)), (3, 3, 3), rng.choice(["", " "])
    ),
    KIND.BRAZIL_CPF: cpf,
    KIND.MEXICO_CURP: curp,
    KIND.ARGENTINA_CUIL: lambda rng: grouped(
        valid_one(check.argentina_cuil, lambda: rng.choice(["20", "27"]) + digits(rng, 9)),
        (2, 8, 1),
        rng.choice(["", "-"]),
    ),
    KIND.CHILE_RUT: rut,
    KIND.IP_ADDRESS: ip,
    KIND.MAC_ADDRESS: lambda rng: rng.choice(":-").join(["4c", *(f"{rng.randrange(256):02x}" for _ in range(5))]),
    KIND.DATE_OF_BIRTH: birth,
    KIND.STREET_ADDRESS: street,
    KIND.PERSON_NAME: lambda rng: (
        rng.choice(["Ana", "John", "Lucía", "Peter"]) + rng.choice(["", " García", " Smith", " de la Cruz", " O'Neill"])
    ),
}

CALLED = {
    KIND.CARD: ("card number", "tarjeta"),
    KIND.SPAIN_DNI: ("DNI", "DNI"),
    KIND.SPAIN_SOCIAL_SECURITY: ("social security number", "número de la Seguridad Social"),
    KIND.GERMANY_TAX_ID: ("Steuer-ID", "Steuer-IdNr."),
    KIND.PORTUGAL_NIF: ("tax number (NIF)", "NIF"),
    KIND.BRAZIL_CPF: ("CPF", "CPF"),
    KIND.ARGENTINA_CUIL: ("CUIT", "CUIL"),
    KIND.CHILE_RUT: ("RUT", "RUT"),
    KIND.DATE_OF_BIRTH: ("date of birth", "fecha de nacimiento"),
    KIND.PERSON_NAME: ("name", "nombre"),
}


def sentences(kind: PersonalDataKind, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Sentences in English and Spanish with something of this kind, and what it is."""
    english, spanish = CALLED.get(kind, ("contact", "dato"))
    frames = [f"My {english} is {{}}.", f"Mi {spanish} es {{}}, gracias.", f"(my {english} is {{}})"]
    if kind not in CALLED:
        frames += ["Please write to {} before Monday", "Apunta esto: {}.", "{}"]
    for number in range(120):
        made = MAKERS[kind](rng)
        yield frames[number % len(frames)].format(made), made


def hard_negatives(rng: random.Random) -> Iterator[str]:
    """Sentences with numbers that are nobody's."""
    for _ in range(150):
        n = digits(rng, 24)
        # ISBN-13, with its check digit.
        isbn = "978" + n[:9]
        isbn += str(-sum(int(one) * (1 + 2 * (place % 2)) for place, one in enumerate(isbn)) % 10)
        yield f"The war lasted from {1900 + int(n[0])} to {1940 + int(n[1])}, the season 2019-2020, in 1914-1918."
        yield f"Ganaron {n[0]}-{n[1]}, 21-{n[2:4]} y 6-4 6-3 7-5 el 12/0{1 + int(n[4]) % 9}/2021."
        yield f"It costs ${n[:3]},{n[3:6]}.{n[6:8]} or 1.{n[:3]}.{n[3:6]} euros, 6{n[:2]} {n[2:5]} {n[5:8]} habitantes"
        yield f"ISBN {isbn}, ISBN-10 0-306-40615-2, {isbn[:3]}-{isbn[3]}-{isbn[4:6]}-{isbn[6:12]}-{isbn[12]} y {isbn}"
        yield f"Order number 112-{n[:7]}-{n[7:14]}, pedido nº {n[:12]}, invoice {n[:9]}, tracking 1Z{n[:16]}"
        yield f"At 40.{n[:6]}, -3.{n[6:12]} or 51.{n[:4]}° N; the distance is {n[:3]} {n[3:6]} km"
        yield f"{n[:8]} + {n[8:16]} = {n[16:24]}, pi is 3.14159265358979, x=+{n[:7]}, 10^{n[:2]}, 1/{n[:9]}"
        yield f"v1.{n[0]}.{n[1]}.{n[2]}, version 10.0.19041.{n[:3]}, section 4.1.2.3, Chrome 114.0.5735.90"
        yield f"commit {rng.getrandbits(160):040x} or {rng.getrandbits(128):032x}"
        yield f"id {uuid.UUID(int=rng.getrandbits(128))}, {uuid.UUID(int=rng.getrandbits(128))}"
        yield f"2023-01-15T10:20:{n[0]}0Z, 1672{n[:6]}, 16725312{n[:8]}, CVE-2021-{n[:5]}, 192.168.{n[0]}.1, 127.0.0.1"
        yield f"Call me at 10:30, text 87121, room 00{n[:3]}, in 2008 Wall Street fell; std::vector, ::, 12:34:56"
        yield "Dear Sir or Madam, Dr. Pepper costs 2 @ $1.50; icon@2x.png; git@github.com:a/b, ssh root@10.0.0.5"
        yield "Einstein was born on 14 March 1879. She looked at amazon dot com, meet at work.com"


def test_every_kind_has_a_recall_and_precision_of_at_least_95_percent() -> None:
    rng = random.Random(4)
    planted = [(text, made, kind) for kind in ALL for text, made in sentences(kind, rng)]
    texts = [text for text, _, _ in planted] + list(hard_negatives(rng))
    found = find_personal_data(pa.array(texts), ALL)
    places = {(one.text, one.rule.split(".")[1], texts[one.text][one.start : one.end]) for one in found}
    right = Counter(kind for index, (_, made, kind) in enumerate(planted) if (index, kind.value, made) in places)
    every = Counter(rule for _, rule, _ in places)
    wrong = [place for place in places if place[0] >= len(planted)]
    for kind in ALL:
        recall, precision = right[kind] / 120, right[kind] / max(every[kind.value], 1)
        print(f"{kind.value:24} recall {recall:.3f} precision {precision:.3f}")
    assert not wrong, [(texts[index], *rest) for index, *rest in wrong[:5]]
    assert {kind for kind in ALL if right[kind] < 0.95 * 120} == set()
    assert {kind for kind in ALL if right[kind] < 0.95 * every[kind.value]} == set()


NO_CHECK_DIGIT = {KIND.US_SSN, KIND.US_ITIN, KIND.UK_NINO}


@pytest.mark.parametrize("kind", [kind for kind in ALL if hasattr(check, kind.value) and kind not in NO_CHECK_DIGIT])
def test_a_wrong_check_digit_is_nobodys_number(kind: PersonalDataKind) -> None:
    rng = random.Random(5)
    made = [MAKERS[kind](rng) for _ in range(60)]
    # One more in the last place, Z becoming A and 9 becoming 0.
    wrong = [one[:-1] + {"9": "0", "Z": "A", "K": "0"}.get(one[-1], chr(ord(one[-1]) + 1)) for one in made]
    texts = pa.array([f"My {CALLED.get(kind, ('number',))[0]} is {one}." for one in wrong])
    assert find_personal_data(texts, [kind]) == []


def test_overlapping_kinds_give_one_finding_the_surest() -> None:
    text = "ES91 2100 0418 4502 0005 1332 and ana@correo.es"
    assert [one.rule for one in find_personal_data(pa.array([text]), ALL)] == [
        "personal_data.iban",
        "personal_data.email",
    ]


def test_a_finding_says_what_it_is_without_printing_it() -> None:
    (found,) = find_personal_data(pa.array(["nothing", None, "my card: 4111 1111 1111 1111"]), DEFAULT_KINDS)
    assert found == Finding(
        text=2,
        rule="personal_data.card",
        start=9,
        end=28,
        shown="4111…",
        reason="the text holds a payment card number",
        fix="Mask it, or use the row only if the person agreed or the data is public",
        mask="[card]",
    )


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Mail ana@correo.es or call (212) 555-0123.", "Mail [email] or call [phone]."),
        ("Dear Ana, Mr. John Smith and Sra. García wait.", "Dear [name], Mr. [name] and Sra. [name] wait."),
        ("Me llamo Luis de la Cruz, DNI 12345678Z", "Me llamo [name], DNI [national_number]"),
        ("phone=212-555-0123&tel=+34612345678, 9-3 =612 345 678", "phone=[phone]&tel=[phone], 9-3 =612 345 678"),
        ("DOB: 12/03/1990, from 85.12.7.9", "DOB: [date_of_birth], from [ip]"),
        ("12 Oak Street, Flat 3, London N1 9GU", "[address]"),
        ("Vivo en la C/ Mayor, 5, 2º B, 28013 Madrid", "Vivo en la [address]"),
        ("The Sr. and Dr. No met Professor at 5 St Mary", "The Sr. and Dr. No met Professor at 5 St Mary"),
    ],
)
def test_masks_replace_what_was_found(text: str, masked: str) -> None:
    assert mask(text, find_personal_data(pa.array([text]), ALL)) == masked


def test_only_the_kinds_that_were_asked_for_are_found() -> None:
    text = "Mr. John Smith, john@mail.com, 12 Oak Street"
    assert find(text, KIND.EMAIL) == ["john@mail.com"]
    assert find(text, *DEFAULT_KINDS) == ["john@mail.com"]
    assert find_personal_data(pa.array([text]), []) == []
    assert find_personal_data(pa.array([], pa.string()), ALL) == []


PIECES = st.one_of(
    st.text(max_size=8),
    st.text("0123456789 -.()/+@:[]xXn", max_size=20),
    st.sampled_from(
        ["phone ", "call ", "DNI ", "DOB: ", "Mr. ", "[phone]", "[email]", " at ", " dot com", "://a:b@", "\n"]
    ),
    st.sampled_from(
        ["Professor Smith", " el señor Luis", " doña Ana", "Mi nombre completo es Luis", "I am called Bob"]
    ),
    st.sampled_from(["nací el 3/4/1980", "I've been born on May 3, 1980", "F. Nac.: 1/2/99", "C/ Mayor, 5", "1 H Way"]),
    st.sampled_from(
        ["1 84 12 2A 451 089 46", "AB123456C", "212-555-0123 ext. 5", "(+34) 612 345 678", "::1", "a::b:1"]
    ),
    st.builds(lambda kind, seed: MAKERS[kind](random.Random(seed)), st.sampled_from(ALL), st.integers(0, 50)),
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)


@given(st.lists(TEXTS, max_size=4))
def test_places_are_inside_their_text_and_a_mask_is_the_end_of_it(texts: list[str]) -> None:
    found = find_personal_data(pa.array(texts, pa.string()), ALL)
    assert found == sorted(found, key=lambda one: (one.text, one.start))
    for index, text in enumerate(texts):
        mine = [one for one in found if one.text == index]
        assert all(0 <= one.start < one.end <= len(text) for one in mine)
        assert all(left.end <= right.start for left, right in pairwise(mine))
        masked = mask(text, mine)
        assert find_personal_data(pa.array([masked]), ALL) == []


@given(TEXTS)
def test_the_prefilters_hide_nothing(text: str) -> None:
    unfiltered = [replace(rule, prefilter="") for rule in _RULES.values()]
    assert find_personal_data(pa.array([text]), ALL) == scan(pa.array([text]), unfiltered)


def test_a_batch_finds_what_each_text_alone_finds() -> None:
    rng = random.Random(1)
    texts = [text for kind in ALL for text, _ in list(sentences(kind, rng))[:5]]
    together = find_personal_data(pa.array(texts), ALL)
    sliced = find_personal_data(pa.array(["4111111111111111", *texts])[1:], ALL)
    alone = [one for text in texts for one in find_personal_data(pa.array([text]), ALL)]
    assert together == sliced
    assert [(one.rule, one.start, one.end) for one in together] == [(one.rule, one.start, one.end) for one in alone]


def test_long_runs_of_digits_letters_and_words_take_linear_time() -> None:
    # Any of these is cubic for a careless expression; a test that hangs is a test that fails.
    runs = [
        "1" * 60_000,
        "1 " * 30_000,
        "a@" * 30_000,
        "a." * 30_000 + "@",
        "A" * 60_000,
        "Mr. " * 15_000,
        "1:" * 30_000,
    ]
    assert isinstance(find_personal_data(pa.array([*runs, "12 Oak " * 10_000, "call 555 " * 7_000]), ALL), list)


def test_real_questions_and_answers_hold_only_the_addresses_that_stand_there() -> None:
    file = DATA / "dolly_open_qa" / "train.jsonl"
    if not file.exists():
        pytest.skip(f"no real data at {DATA}: set ATANOR_DATA")
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    texts = pa.array([text for row in rows for text in (row["instruction"], row["response"])])
    found = find_personal_data(texts, DEFAULT_KINDS)
    assert Counter(one.rule for one in found) == {"personal_data.email": 5}
