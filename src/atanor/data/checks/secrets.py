"""Find secrets: keys and tokens by the forms their issuers document, private keys, and passwords in URLs and settings.

A placeholder (`YOUR_API_KEY`, `xxxx`, `changeme`, `<token>`, `${TOKEN}`) and code that fetches a secret
(`os.environ["KEY"]`) are none.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from atanor.data.checks.scanning import Places, Rule, Span, scan
from atanor.data.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

_FIX: Final = "Revoke it where it was issued, then mask it or leave the row out"

LEAST_ENTROPY_KEY: Final = 3.0
"""Bits a character that the value of a `key` or `token` setting needs; a random hexadecimal one has more than 3.3."""

LEAST_ENTROPY_PASSWORD: Final = 2.2
"""Bits a character that the value of a `password` setting needs: `aaaa1111` has 1."""

_TOKENS: Final = (
    ("aws_key", r"A[KSBC][IC]A[A-Z0-9]{16}", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}", "an AWS access key id"),
    (
        "google_key",
        r"AIza[0-9A-Za-z_-]{35}|GOCSPX-|ya29\.",
        r"AIza[0-9A-Za-z_-]{35}|GOCSPX-[0-9A-Za-z_-]{28}|ya29\.[0-9A-Za-z_-]{40,400}",
        "a Google key or token",
    ),
    (
        "azure_key",
        r"AccountKey=|SharedAccessKey=|[0-9]Q~[A-Za-z0-9_~.-]{31}",
        r"AccountKey=[A-Za-z0-9+/]{86}==|SharedAccessKey=[A-Za-z0-9+/]{43}="
        r"|[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
        "an Azure key",
    ),
    (
        "github_token",
        r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_",
        r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        "a GitHub token",
    ),
    (
        "gitlab_token",
        r"gl[a-z]{2,5}-[A-Za-z0-9_-]{20}",
        r"gl(?:pat|ptt|dt|rt|ft|oas|cbt|agent|soat|imt)-[A-Za-z0-9_-]{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?",
        "a GitLab token",
    ),
    (
        "slack_token",
        r"xox[a-z]-|xapp-[0-9]|hooks\.slack\.com/services/T",
        r"xox[abeoprs]-[0-9A-Za-z-]{20,250}|xapp-[0-9]-[0-9A-Za-z-]{20,250}"
        r"|hooks\.slack\.com/services/T[0-9A-Z]{8,12}/B[0-9A-Z]{8,12}/[0-9A-Za-z]{20,30}",
        "a Slack token",
    ),
    (
        "stripe_key",
        r"[sr]k_(?:live|test)_|whsec_",
        r"[sr]k_(?:live|test)_[0-9A-Za-z]{16,250}|whsec_[0-9A-Za-z+/]{32,64}",
        "a Stripe key",
    ),
    ("anthropic_key", r"sk-ant-", r"sk-ant-[a-z0-9]{3,10}-[A-Za-z0-9_-]{60,120}", "an Anthropic key"),
    (
        "openai_key",
        r"sk-[A-Za-z0-9_-]{32}",
        r"sk-(?:[a-z]{4,10}-)?[A-Za-z0-9_-]{20,100}T3BlbkFJ[A-Za-z0-9_-]{20,100}|sk-(?:proj-)?[A-Za-z0-9]{32,64}",
        "an OpenAI key",
    ),
    (
        "huggingface_token",
        r"(?:hf|api_org)_[A-Za-z0-9]{34}",
        r"(?:hf|api_org)_[A-Za-z0-9]{34}",
        "a Hugging Face token",
    ),
    ("npm_token", r"npm_[A-Za-z0-9]{36}", r"npm_[A-Za-z0-9]{36}", "an npm token"),
    ("pypi_token", r"pypi-AgE", r"pypi-AgE[A-Za-z0-9_-]{50,300}", "a PyPI token"),
    (
        "sendgrid_key",
        r"SG\.[A-Za-z0-9_-]{22}\.",
        r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
        "a SendGrid key",
    ),
    (
        "telegram_token",
        r"[0-9]{8}:AA[A-Za-z0-9_-]{33}",
        r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
        "a Telegram bot token",
    ),
)
"""Name of the rule, its prefilter (RE2), the form its issuer documents, and what it is."""

_TOKEN_PLACEHOLDER = re.compile(
    r"example|placeholder|your|x{4}|\*{3}|\.{3}|0{6}|1234567|abcdefg|changeme|redacted|([A-Za-z0-9])\1{5}",
    re.IGNORECASE,
)

_PRIVATE_KEY_NAME = r"(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
_PRIVATE_KEY = re.compile(
    rf"-----BEGIN {_PRIVATE_KEY_NAME}"
    rf"(?:(?P<body>(?:(?!-----BEGIN)[\s\S]){{40,20000}}?)-----END {_PRIVATE_KEY_NAME}|[A-Za-z0-9+/=\s\\]{{40,20000}})"
)
_KEY_LETTERS = re.compile(r"[A-Za-z0-9+/]{40}")

_JWT = re.compile(r"(?<![A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{16,1000}")

_URL_FORM = r"://[^\s:/@]{0,64}:[^\s/@]{1,100}@"
_URL = re.compile(
    r"""(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,15}://(?P<user>[^\s:/@"'<>]{0,64})
        :(?P<value>[^\s/@"'<>{}$\[\]]{1,100})@[A-Za-z0-9]""",
    re.VERBOSE,
)

_PASSWORD_NAMES = r"password|passwd|passphrase|pwd|contrase[nñ]a|clave"
_KEY_NAMES = (
    r"secret(?:[_ -]?key)?|token|credentials?|"
    r"(?:api|access|private|account|auth|encryption|signing|subscription|shared)[_ -]?key"
)
_SETTING_TAIL = r"(?:[_-][A-Za-z0-9_-]{1,30})?[\"'`]?[ \t]{0,3}"
_PASSWORD_FORM = rf"(?i)(?:{_PASSWORD_NAMES}){_SETTING_TAIL}(?:[=:]|(?:is|es)[ \t:])"
_KEY_FORM = rf"(?i)(?:{_KEY_NAMES}){_SETTING_TAIL}(?:[=:]|(?:is|es)[ \t:])"
_EQUALS = r"(?:=>|:=|==?|:|(?:is|es):?(?=[ \t]))[ \t]{0,3}"
_PASSWORD = re.compile(
    rf"""(?:{_PASSWORD_NAMES}){_SETTING_TAIL}{_EQUALS}["'`]?"""
    r"""(?P<value>[^\s"'`,;<>(){}\[\]$%&]{6,100}+)(?![(\[{<$%])""",
    re.IGNORECASE,
)
_KEY = re.compile(
    rf"""(?:{_KEY_NAMES}){_SETTING_TAIL}{_EQUALS}["'`]?(?:Bearer[ ])?"""
    r"(?P<value>[A-Za-z0-9_+/=.~-]{16,500}+)(?![(\[{<$%@:])",
    re.IGNORECASE,
)
_SETTING_PLACEHOLDER = re.compile(
    r"""example|placeholder|change.?(?:me|it|this)|your|insert|replace|redacted|dummy|sample|fake|todo|foo|bar(?![a-z])
        |secret|pass(?:word|wd|phrase)|contrase|clave|token|api.?key|my[_-]|null|none|undefined|required|optional|x{4}|\*{3}|\.{3}|0{6}
        |12345|abcd|qwerty|(.)\1{4}|^test|^admin""",
    re.IGNORECASE | re.VERBOSE,
)
_CODE = re.compile(
    r"[A-Za-z_]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)+|[A-Za-z_]+|\w+://.*|[0-9.,:/-]+|[.~]{0,2}/.*"
    r"|[\w./-]+\.(?:pem|key|crt|txt|json|ya?ml|toml|env|py|js)"
)
"""An identifier, a path, an address, a bare number: what stands where a secret would, and is none."""


def find_secrets(texts: pa.StringArray) -> list[Finding]:
    """Every secret, in the order of texts and places; at most its first four characters are shown.

    Masking what was found leaves nothing to be found.

    Args:
        texts: any number of texts; a null has no findings.
    """
    return scan(texts, _RULES)


def _tokens(form: str) -> Places:
    pattern = re.compile(rf"(?<![A-Za-z0-9_])(?:{form})(?![A-Za-z0-9_])")

    def places(text: str) -> Iterator[Span]:
        for match in pattern.finditer(text):
            if _TOKEN_PLACEHOLDER.search(match[0]) is None and entropy(match[0]) >= LEAST_ENTROPY_KEY:
                yield match.span()

    return places


def _private_keys(text: str) -> Iterator[Span]:
    for match in _PRIVATE_KEY.finditer(text):
        # A header in a sentence, or with `...` for the key, gives nothing away.
        if _KEY_LETTERS.search(match["body"] or match[0]) is not None:
            yield match.span()


def _jwts(text: str) -> Iterator[Span]:
    for match in _JWT.finditer(text):
        header = match[0].split(".")[0]
        try:
            decoded = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
        except (binascii.Error, ValueError, RecursionError):
            continue
        if isinstance(decoded, dict) and "alg" in decoded:
            yield match.span()


def _url_passwords(text: str) -> Iterator[Span]:
    for match in _URL.finditer(text):
        value = match["value"]
        if value != match["user"] and value.lower() != "pass" and _SETTING_PLACEHOLDER.search(value) is None:
            yield match.span("value")


def _settings(pattern: re.Pattern[str], least_entropy: float) -> Places:
    def places(text: str) -> Iterator[Span]:
        for match in pattern.finditer(text):
            value = match["value"].rstrip(".!?:")
            mixed = any(one.isalpha() for one in value) and any(not one.isalpha() for one in value)
            if mixed and entropy(value) >= least_entropy and _is_literal(value):
                yield match.start("value"), match.start("value") + len(value)

    return places


def _is_literal(value: str) -> bool:
    """Whether a value is written out, not a placeholder and not code that fetches it."""
    return _SETTING_PLACEHOLDER.search(value) is None and _CODE.fullmatch(value) is None


def entropy(value: str) -> float:
    """Shannon entropy of the characters of a text, in bits a character."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())


def _rule(name: str, form: str, places: Places, what: str) -> Rule:
    return Rule(f"secrets.{name}", form, places, f"the text holds {what}", _FIX, "[secret]")


_RULES: Final = (
    _rule("private_key", "-----BEGIN [A-Z0-9 ]*PRIVATE KEY", _private_keys, "a private key"),
    *(_rule(name, prefilter, _tokens(form), what) for name, prefilter, form, what in _TOKENS),
    _rule("jwt", r"eyJ[A-Za-z0-9_-]{10}", _jwts, "a JSON Web Token"),
    _rule("url_password", _URL_FORM, _url_passwords, "a URL with a password"),
    _rule("password", _PASSWORD_FORM, _settings(_PASSWORD, LEAST_ENTROPY_PASSWORD), "a password"),
    _rule("key", _KEY_FORM, _settings(_KEY, LEAST_ENTROPY_KEY), "a key or token"),
)
"""In the order in which overlapping places are given away."""
