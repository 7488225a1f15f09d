"""Which language each text is in, and the texts that are in one they should not be in.

A text is judged by its prose: code, addresses, tags and identifiers are left out first. What is too short, has no
letters or could be anything (a name, a number) is `und`, undetermined, as ISO 639-2 calls it, and never a fault.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.checks.flat_text import FlatText, ascii_mask
from atanor.data.checks.language_classifier import NO_LANGUAGE, LanguageClassifier, known_languages, load_classifier
from atanor.data.findings import Finding
from atanor.errors import ConfigurationError, Problem, shorten

UNDETERMINED = "und"
"""ISO 639-2 code of a text whose language cannot be told."""
RULE = "language"

_COMMON = """
ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko lt lv mk ml
mn mr ms my ne nl no pa pl pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi zh
"""
COMMON_LANGUAGES = tuple(_COMMON.split())
"""Languages a text may be told to be in. The rarer ones the model knows join only where they are expected: on short
texts they would win too often (Latin takes every list of names)."""

_ALIKE = (frozenset({"bs", "hr", "sr"}), frozenset({"id", "ms"}), frozenset({"da", "no"}))
"""Languages so near to each other that one is not wrong where another is expected."""

_SURE = 0.5
"""Least probability of a language that is told."""
_SURELY_WRONG = 0.6
"""Least probability of another language for a text to be wrong."""
_SURELY_NOT_EXPECTED = 0.1
"""Largest probability of all expected languages together for a text to be wrong."""
_EXPECTED_ODDS = 10.0
"""How many times likelier an expected language is before the text is read; it decides about names and short texts."""
_FEWEST_LETTER_BYTES = 3
_FEWEST_WORDS = 2
"""Least words in lower case for a text to be wrong: names and titles have few."""
_FEWEST_CASELESS_LETTERS = 4
"""Least letters of scripts without case (Chinese, Arabic, Thai …) for a text to be wrong."""

_LONGEST_READ = 1200
"""Characters from which the prose is taken; the classifier reads its first bytes."""
_MARKED = r"[`@_\\={}|$<>]|://|www\.|\(\)|::|\s--?\w|\s/\w|SELECT |INSERT INTO "
"""What code, addresses and tags have and prose has not."""
_NOT_PROSE = (
    r"```[\s\S]*?(?:```|\z)|`[^`\n]*`|\S+://\S+|www\.\S+|</?[A-Za-z][^<>\n]{0,200}>"
    r"|\S*[@_\\={}|$<>]\S*|\S*(?:\(\)|::)\S*|\B--?\w[\w-]*|(?:\s|^)[~.]?/\S*"
    r"|\b(?:SELECT|INSERT INTO)\b[^\n;]*"
)
_QUOTED = r"""\B['‘"“«„][^'’"”»“\n]{1,200}['’"”»“]\B|`[^`\n]*`"""
_LETTERS = ascii_mask("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", beyond=True)
_LATIN = ascii_mask("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_LATIN[0xC3:0xCE] = True
_OTHER_SCRIPT = ascii_mask("")
_OTHER_SCRIPT[[*range(0xCE, 0xE1), *range(0xE3, 0xEE)]] = True
"""First bytes in UTF-8 of Greek, Cyrillic, Hebrew, Arabic, the scripts of India and Thailand, kana, Han and Hangul."""
_OTHER_SCRIPTS = """
ar as be bg bn el fa gu he hi hy ja ka kk km kn ko ky lo mk ml mn mr my ne or pa ps ru sa si sr ta te tg th ug uk ur zh
"""
_NOT_LATIN = frozenset(_OTHER_SCRIPTS.split())
"""Languages that are not, or not always, written in Latin."""
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = re.compile(
    r"\b(?:the|of|and|to|a|an|is|are|was|were|be|it|its|this|that|these|you|your|my|we|he|she|they|his|her|their|have"
    r"|has|had|does|did|what|which|who|how|when|where|why|can|will|would|should)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Languages:
    """The language of each text.

    Attributes:
        codes: ISO 639-1 codes, or `und`, `[texts]`.
        confidence: how sure that is, from 0 to 1, `[texts]`; 0 for `und`.
    """

    codes: npt.NDArray[np.str_]
    confidence: npt.NDArray[np.float32]


def identify_languages(texts: pa.StringArray, expected: Sequence[str] = ()) -> Languages:
    """Tell the language of each text.

    Args:
        texts: the texts; a null counts as an empty one.
        expected: ISO 639-1 codes of languages the texts are likely in; they win where a text is short.

    Raises:
        ConfigurationError: the model does not know one of `expected`.
    """
    judged = _judge(texts, expected)
    names = np.array([*judged.classifier.languages, UNDETERMINED])
    best = judged.likely.argmax(axis=1)
    confidence = judged.likely.max(axis=1, initial=0)
    told = (confidence >= _SURE) & (names[best] != NO_LANGUAGE) & judged.has_letters
    return Languages(codes=names[np.where(told, best, -1)], confidence=np.where(told, confidence, np.float32(0)))


def find_wrong_language(texts: pa.StringArray, expected: Sequence[str]) -> list[Finding]:
    """Find texts that are surely in another language than the expected ones.

    Names, numbers, code, formulas and foreign words quoted inside a text are no fault.

    Args:
        texts: the texts; a null counts as an empty one.
        expected: ISO 639-1 codes of the languages a text may be in.

    Raises:
        ConfigurationError: `expected` is empty, or the model does not know one of it.
    """
    if not expected:
        raise ConfigurationError("no language is expected", [Problem("no language is named", field="languages")])
    judged = _judge(texts, expected)
    allowed = {*expected, *(name for alike in _ALIKE if alike & set(expected) for name in alike)}
    places = np.flatnonzero(_not_expected(judged, allowed))
    places = places[~_only_quotes(judged.prose.take(pa.array(places)), expected, allowed)]
    prose = judged.prose.take(pa.array(places))
    best = judged.likely.argmax(axis=1)[places]
    # Which of the languages in Cyrillic it is may be open, and still it is not English.
    foreign = _in_foreign_script(prose, allowed)
    sure = foreign | (judged.likely.max(axis=1, initial=0)[places] >= _SURELY_WRONG)
    names = judged.classifier.languages
    return [
        _finding(int(place), texts[int(place)].as_py(), names[best[at]], expected)
        for at, place in enumerate(places)
        if sure[at] and _is_running_text(prose[at].as_py(), names[best[at]], bool(foreign[at]))
    ]


@dataclass(frozen=True)
class _Judged:
    """What the classifier makes of texts: their prose, whether it has letters, and the odds of each language."""

    classifier: LanguageClassifier
    prose: pa.StringArray
    has_letters: npt.NDArray[np.bool_]
    likely: npt.NDArray[np.float32]


def _judge(texts: pa.StringArray, expected: Sequence[str]) -> _Judged:
    unknown = [name for name in expected if name not in COMMON_LANGUAGES and name not in known_languages()]
    if unknown:
        fix = "Write ISO 639-1 codes of two letters, as `en` or `es`"
        problem = Problem("is no language the identifier knows", field="languages", value=shorten(unknown[0]), fix=fix)
        raise ConfigurationError("an expected language is unknown", [problem])
    classifier = load_classifier(tuple(sorted({*COMMON_LANGUAGES, *expected})))
    prose = _prose(texts)
    flat = FlatText.of(prose)
    likely = classifier.probabilities(prose)
    if expected:
        likely[:, [classifier.languages.index(name) for name in sorted(set(expected))]] *= _EXPECTED_ODDS
        likely /= likely.sum(axis=1, keepdims=True)
    return _Judged(classifier, prose, flat.count(_LETTERS[flat.data]) >= _FEWEST_LETTER_BYTES, likely)


def _prose(texts: pa.StringArray) -> pa.StringArray:
    """The beginnings of texts, without what is no prose, as the model was trained: NFC, not all capitals."""
    prose = pc.utf8_slice_codeunits(pc.fill_null(texts, ""), 0, _LONGEST_READ)
    marked = pc.match_substring_regex(prose, _MARKED)
    bare = pc.replace_substring_regex(prose.filter(marked), _NOT_PROSE, " ")
    prose = pc.replace_with_mask(prose, marked, bare)
    if not pc.all(pc.string_is_ascii(prose)).as_py():
        prose = pc.utf8_normalize(prose, "NFC")
    shouted = pc.utf8_is_upper(prose)
    return pc.replace_with_mask(prose, shouted, pc.utf8_lower(prose.filter(shouted)))


def _not_expected(judged: _Judged, allowed: AbstractSet[str]) -> npt.NDArray[np.bool_]:
    """Which texts have letters and are hardly in one of the allowed languages, or in none."""
    names = judged.classifier.languages
    columns = [place for place, name in enumerate(names) if name in allowed]
    unlikely = judged.likely[:, columns].sum(axis=1) < _SURELY_NOT_EXPECTED
    found: npt.NDArray[np.bool_] = (
        unlikely & judged.has_letters & (judged.likely.argmax(axis=1) != names.index(NO_LANGUAGE))
    )
    return found


def _only_quotes(prose: pa.StringArray, expected: Sequence[str], allowed: AbstractSet[str]) -> npt.NDArray[np.bool_]:
    """Which texts are foreign only in what they quote: their own words are in an allowed language."""
    own = pc.replace_substring_regex(prose, _QUOTED, " ")
    quoting = ~pc.equal(own, prose).to_numpy(zero_copy_only=False)
    quoting &= pc.count_substring_regex(own, r"\pL{2,}").to_numpy() >= _FEWEST_WORDS
    found = np.zeros(len(prose), np.bool_)
    found[quoting] = ~_not_expected(_judge(own.filter(pa.array(quoting)), expected), allowed)
    return found


def _in_foreign_script(prose: pa.StringArray, allowed: AbstractSet[str]) -> npt.NDArray[np.bool_]:
    """Whether most letters are of other scripts than Latin, where every allowed language is written in Latin."""
    if allowed & _NOT_LATIN:
        return np.zeros(len(prose), np.bool_)
    flat = FlatText.of(prose)
    return flat.count(_OTHER_SCRIPT[flat.data]) > flat.count(_LATIN[flat.data])


def _is_running_text(prose: str, language: str, foreign: bool) -> bool:
    """Whether there are enough words that are no names, so that the language is the writer's and not the names'."""
    words = _WORD.findall(prose)
    lower = sum(1 for word in words if word[0].islower() and len(word) > 1)
    caseless = sum(len(word) for word in words if word[0].lower() == word[0].upper())
    enough = lower >= (1 if foreign else max(_FEWEST_WORDS, len(words) / 4)) or caseless >= _FEWEST_CASELESS_LETTERS
    # Code is written in English words too, but not in these.
    return enough and (language != "en" or _ENGLISH.search(prose) is not None)


def _finding(text: int, content: str, language: str, expected: Sequence[str]) -> Finding:
    return Finding(
        text=text,
        rule=f"{RULE}.{language}",
        start=0,
        end=len(content),
        shown=shorten(content),
        reason=f"the text is in {language}, expected {' or '.join(expected)}",
        fix="Remove or translate it, or name its language among the expected ones",
    )
