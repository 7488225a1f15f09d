"""Spanish synonyms from the tab files of Open Multilingual Wordnet (Bond and Paik 2012).

A line is `00001740-n<TAB>spa:lemma<TAB>entidad`. The files tell neither how frequent a meaning is nor the gender of a
noun, so only words with few meanings are replaced, and only where the article and the ending still agree.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atanor.data.words.vocabulary import FUNCTION_WORDS
from atanor.errors import DataError, Problem

_MOST_MEANINGS = 2
"""A word with more meanings is not replaced: nothing says which one is meant."""
_FILE = "wn-data-spa.tab"
_INFINITIVES = ("ar", "er", "ir")
_FEMININE = ("a", "ción", "sión", "dad", "tad")


@dataclass(frozen=True)
class SpanishThesaurus:
    """A `Thesaurus` from synsets.

    Attributes:
        meanings: for each word and part of speech (`n`, `v`, `a`, `r`) its synsets.
        words: the words of each synset.
    """

    meanings: dict[tuple[str, str], tuple[str, ...]]
    words: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, path: Path) -> SpanishThesaurus:
        """Read a tab file.

        Raises:
            DataError: it is not there or has no Spanish words.
        """
        words: defaultdict[str, list[str]] = defaultdict(list)
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            raise _unusable(f"it cannot be read: {error.strerror}", path) from error
        for line in lines:
            fields = line.split("\t")
            if len(fields) == 3 and fields[1] in ("spa:lemma", "lemma") and not line.startswith("#"):
                words[fields[0].replace("-s", "-a")].append(fields[2].strip().replace("_", " "))
        if not words:
            raise _unusable("it has no line with `spa:lemma`", path)
        meanings: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for synset, names in words.items():
            for name in dict.fromkeys(names):
                meanings[name.lower(), synset[-1]].append(synset)
        return cls(
            {key: tuple(found) for key, found in meanings.items()},
            {synset: tuple(dict.fromkeys(names)) for synset, names in words.items()},
        )

    def synonyms(self, words: Sequence[str], index: int) -> tuple[str, ...]:
        """See `Thesaurus.synonyms`."""
        word = words[index].lower()
        if word in FUNCTION_WORDS["es"] or len(word) < 4:
            return ()
        found = [
            other + plural
            for base, plural in _bases(word)
            for part in "nvar"
            for synset in self._few(base, part)
            for other in self.words[synset]
            if other != base and _agrees(base, other, part, plural)
        ]
        return tuple(dict.fromkeys(found))

    def _few(self, base: str, part: str) -> tuple[str, ...]:
        found = self.meanings.get((base, part), ())
        other_parts = sum(len(self.meanings.get((base, other), ())) for other in "nvar" if other != part)
        return found if len(found) + other_parts <= _MOST_MEANINGS else ()


def find_spanish(given: Path | None) -> Path | None:
    """The tab file at the given place (a file, or an NLTK data folder), else one that NLTK_DATA leads to, or None."""
    if given is not None and (given.suffix == ".tab" or given.is_file()):
        return given
    folders = [given] if given else [Path(part) for part in os.environ.get("NLTK_DATA", "").split(os.pathsep) if part]
    for folder in folders:
        for corpus in ("omw", "omw-1.4"):
            path = folder / "corpora" / corpus / "spa" / _FILE
            if path.is_file():
                return path
    if given is not None:
        raise _unusable(f"there is no {_FILE} below it", given)
    return None


def _bases(word: str) -> list[tuple[str, str]]:
    """The word itself and, of a plural in -s after a vowel, its singular with what makes it plural."""
    bases = [(word, "")]
    if word.endswith("s") and word[-2:-1] in "aeo":
        bases.append((word[:-1], "s"))
    return bases


def _agrees(base: str, other: str, part: str, plural: str) -> bool:
    """Whether article, plural and ending fit the other word as they fitted the one it replaces."""
    if not other.replace(" ", "").isalpha() or other != other.lower() or " " in other:
        return False
    if part == "r":
        return not plural
    if part == "v":
        return not plural and base.endswith(_INFINITIVES) and other.endswith(_INFINITIVES)
    if plural and other[-1] not in "aeo":
        return False
    if base[-1] not in "ao" and not base.endswith(_FEMININE):
        return False
    same = base.endswith(_FEMININE) == other.endswith(_FEMININE)
    return same and (other[-1] == base[-1] or (base.endswith(_FEMININE) and other.endswith(_FEMININE)))


def _unusable(reason: str, path: Path) -> DataError:
    fix = "Give the file wn-data-spa.tab of Open Multilingual Wordnet (NLTK: `nltk.download('omw-1.4')`)"
    return DataError(
        "the Spanish wordnet cannot be used",
        [Problem(reason, field="augment.spanish_wordnet", value=str(path), fix=fix)],
    )
