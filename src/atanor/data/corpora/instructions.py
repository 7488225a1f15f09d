"""A book to instruction rows, by rule: each asks for a passage, and the answer is the author's own text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from atanor.data.corpora.blocks import BlockKind
from atanor.data.corpora.lexicon import Lexicon, language_of, lexicon_of, names_in, things_in
from atanor.data.corpora.options import InstructionOptions, Language, RowKind
from atanor.data.corpora.outline import Outline
from atanor.data.corpora.passages import Passage, passages_of
from atanor.data.corpora.windows import Measure, ruler_of
from atanor.data.corpora.wordings import Topic, instruction
from atanor.data.rows import Example, Message, Refusal, Speaker


@dataclass(frozen=True)
class InstructionResult:
    """Rows made of a book. `passages = used + short + unsuited`, and of the used ones some may only have refusals.

    Attributes:
        examples: the rows in the order of the book.
        passages: passages that were looked at.
        used: passages that rows were asked of.
        short: passages shorter than `shortest`.
        unsuited: passages that no asked-for kind suits.
        kinds: rows by kind.
        refusals: instructions that a model wrote and that cannot be used; the raw text is the model's answer.
    """

    examples: tuple[Example, ...]
    passages: int
    used: int
    short: int
    unsuited: int
    kinds: Mapping[str, int]
    refusals: tuple[Refusal, ...] = ()


def instruction_examples(
    book: Outline, measure: Measure, options: InstructionOptions, *, seed: int, source: str
) -> InstructionResult:
    """Make instruction rows of a book by rule.

    Args:
        book: its outline; with an author the instructions name the style.
        measure: the base's tokenizer, or a function that says how long a text is.
        options: which kinds of row, how long, in which language.
        seed: draws kinds and wordings; each passage draws for itself, so that a change elsewhere does not move it.
        source: file of the book, for the rows.
    """
    language = language_of(book.text) if options.language is Language.AUTO else options.language
    words = lexicon_of(book, language)
    examples: list[Example] = []
    counts: Counter[str] = Counter()
    for passage in passages_of(book, ruler_of(measure, options.tokens)):
        counts["passages"] += 1
        if len(passage.text) < options.shortest:
            counts["short"] += 1
            continue
        topic = _topic(book, passage, words, language)
        kinds = [kind for kind in options.kinds if suited(kind, passage, topic)]
        counts["unsuited" if not kinds else "used"] += 1
        random = Random(f"{seed}:{passage.start}:{passage.text[:80]}")
        for kind in random.sample(kinds, min(len(kinds), options.per_passage)):
            examples.append(row_of(book, passage, kind, instruction(kind, topic, language, random), source))
    return InstructionResult(
        tuple(examples),
        counts["passages"],
        counts["used"],
        counts["short"],
        counts["unsuited"],
        dict(Counter(str(example.fields["kind"]) for example in examples)),
    )


def suited(kind: RowKind, passage: Passage, topic: Topic) -> bool:
    """Whether a passage is what an instruction of this kind asks for."""
    verse = passage.share(BlockKind.VERSE)
    talk = passage.share(BlockKind.DIALOGUE, BlockKind.SPEECH)
    turns = sum(block.kind in {BlockKind.DIALOGUE, BlockKind.SPEECH} for block in passage.blocks)
    about = bool(topic.names or topic.things)
    if kind is RowKind.CONTINUE:
        return bool(passage.before) and verse < 0.5
    if kind is RowKind.VERSE:
        return verse > 0.8 and about
    if kind is RowKind.DIALOGUE:
        return talk > 0.7 and turns >= 4 and about
    if kind is RowKind.DESCRIBE:
        return passage.share(BlockKind.PROSE) == 1.0 and about and _describes(passage, topic)
    return verse < 0.3 and (bool(topic.names) or len(topic.things) >= 2)


def row_of(book: Outline, passage: Passage, kind: RowKind | str, asked: str, source: str) -> Example:
    """The row that asks for a passage; its group is the chapter, its line where the passage begins in the book."""
    chapter = " / ".join(part for part in (*passage.chapter.path, passage.chapter.name) if part)
    fields = {
        "kind": str(kind),
        "book": book.title or "",
        "chapter": chapter,
        "start": passage.start,
        "end": passage.end,
    }
    return Example(
        (Message(Speaker.USER, asked), Message(Speaker.ASSISTANT, passage.text)),
        None,
        source,
        book.text.count("\n", 0, passage.start) + 1,
        f"{book.title or ''}/{passage.number} {chapter}".rstrip(),
        fields,
    )


def chapter_title(title: str, names: frozenset[str], language: Language) -> str:
    """A chapter's title as it is written in a sentence: not in capitals, without signs of emphasis."""
    title = title.strip(" _*.")
    if not title.isupper():
        return title
    proper = {name.upper(): name for name in names}
    words = [proper.get(word, word.lower()) for word in re.split(r"(\W+)", title)]
    if language is Language.ENGLISH:
        words = [word if word in _SMALL_IN_TITLES else word[:1].upper() + word[1:] for word in words]
    joined = "".join(words)
    return joined[:1].upper() + joined[1:]


_SMALL_IN_TITLES = {"a", "an", "the", "of", "in", "on", "at", "to", "and", "or", "for", "with", "by", "from", "s", "as"}
_SMALL_IN_TITLES |= {"which", "who", "that"}
_BEING = re.compile(
    r"\b(?:was|were|is|are|seemed|looked|stood|lay|hung|era|eran|es|son|tenía|tenían|parecía|estaba|estaban|"
    r"\w{2,}aban?|\w{2,}ían?)\b"
)
_WORDS = re.compile(r"\w+")


def _describes(passage: Passage, topic: Topic) -> bool:
    """Description tells how things were: many verbs of being, and its subject named early and again."""
    subject = (*topic.names, *topic.things)[0].split()[-1]
    early = subject in passage.text[:200]
    words = len(_WORDS.findall(passage.text))
    return early and passage.text.count(subject) >= 2 and len(_BEING.findall(passage.text)) >= 0.045 * words


def _topic(book: Outline, passage: Passage, words: Lexicon, language: Language) -> Topic:
    return Topic(
        author=book.author,
        book=chapter_title(book.title, words.names, language) if book.title else None,
        chapter=chapter_title(passage.chapter.title, words.names, language),
        names=names_in(passage.text, words, 3),
        things=things_in(passage.text, words, 3),
        context=passage.before,
    )
