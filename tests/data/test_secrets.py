"""Secrets are found in the forms their issuers document, placeholders are not, and nothing prints them."""

from __future__ import annotations

import base64
import json
import os
import random
import string
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data.checks import find_secrets, mask
from atanor.data.checks.scanning import scan
from atanor.data.checks.secrets import _RULES, entropy

DATA = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[2] / "../shared/data"))
BASE62 = string.ascii_letters + string.digits
BASE64URL = BASE62 + "-_"


def some(rng: random.Random, count: int, alphabet: str = BASE62) -> str:
    # The last place is no hyphen: a sentence would end before it.
    return "".join(rng.choices(alphabet, k=count - 1)) + rng.choice(alphabet.rstrip("-_"))


def jwt(rng: random.Random) -> str:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()).decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps({"sub": some(rng, 12)}).encode()).decode().rstrip("=")
    return f"{header}.{body}.{some(rng, 43, BASE64URL)}"


def private_key(rng: random.Random) -> str:
    kind = rng.choice(["RSA ", "", "EC ", "OPENSSH "])
    body = "\n".join(some(rng, 64) for _ in range(4))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"


# Made here, so that no file of this repository holds a whole token.
MAKERS: dict[str, Callable[[random.Random], str]] = {
    "aws_key": lambda rng: "AKI" + "A" + some(rng, 16, string.ascii_uppercase + "234567"),
    "google_key": lambda rng: "AI" + "za" + some(rng, 35, BASE64URL),
    "azure_key": lambda rng: "Account" + "Key=" + some(rng, 86) + "==",
    "github_token": lambda rng: rng.choice(["ghp_" + some(rng, 36), f"github_pat_{some(rng, 22)}_{some(rng, 59)}"]),
    "gitlab_token": lambda rng: "glpat-" + some(rng, 20, BASE64URL),
    "slack_token": lambda rng: f"xoxb-{rng.randrange(10**11, 10**12)}-{rng.randrange(10**11, 10**12)}-{some(rng, 24)}",
    "stripe_key": lambda rng: "sk_" + "live_" + some(rng, 24),
    "anthropic_key": lambda rng: "sk-ant-" + "api03-" + some(rng, 95, BASE64URL),
    "openai_key": lambda rng: rng.choice(
        ["sk-" + some(rng, 48), "sk-proj-" + some(rng, 74, BASE64URL) + "T3Blbk" + "FJ" + some(rng, 74, BASE64URL)]
    ),
    "huggingface_token": lambda rng: "hf_" + some(rng, 34),
    "npm_token": lambda rng: "npm_" + some(rng, 36),
    "pypi_token": lambda rng: "pypi-" + "AgEIcHlwaS5vcmc" + some(rng, 120, BASE64URL),
    "sendgrid_key": lambda rng: f"SG.{some(rng, 22, BASE64URL)}.{some(rng, 43, BASE64URL)}",
    "telegram_token": lambda rng: f"{rng.randrange(10**8, 10**9)}:AA{some(rng, 33, BASE64URL)}",
    "private_key": private_key,
    "jwt": jwt,
    "url_password": lambda rng: some(rng, 12),
    "password": lambda rng: (
        some(rng, 5, string.ascii_letters) + rng.choice("!#-_.7") + some(rng, 4, string.digits + "z")
    ),
    "key": lambda rng: rng.choice([some(rng, 32, "0123456789abcdef"), some(rng, 40), some(rng, 24)]),
}
FRAMES = {
    "url_password": [
        "postgres://admin:{}@db.corp.net/app",
        "clone https://bot:{}@git.corp.net/a.git",
        "redis://:{}@h:6379",
    ],
    "password": ["password = '{}'", '{{"password": "{}"}}', "DB_PASSWORD={}", "contraseña: {}", "my password is {} ok"],
    "key": ["api_key = '{}'", 'SECRET_KEY="{}"', "auth_token: {}", "x-api-key: {}", '{{"client_secret": "{}"}}'],
}
OTHER_FRAMES = ["{}", "Use this: {} and go.", 'token = "{}"', "La clave es {}.", "export KEY={}\n", "<{}>"]

NO_SECRETS = [
    "password = 'YOUR_PASSWORD'",
    "api_key: YOUR_API_KEY_HERE_1234567890",
    "api_key = 'xxxxxxxxxxxxxxxxxxxxxxx'",
    "password: changeme",
    "password: changeme123",
    "token=<token>",
    "token = '{{ github_token }}'",
    "secret_key = os.environ['SECRET_KEY_2']",
    "password=getpass.getpass()",
    "password = settings.db2.password1",
    "password: str, token: Optional[str] = None",
    "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased-2019')",
    "max_tokens: 20482048204820482048",
    "Password: the word that opens the door. Token: a small thing.",
    "La clave: estudiar mucho, y la contraseña es secreta",
    "The secret is perseverance and the password is required.",
    "AKIAIOSFODNN7EXAMPLE",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "ghp_" + "x" * 36,
    "hf_" + "a" * 34,
    "https://user:password@example.com and https://user:pass@host.com",
    "postgres://postgres:postgres@localhost/db, mysql://root:${ROOT}@db, http://a:<b>@c",
    "http://example.com:8080/a@b and ftp://host:21/x",
    "A file starts with -----BEGIN RSA PRIVATE KEY----- and ends with -----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "-----BEGIN PUBLIC KEY-----\n" + "MIIBIjANBgkqhkiG9w0BAQEFAAOC" * 3 + "\n-----END PUBLIC KEY-----",
    "eyJub3QiOiJqd3QifQ.eyJub3QiOiJqd3QifQ.c2lnbmF0dXJlLW9mLW5vdGhpbmc",
    "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "550e8400-e29b-41d4-a716-446655440000",
    "risk-management-of-the-whole-organisation-in-the-year-2024-and-after",
    "access_key_id = Column(String(128)); private_key: path/to/key_2024.pem",
    "The password is: at least 8 characters",
    "passwd: /etc/passwd2, pwd=/home/user1/project",
]


def test_every_rule_has_a_recall_and_precision_of_at_least_95_percent() -> None:
    rng = random.Random(8)
    planted = [
        (frame.format(made), made, rule)
        for rule, make in MAKERS.items()
        for frame in FRAMES.get(rule, OTHER_FRAMES)
        for made in (make(rng) for _ in range(20))
    ]
    texts = [text for text, _, _ in planted]
    found = [(one.text, one.rule, texts[one.text][one.start : one.end]) for one in find_secrets(pa.array(texts))]
    for rule in MAKERS:
        wanted = {(index, f"secrets.{rule}", made) for index, (_, made, name) in enumerate(planted) if name == rule}
        here = {place for place in found if place[1] == f"secrets.{rule}"}
        assert len(wanted & here) >= 0.95 * len(wanted), (rule, sorted(wanted - here)[:3])
        assert len(wanted & here) >= 0.95 * len(here), (rule, sorted(here - wanted)[:3])


@pytest.mark.parametrize("text", NO_SECRETS)
def test_placeholders_code_and_prose_are_no_secrets(text: str) -> None:
    assert [text[one.start : one.end] for one in find_secrets(pa.array([text]))] == []


def test_a_finding_shows_four_characters_and_masks_the_rest() -> None:
    text = "password = 'Tr0ub4dor&3x'"
    text = text.replace("&", "_")
    (found,) = find_secrets(pa.array([None, text]))
    assert (found.text, found.rule, found.shown) == (1, "secrets.password", "Tr0u…")
    assert found.reason == "the text holds a password"
    assert found.fix == "Revoke it where it was issued, then mask it or leave the row out"
    assert mask(text, [found]) == "password = '[secret]'"


@given(st.sampled_from(sorted(MAKERS)), st.integers(0, 100))
def test_no_finding_prints_more_than_four_characters(rule: str, seed: int) -> None:
    made = MAKERS[rule](random.Random(seed))
    text = FRAMES.get(rule, OTHER_FRAMES)[0].format(made)
    assert all(len(one.shown.rstrip("…")) <= 4 for one in find_secrets(pa.array([text])))


PIECES = st.one_of(
    st.text(max_size=10),
    st.text("aA1_-=:.@/'\" ", max_size=20),
    st.sampled_from(
        ["password=", "api_key: ", "token is ", "://u:", "@h", "[secret]", "-----BEGIN PRIVATE KEY-----", "eyJ"]
    ),
    st.builds(lambda rule, seed: MAKERS[rule](random.Random(seed)), st.sampled_from(sorted(MAKERS)), st.integers(0, 9)),
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)


@given(TEXTS)
def test_places_are_inside_their_text_and_a_mask_is_the_end_of_it(text: str) -> None:
    found = find_secrets(pa.array([text]))
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
    assert find_secrets(pa.array([mask(text, found)])) == []
    assert found == scan(pa.array([text]), [replace(rule, prefilter="") for rule in _RULES])


def test_long_runs_take_linear_time() -> None:
    runs = ["password" * 8_000, "token_" * 8_000, "a:" * 30_000, "-----BEGIN PRIVATE KEY-----" * 2_000, "eyJ" * 20_000]
    assert find_secrets(pa.array([*runs, "x://" * 15_000, "sk-" * 20_000, "eyJaaaaaaaaaa." * 4_000])) == []


def test_entropy_is_in_bits_a_character() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abcd") == pytest.approx(2)


def test_real_questions_and_answers_hold_no_secrets() -> None:
    file = DATA / "dolly_open_qa" / "train.jsonl"
    if not file.exists():
        pytest.skip(f"no real data at {DATA}: set ATANOR_DATA")
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert find_secrets(pa.array([text for row in rows for text in (row["instruction"], row["response"])])) == []
