"""The words of a book: who is named in it, what things it is about, and in which language it is written.

Nothing is looked up: a name is a word that is written with a capital inside sentences, a thing is a word that follows
an article and ends its phrase, and what a passage is about are the things it has more of than the book
(term frequency by inverse document frequency; Sparck Jones 1972).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from atanor.data.corpora.blocks import BlockKind
from atanor.data.corpora.options import Language
from atanor.data.corpora.outline import Outline


@dataclass(frozen=True)
class Lexicon:
    """What a book as a whole tells about its words.

    Attributes:
        names: words that are names or parts of names.
        things: words that are things, each with the article it mostly has.
        spread: in how many paragraphs each word stands.
        paragraphs: how many there are.
    """

    names: frozenset[str]
    things: Mapping[str, str]
    spread: Mapping[str, int]
    paragraphs: int


def language_of(text: str) -> Language:
    """English or Spanish, by which language's small words the text has more of."""
    words = Counter(found[0].lower() for found in _WORD.finditer(text[:200_000]))
    english = sum(words[word] for word in _ENGLISH_ARTICLES | {"and", "of", "to", "was"})
    spanish = sum(words[word] for word in _SPANISH_ARTICLES | {"y", "de", "que", "en"})
    return Language.SPANISH if spanish > english else Language.ENGLISH


def lexicon_of(book: Outline, language: Language) -> Lexicon:
    """Read the book once and count."""
    small: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    articles: dict[str, Counter[str]] = {}
    spread: Counter[str] = Counter()
    phrase = _PHRASES[language]
    texts = [book.text[block.start : block.end] for block in book.blocks if block.kind is not BlockKind.HEADING]
    for text in texts:
        words = [found[0] for found in _WORD.finditer(text)]
        small.update(word for word in words if word.islower())
        spread.update({word for word in words if word.islower()})
        capital.update(found[1] for found in _CAPITAL_INSIDE.finditer(text))
        for found in phrase.finditer(text):
            articles.setdefault(found[2], Counter())[found[1].lower()] += 1
    names = frozenset(
        word for word, times in capital.items() if times >= 2 and small[word.lower()] <= times / 5 and len(word) > 2
    )
    things = {
        word: _article(counts, language)
        for word, counts in articles.items()
        if _is_thing(word, counts, language) and counts.total() >= 0.2 * small[word]
    }
    return Lexicon(names - _HONORIFICS - _PEOPLES, things, spread, max(1, len(texts)))


def names_in(text: str, lexicon: Lexicon, most: int) -> list[str]:
    """The people and places a passage names, the most frequent first; a short form counts for the long one."""
    counts: Counter[str] = Counter()
    for found in _NAME.finditer(text):
        name = " ".join(found[0].split()).removesuffix("’s").removesuffix("'s")
        words = [word for word in _WORD.findall(name) if word[0].isupper() and word not in _HONORIFICS]
        if words and all(word in lexicon.names for word in words):
            counts[name] += 1
    kept: list[str] = []
    for name, _ in sorted(counts.items(), key=lambda item: (-_weight(item[0], counts), -len(item[0]), item[0])):
        if not any(set(_core(name)) & set(_core(other)) for other in kept):
            kept.append(name)
    return kept[:most]


def things_in(text: str, lexicon: Lexicon, most: int) -> list[str]:
    """The things a passage is about more than the book is, each with its article."""
    counts = Counter(found[0] for found in _WORD.finditer(text) if found[0] in lexicon.things)

    def score(word: str) -> float:
        return counts[word] * math.log(lexicon.paragraphs / max(1, lexicon.spread.get(word, 1)))

    best = sorted(counts, key=lambda word: (-score(word), word))
    kept: list[str] = []
    for word in best:
        if not any(word[:5] == other[:5] for other in kept):
            kept.append(word)
    return [f"{lexicon.things[word]} {word}" for word in kept[:most]]


_WORD = re.compile(r"[^\W\d_]+(?:[’'](?=[^\W\d_]{2})[^\W\d_]+)?")
_CAPITAL_INSIDE = re.compile(r"(?<=[a-záéíóúñü,;]\s)([A-ZÁÉÍÓÚÑ][a-záéíóúñü]+)")
_ENGLISH_ARTICLES = {"the", "a", "an", "his", "her", "my", "your", "their", "our", "its"}
_SPANISH_ARTICLES = {"el", "la", "los", "las", "un", "una", "unos", "unas", "su", "sus", "mi", "mis", "del", "al"}
_SMALL_WORDS_WRITTEN = """
of and in to was is with that at for on from had which who as or but by he she it they we you i were are be
been have has when where if then than so not no all upon into would could should will may might must do did
said before after over under about up down out off there here this these those what how why while until very
more most much many some any such only other same each every own one two three whole last first little great
good well even now never ever too again once still yet nothing something anything everything present de y en
que a con por para como pero o u se lo le les ni si sin sobre entre hasta desde cuando donde es era fue son
eran había ha han está estaba ser estar más muy ya tan tanto todo toda todos todas otro otra otros otras mismo
misma mismos mismas este esta estos estas ese esa esos esas aquel aquella aquellos aquellas cual cuales quien
quienes cuya cuyo porque aunque mientras nada algo alguno alguna cada poco mucho mucha tal dijo dice uno dos
tres primer primera primero gran grande buen buena bien mal vez veces así también solo sólo mano part kind
sort way time thing manner parte modo manera cosa cosas punto caso rest least others second third half former
latter hecho efecto medio mesmo mesma
"""
_SMALL_WORDS = frozenset(_SMALL_WORDS_WRITTEN.split())
_FOLLOWING = "|".join(sorted(word for word in _SMALL_WORDS if len(word) < 6))
_PHRASES = {
    language: re.compile(
        rf"\b((?i:{'|'.join(sorted(articles))}))\s+([a-záéíóúñü]{{4,}})(?=[.,;:!?)»”]|\s+(?:{_FOLLOWING})\b)"
    )
    for language, articles in ((Language.ENGLISH, _ENGLISH_ARTICLES), (Language.SPANISH, _SPANISH_ARTICLES))
}
_PEOPLES_WRITTEN = """
English French Spanish Spaniard German Italian Irish Scotch Latin Greek Roman Christian Christians Jew Moor
Moors European American Heavens Providence Monday Tuesday Wednesday Thursday Friday Saturday Sunday January
February March April May June July August September October November December Christmas Easter
"""
_PEOPLES = frozenset(_PEOPLES_WRITTEN.split())
"""Words with a capital that are no names of people or places."""
_DEFINITE = {"un": "el", "del": "el", "al": "el", "una": "la", "unos": "los", "unas": "las"}
_DEFINITE |= {article: article for article in ("el", "la", "los", "las")}
_VERBAL = re.compile(r"(?:[aeií]r(?:l[aeo]s?|se|me|te|nos)|[aeií]ndol?[aeo]?s?)$")
_HONORIFICS_WRITTEN = """
Mr Mrs Ms Miss Sir Lady Lord Madam Madame Monsieur Mademoiselle Doctor Dr Colonel Captain Don Doña Señor
Señora Señorita Sr Sra Señores Santa San Saint St King Queen Prince Princess Count Duke Duchess Duque Duquesa
Conde Marqués Usted Ustedes Vuestra Merced Majestad Excelencia Señoría Gentlemen Gentleman Dios God Heaven
"""
_HONORIFICS = frozenset(_HONORIFICS_WRITTEN.split())
_HONORIFIC = "|".join(sorted(_HONORIFICS - {"Dios", "God", "Heaven", "Usted", "Ustedes"}, key=len, reverse=True))
_NAME_WORD = r"[A-ZÁÉÍÓÚÑ][a-záéíóúñü]+(?:[-’'][A-Z][a-z]+)?"
_NAME = re.compile(
    rf"\b(?:(?:{_HONORIFIC}|don|doña)\.?\s+)*{_NAME_WORD}(?:\s+(?:(?:of|de|del|la|los|las|von)\s+){{0,2}}{_NAME_WORD})*"
)


def _is_thing(word: str, counts: Counter[str], language: Language) -> bool:
    """Whether a word that follows articles is a noun; in Spanish `la` and `los` also stand before verbs."""
    if counts.total() < 2 or word in _SMALL_WORDS:
        return False
    if language is not Language.SPANISH:
        return True
    if not any(article in _DEFINITE for article in counts):
        return False
    sure = sum(times for article, times in counts.items() if article not in {"la", "los", "las", "al"})
    return sure >= (2 if word.endswith("r") else 1) and sure >= 0.1 * counts.total() and not _VERBAL.search(word)


def _article(counts: Counter[str], language: Language) -> str:
    """The definite article a word has: the Spanish ones tell gender and number, English has one."""
    if language is not Language.SPANISH:
        return "the"
    seen: Counter[str] = Counter()
    for article, times in counts.items():
        seen[_DEFINITE.get(article, "")] += times
    del seen[""]
    return max(sorted(seen), key=lambda article: seen[article])


def _core(name: str) -> list[str]:
    return [word for word in _WORD.findall(name) if word[0].isupper() and word not in _HONORIFICS]


def _weight(name: str, counts: Mapping[str, int]) -> int:
    """How often a person is named, in whatever form."""
    core = set(_core(name))
    return sum(times for other, times in counts.items() if set(_core(other)) & core)
