"""Invented personal data and secrets, and sentences they stand in: drawn anew each time, so nothing real is kept.

Check digits are worked out here from each country's rule and not by the code that is measured, which would otherwise
be asked to find what it made itself.
"""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random

Draw = Callable[[Random], str]

_CONSONANTS = "BCDFGHJKLMNPRSTVZ"
_FIRST = ("maria", "peter", "aisha", "liam", "ingrid", "tomas", "yuki", "carla")
_LAST = ("lopez", "novak", "okafor", "larsen", "rossi", "duarte", "brandt", "keller")
_HOSTS = ("northmill.org", "harbour-books.co.uk", "talleres-ebro.es", "kranich-druck.de", "fairweather.net")
_MONTHS = ("January", "March", "May", "July", "October", "December")


@dataclass(frozen=True)
class Invention:
    """One kind of thing that should not be in a text: how one is drawn, and sentences with `{}` for it."""

    draw: Draw
    sentences: tuple[str, ...]

    def sentence(self, random: Random) -> str:
        """One of the sentences with a value in it."""
        return random.choice(self.sentences).replace("{}", self.draw(random))


def digits(random: Random, count: int) -> str:
    """That many digits, the first of them not 0."""
    return random.choice("123456789") + "".join(random.choices(string.digits, k=count - 1))


def _weighted(number: str, factors: Iterable[int]) -> int:
    return sum(int(digit) * factor for digit, factor in zip(number, factors, strict=True))


def _email(random: Random) -> str:
    return f"{random.choice(_FIRST)}.{random.choice(_LAST)}{random.randrange(10, 99)}@{random.choice(_HOSTS)}"


def _email_in_words(random: Random) -> str:
    return f"{random.choice(_FIRST)} [dot] {random.choice(_LAST)} [at] northmill [dot] org"


def _phone(random: Random) -> str:
    forms = (
        "+34 6## ### ###",
        "+44 79## ######",
        "+1 415-7##-####",
        "(312) 6##-####",
        "+49 171 #######",
        "6## ### ###",
    )
    return "".join(random.choice("23456789") if sign == "#" else sign for sign in random.choice(forms))


def _card(random: Random) -> str:
    body = random.choice(("4", "52", "54")) + digits(random, 16)
    body = body[:15]
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(body))
    check = -sum(value - 9 if value > 9 else value for value in doubled) % 10
    number = f"{body}{check}"
    return random.choice((number, " ".join(number[at : at + 4] for at in range(0, 16, 4))))


def _iban(random: Random) -> str:
    country, length = random.choice((("ES", 20), ("DE", 18), ("NL", 14)))
    body = ("INGB" if country == "NL" else "") + digits(random, 10 if country == "NL" else length)
    value = int("".join(str(int(character, 36)) for character in f"{body}{country}00"))
    written = f"{country}{98 - value % 97:02}{body}"
    return random.choice((written, " ".join(written[at : at + 4] for at in range(0, len(written), 4))))


def _dni(random: Random) -> str:
    number = int(digits(random, 8))
    return f"{number}{random.choice(('', '-'))}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _spain_social_security(random: Random) -> str:
    number = random.choice(("08", "28", "41")) + digits(random, 8)
    return f"{number[:2]}/{number[2:]}/{int(number) % 97:02}"


def _ssn(random: Random) -> str:
    return f"{random.randrange(100, 660)}-{random.randrange(11, 99)}-{random.randrange(1000, 9999)}"


def _itin(random: Random) -> str:
    return f"9{random.randrange(10, 99)}-{random.randrange(70, 88)}-{random.randrange(1000, 9999)}"


def _nino(random: Random) -> str:
    number = digits(random, 6)
    parts = (random.choice(("AB", "CE", "JG", "SR")), number[:2], number[2:4], number[4:], random.choice("ABCD"))
    return random.choice((" ", "")).join(parts)


def _insee(random: Random) -> str:
    parts = (random.choice("12"), digits(random, 2), f"{random.randrange(1, 13):02}", "75", *[digits(random, 3)] * 2)
    body = int("".join(parts))
    return random.choice((" ", "")).join((*parts, f"{97 - body % 97:02}"))


def _steuer_id(random: Random) -> str:
    """Of the first ten digits one stands twice and one is missing; ISO/IEC 7064, MOD 11,10."""
    body = random.sample(string.digits, 10)
    body[9] = random.choice(body[:9])
    if body[0] == "0":
        body[0], body[1] = body[1], body[0]
    product = 10
    for digit in body:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    number = "".join(body) + str((11 - product) % 10)
    return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"


def _codice_fiscale(random: Random) -> str:
    letters = "".join(random.choices(_CONSONANTS, k=6))
    day = f"{random.randrange(1, 31):02}"
    body = f"{letters}{random.randrange(50, 99)}{random.choice('ABCDEHLMPRST')}{day}H{digits(random, 3)}"
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    values = [int(one) if one.isdigit() else ord(one) - ord("A") for one in body]
    return body + chr(ord("A") + (sum(odd[value] for value in values[::2]) + sum(values[1::2])) % 26)


def _nif(random: Random) -> str:
    body = random.choice("12") + digits(random, 7)
    check = 11 - _weighted(body, range(9, 1, -1)) % 11
    return f"{body}{check if check < 10 else 0}"


def _cpf(random: Random) -> str:
    body = digits(random, 9)
    for _ in range(2):
        check = 11 - _weighted(body, range(len(body) + 1, 1, -1)) % 11
        body += str(check if check < 10 else 0)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def _curp(random: Random) -> str:
    letters = "".join(random.choices(_CONSONANTS, k=6))
    date = f"{random.randrange(50, 99)}{random.randrange(1, 13):02}{random.randrange(1, 29):02}"
    body = f"{letters[0]}E{letters[1:3]}{date}{random.choice('HM')}DF{letters[3:]}0"
    alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    return body + str(-sum(alphabet.index(one) * (18 - place) for place, one in enumerate(body)) % 10)


def _cuil(random: Random) -> str:
    while True:
        body = random.choice(("20", "27")) + digits(random, 8)
        check = 11 - _weighted(body, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
        if check != 10:
            return f"{body[:2]}-{body[2:]}-{check % 11}"


def _rut(random: Random) -> str:
    body = str(random.randrange(5_000_000, 29_999_999))
    total = _weighted(body[::-1], [2 + place % 6 for place in range(len(body))])
    return f"{int(body):,}".replace(",", ".") + "-" + "0123456789K"[-total % 11]


def _ip(random: Random) -> str:
    return ".".join(str(part) for part in (random.randrange(77, 95), *(random.randrange(2, 254) for _ in range(3))))


def _mac(random: Random) -> str:
    return ":".join((random.choice(("3c", "f0", "a4")), *(f"{random.randrange(1, 255):02x}" for _ in range(5))))


def _birthday(random: Random) -> str:
    day, month, year = random.randrange(1, 28), random.randrange(6), random.randrange(1950, 2005)
    return random.choice(
        (f"{day} {_MONTHS[month]} {year}", f"{_MONTHS[month]} {day}, {year}", f"{day:02}/{month + 1:02}/{year}")
    )


PERSONAL: Mapping[str, Invention] = {
    "email": Invention(
        _email, ("You can write to {} for details.", "Please send it to {}.", "My address is {} if anything changes.")
    ),
    "email_in_words": Invention(_email_in_words, ("Write to {} for a copy.", "My address is {}, as always.")),
    "phone": Invention(
        _phone, ("You can reach me at {} after six.", "Call me on {} tomorrow.", "My phone number is {}.")
    ),
    "card": Invention(
        _card, ("I paid with the card {} last week.", "Charge it to {}, please.", "The card number is {}.")
    ),
    "iban": Invention(
        _iban, ("Please transfer the deposit to {}.", "My account is {}.", "The rent goes to {} monthly.")
    ),
    "spain_dni": Invention(_dni, ("My DNI is {}.", "The form was signed by the holder of {}.", "Identity card {}.")),
    "spain_social_security": Invention(
        _spain_social_security, ("My Spanish social security number is {}.", "Her affiliation number is {}.")
    ),
    "us_ssn": Invention(_ssn, ("My social security number is {}.", "SSN: {}.", "They asked for it, so I gave {}.")),
    "us_itin": Invention(_itin, ("My ITIN is {}.", "As a taxpayer he is registered under {}.")),
    "uk_nino": Invention(_nino, ("My National Insurance number is {}.", "The payslip shows {}.")),
    "france_insee": Invention(_insee, ("My French social security number is {}.", "The file is kept under {}.")),
    "germany_tax_id": Invention(_steuer_id, ("My German tax number is {}.", "The letter gives {} as my Steuer-ID.")),
    "italy_fiscal_code": Invention(_codice_fiscale, ("My codice fiscale is {}.", "The contract names {}.")),
    "portugal_nif": Invention(_nif, ("My NIF is {}.", "The receipt was issued to the NIF {}.")),
    "brazil_cpf": Invention(_cpf, ("My CPF is {}.", "The booking was made under {}.")),
    "mexico_curp": Invention(_curp, ("My CURP is {}.", "The certificate shows {}.")),
    "argentina_cuil": Invention(_cuil, ("My CUIL is {}.", "The invoice was made out to {}.")),
    "chile_rut": Invention(_rut, ("My RUT is {}.", "The lease was signed under {}.")),
    "ip_address": Invention(_ip, ("The visitor came from {}.", "I was logged in from {} at noon.")),
    "mac_address": Invention(_mac, ("The laptop's network card is {}.", "The device with {} was in the hall.")),
    "date_of_birth": Invention(_birthday, ("My date of birth is {}.", "I was born on {}.", "Date of birth: {}.")),
}
"""By the names of the default kinds of personal data."""


def _run(prefix: str, count: int, alphabet: str = string.ascii_letters + string.digits) -> Draw:
    return lambda random: prefix + "".join(random.choices(alphabet, k=count))


def _jwt(random: Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": digits(random, 10), "admin": True})
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join((*coded, _run("", 43)(random)))


def _private_key(random: Random) -> str:
    lines = "\n".join(_run("", 64)(random) for _ in range(8))
    return f"\n-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----\n"


def _password(random: Random) -> str:
    return random.choice(("Tiger", "Lemon", "Harbour", "Copper")) + digits(random, 4) + random.choice("!?#*")


def _url(random: Random) -> str:
    return f"postgres://{random.choice(_FIRST)}:{_password(random).replace('#', '!')}@db.northmill.org/orders"


_TOLD = ("Use {} to sign in.", "The job runs with {} at the moment.", "I left {} in the script.")
SECRETS: Mapping[str, Invention] = {
    "aws_key": Invention(_run("AKIA", 16, string.ascii_uppercase + string.digits), _TOLD),
    "google_key": Invention(_run("AIza", 35), _TOLD),
    "azure_key": Invention(lambda random: f"AccountKey={_run('', 86)(random)}==", _TOLD),
    "github_token": Invention(_run("ghp_", 36), _TOLD),
    "gitlab_token": Invention(_run("glpat-", 20), _TOLD),
    "slack_token": Invention(_run("xoxb-", 40), _TOLD),
    "stripe_key": Invention(_run("sk_live_", 24), _TOLD),
    "anthropic_key": Invention(_run("sk-ant-api03-", 90), _TOLD),
    "openai_key": Invention(_run("sk-", 48), _TOLD),
    "huggingface_token": Invention(_run("hf_", 34, string.ascii_letters), _TOLD),
    "npm_token": Invention(_run("npm_", 36), _TOLD),
    "pypi_token": Invention(_run("pypi-AgEIcHlwaS5vcmc", 120), _TOLD),
    "sendgrid_key": Invention(lambda random: f"SG.{_run('', 22)(random)}.{_run('', 43)(random)}", _TOLD),
    "telegram_token": Invention(lambda random: f"{digits(random, 10)}:AA{_run('', 33)(random)}", _TOLD),
    "jwt": Invention(_jwt, _TOLD),
    "private_key": Invention(_private_key, ("This is the key of the server: {}", "Save it as id_rsa: {}")),
    "url_password": Invention(_url, ("The service connects to {} by default.", "Point it at {} instead.")),
    "password": Invention(_password, ("The password is {}", "Log in as root with password: {}", "DB_PASSWORD={}")),
    "key": Invention(_run("", 32), ("api_key = {}", "The secret key is {}", "ACCESS_TOKEN={}")),
}
"""By the names of the rules for secrets."""
