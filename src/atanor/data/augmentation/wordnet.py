"""Princeton WordNet 3 read from its own files: `index.*`, `data.*`, `*.exc` and `cntlist.rev` (manual page wndb(5WN)).

Debian's `wordnet-base` has them in /usr/share/wordnet; an NLTK copy has the same files in `corpora/wordnet`.
Fellbaum (ed.) 1998, WordNet: An Electronic Lexical Database.
"""

from __future__ import annotations

import os
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path

from atanor.errors import DataError, Problem

SYSTEM_FOLDER = Path("/usr/share/wordnet")


class PartOfSpeech(StrEnum):
    """The four parts of speech of WordNet, named as its files are."""

    NOUN = "noun"
    VERB = "verb"
    ADJECTIVE = "adj"
    ADVERB = "adv"


_ENDINGS = {
    PartOfSpeech.NOUN: (
        ("s", ""),
        ("ses", "s"),
        ("xes", "x"),
        ("zes", "z"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("men", "man"),
        ("ies", "y"),
    ),
    PartOfSpeech.VERB: (
        ("s", ""),
        ("ies", "y"),
        ("es", "e"),
        ("es", ""),
        ("ed", "e"),
        ("ed", ""),
        ("ing", "e"),
        ("ing", ""),
    ),
    PartOfSpeech.ADJECTIVE: (("er", ""), ("est", ""), ("er", "e"), ("est", "e"), ("ier", "y"), ("iest", "y")),
    PartOfSpeech.ADVERB: (),
}
"""Endings and what stands in their place in the base form (manual page morphy(7WN)), and `-ier`, `-iest` besides."""


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a word.

    Attributes:
        words: the words that share it, underscores as spaces, in WordNet's order.
        counts: how often each of them had this meaning in the sense-tagged texts.
    """

    words: tuple[str, ...]
    counts: tuple[int, ...]

    def count_of(self, word: str) -> int:
        """How often `word` had this meaning in the sense-tagged texts."""
        return next((count for name, count in zip(self.words, self.counts, strict=True) if name.lower() == word), 0)


class WordNet:
    """The senses of English words, most frequent first. Files are read when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: the folder with `index.noun`, or NLTK's `wordnet.zip`.

        Raises:
            DataError: the files are not there.
        """
        self._archive = zipfile.ZipFile(folder) if folder.suffix == ".zip" and folder.is_file() else None
        self._folder = folder
        missing = [name for name in ("index.noun", "data.noun", "noun.exc") if not self._has(name)]
        if missing:
            raise absent(f"{folder} has no {missing[0]}", str(folder))

    @classmethod
    def find(cls, given: Path | None) -> WordNet:
        """The WordNet at the given place, else an NLTK copy NLTK_DATA names, else Debian's, else a user's NLTK copy.

        Raises:
            DataError: there is none; the fix says what to install.
        """
        if given is not None:
            inner = given / "corpora" / "wordnet"
            return cls(inner if inner.is_dir() else given)
        for place in (*_nltk_places(os.environ.get("NLTK_DATA", "")), SYSTEM_FOLDER, *_nltk_places(_USUAL_NLTK)):
            if place.suffix == ".zip" or (place / "index.noun").is_file():
                return cls(place)
        raise absent("WordNet is not on this machine", None)

    def senses(self, lemma: str, part: PartOfSpeech) -> tuple[Sense, ...]:
        """The meanings of a base form as this part of speech, most frequent first; none for an unknown word."""
        return _senses(self, lemma.lower().replace(" ", "_"), part)

    def knows(self, lemma: str, part: PartOfSpeech) -> bool:
        """Whether the base form (spaces or underscores) has an entry as this part of speech."""
        return lemma.lower().replace(" ", "_") in self._index[part]

    def lemmas(self, form: str, part: PartOfSpeech) -> tuple[str, ...]:
        """The base forms a word can be an inflection of, itself included; only those that have an entry."""
        form = form.lower()
        if form in self._exceptions[part]:
            found = list(self._exceptions[part][form])
        else:
            found = [form[: -len(old)] + new for old, new in _ENDINGS[part] if form.endswith(old) and len(form) > 3]
        return tuple(dict.fromkeys(lemma for lemma in (form, *found) if self.knows(lemma, part)))

    def irregular_forms(self, lemma: str, part: PartOfSpeech) -> tuple[str, ...]:
        """The inflected forms of a base form that the exception lists name."""
        return self._irregular[part].get(lemma, ())

    @cached_property
    def _index(self) -> dict[PartOfSpeech, dict[str, str]]:
        return {
            part: {
                line.split(" ", 1)[0]: line
                for line in self._lines(f"index.{part}")
                if line and not line.startswith(" ")
            }
            for part in PartOfSpeech
        }

    @cached_property
    def _data(self) -> dict[PartOfSpeech, bytes]:
        return {part: self._read(f"data.{part}") for part in PartOfSpeech}

    @cached_property
    def _counts(self) -> dict[str, int]:
        """Tag counts by the sense key up to the lexical id; the head word of satellite adjectives is left out."""
        if not self._has("cntlist.rev"):
            return {}
        counts: dict[str, int] = {}
        for line in self._lines("cntlist.rev"):
            key, _, count = line.split(" ") if line.count(" ") == 2 else ("", "", "0")
            stem = ":".join(key.split(":")[:3])
            counts[stem] = counts.get(stem, 0) + int(count)
        return counts

    @cached_property
    def _exceptions(self) -> dict[PartOfSpeech, dict[str, tuple[str, ...]]]:
        lists = {}
        for part in PartOfSpeech:
            fields = (line.split() for line in self._lines(f"{part}.exc"))
            lists[part] = {words[0]: tuple(words[1:]) for words in fields if len(words) > 1}
        return lists

    @cached_property
    def _irregular(self) -> dict[PartOfSpeech, dict[str, tuple[str, ...]]]:
        inverse: dict[PartOfSpeech, dict[str, tuple[str, ...]]] = {}
        for part, forms in self._exceptions.items():
            gathered: defaultdict[str, list[str]] = defaultdict(list)
            for form, lemmas in forms.items():
                for lemma in lemmas:
                    gathered[lemma].append(form)
            inverse[part] = {lemma: tuple(found) for lemma, found in gathered.items()}
        return inverse

    def _sense(self, offset: int, part: PartOfSpeech) -> Sense:
        # lex_file ss_type word_count (word lex_id)... as in wndb(5WN); word_count and lex_id are hexadecimal.
        data = self._data[part]
        fields = data[offset : data.index(b"|", offset)].decode("utf-8", "replace").split(" ")
        kind = "nvars".index(fields[2]) + 1
        words, counts = [], []
        for place in range(4, 4 + 2 * int(fields[3], 16), 2):
            word = fields[place].split("(")[0]  # adjectives tell their position, as in `galore(ip)`
            key = f"{word.lower()}%{kind}:{int(fields[1]):02}:{int(fields[place + 1], 16):02}"
            words.append(word.replace("_", " "))
            counts.append(self._counts.get(key, 0))
        return Sense(tuple(words), tuple(counts))

    def _lines(self, name: str) -> list[str]:
        return self._read(name).decode("utf-8", "replace").splitlines()

    def _has(self, name: str) -> bool:
        if self._archive is not None:
            return f"wordnet/{name}" in self._archive.namelist()
        return (self._folder / name).is_file()

    def _read(self, name: str) -> bytes:
        if not self._has(name):
            raise absent(f"{self._folder} has no {name}", str(self._folder))
        if self._archive is not None:
            return self._archive.read(f"wordnet/{name}")
        return (self._folder / name).read_bytes()


@lru_cache(maxsize=50_000)
def _senses(wordnet: WordNet, lemma: str, part: PartOfSpeech) -> tuple[Sense, ...]:
    line = wordnet._index[part].get(lemma)
    if line is None:
        return ()
    fields = line.split()
    return tuple(wordnet._sense(int(offset), part) for offset in fields[len(fields) - int(fields[2]) :])


def absent(reason: str, value: str | None) -> DataError:
    """The error that says where a WordNet comes from."""
    fix = "Run `apt install wordnet-base`, or set the option `wordnet` to a folder with index.noun or to an NLTK copy"
    return DataError(
        "synonyms need the files of WordNet", [Problem(reason, field="augment.wordnet", value=value, fix=fix)]
    )


_USUAL_NLTK = os.pathsep.join(("~/nltk_data", "/usr/share/nltk_data", "/usr/local/share/nltk_data"))


def _nltk_places(folders: str) -> list[Path]:
    found = [Path(folder).expanduser() / "corpora" for folder in folders.split(os.pathsep) if folder]
    return [place for corpora in found for place in (corpora / "wordnet", corpora / "wordnet.zip") if place.exists()]
