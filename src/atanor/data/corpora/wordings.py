"""The wordings of instructions about passages of books, in English and Spanish; which one is taken, a seed decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from atanor.data.corpora.options import Language, RowKind


@dataclass(frozen=True)
class Topic:
    """What is known of a passage.

    Attributes:
        author: who wrote it; None where it is not known.
        book: the book's title; None likewise.
        chapter: the chapter's title without its number; empty without one.
        names: people and places in it.
        things: things in it, each with its article.
        context: the text before it; empty unless it is to be continued.
    """

    author: str | None
    book: str | None
    chapter: str
    names: Sequence[str]
    things: Sequence[str]
    context: str = ""


def instruction(kind: RowKind, topic: Topic, language: Language, random: Random) -> str:
    """An instruction that asks for a passage.

    Args:
        kind: what is asked for.
        topic: what is known of the passage; it has what `kind` needs: see `instructions.suited`.
        language: English or Spanish.
        random: draws the wording.
    """
    words = _WORDINGS[language]
    style = _style(topic, words, random)
    if kind is RowKind.CONTINUE:
        return random.choice(words.continuing).format(style=style, context=topic.context).replace(" .", ".").strip()
    if kind is RowKind.DESCRIBE:
        what = random.choice(words.describing).format(what=(*topic.names, *topic.things)[0], style=style)
        return _sentences([what, *_asides(topic, words, random, subject=True)])
    lead = random.choice(words.leads[kind])
    return _sentences([f"{lead}{style}.", *_asides(topic, words, random, subject=False)])


@dataclass(frozen=True)
class _Words:
    """The wordings of one language; a style begins with a space, so that it can be missing."""

    by_author: tuple[str, ...]
    by_book: tuple[str, ...]
    continuing: tuple[str, ...]
    describing: tuple[str, ...]
    leads: Mapping[RowKind, tuple[str, ...]]
    people: tuple[str, ...]
    things: tuple[str, ...]
    chapter: tuple[str, ...]
    joined: str


def _style(topic: Topic, words: _Words, random: Random) -> str:
    if topic.author:
        return " " + random.choice(words.by_author).format(author=topic.author)
    if topic.book:
        return " " + random.choice(words.by_book).format(book=topic.book)
    return ""


def _asides(topic: Topic, words: _Words, random: Random, *, subject: bool) -> list[str]:
    """Sentences that say whom and what the passage has in it, in any order; the subject itself is not said again."""
    names, things = list(topic.names), list(topic.things)
    if subject:
        names, things = (names[1:], things) if names else (names, things[1:])
    said = []
    if names:
        said.append(random.choice(words.people).format(names=_listed(names, words)))
    if things:
        said.append(random.choice(words.things).format(things=_listed(things, words)))
    if topic.chapter:
        said.append(random.choice(words.chapter).format(chapter=topic.chapter))
    random.shuffle(said)
    return said[: 1 if subject else 3]


def _listed(items: Sequence[str], words: _Words) -> str:
    if len(items) == 1:
        return items[0]
    joined = words.joined
    if joined == "y" and items[-1].lower().startswith(("i", "hi")) and not items[-1].lower().startswith("hie"):
        joined = "e"
    return f"{', '.join(items[:-1])} {joined} {items[-1]}"


def _sentences(parts: Sequence[str]) -> str:
    """The sentences in one line, each with a capital."""
    return " ".join(part[:1].upper() + part[1:] for part in parts if part)


_ENGLISH = _Words(
    by_author=(
        "in the style of {author}",
        "as {author} would write it",
        "in the manner of {author}",
        "in the voice of {author}",
        "the way {author} writes",
    ),
    by_book=("in the style of “{book}”", "in the manner of the book “{book}”", "as it could stand in “{book}”"),
    continuing=(
        "Continue this text{style}.\n\n{context}",
        "Go on with this passage{style}.\n\n{context}",
        "What comes next? Write the following paragraphs{style}.\n\n{context}",
        "Read this passage and write what follows{style}.\n\n{context}",
        "{context}\n\nContinue from here{style}.",
        "{context}\n\nWrite the next paragraphs{style}.",
        "Here is a passage:\n\n{context}\n\nTake the story further{style}.",
    ),
    describing=(
        "Describe {what}{style}.",
        "Give a description of {what}{style}.",
        "I would like a description of {what}{style}.",
        "Write a paragraph that describes {what}{style}.",
        "How would you describe {what}? Write it{style}.",
    ),
    leads={
        RowKind.SCENE: (
            "Write a scene",
            "Write a passage of a story",
            "Compose a scene",
            "Tell a moment of a story",
            "I need a scene",
            "Draft a page of narrative",
        ),
        RowKind.DIALOGUE: (
            "Write a conversation",
            "Write a scene that is all dialogue",
            "Tell this as dialogue",
            "Let people talk, and write down what they say",
            "Compose a dialogue",
        ),
        RowKind.VERSE: ("Write some verses", "Write a poem", "Compose a poem", "Put this into verse"),
    },
    people=(
        "{names} should appear or be spoken of.",
        "it is about {names}.",
        "bring in {names}.",
        "who matters here: {names}.",
    ),
    things=(
        "{things} should come up.",
        "let it mention {things}.",
        "work in {things}.",
        "among other things there is {things}.",
        "details to use: {things}.",
    ),
    chapter=(
        "the chapter is called “{chapter}”.",
        "it belongs to a chapter with the title “{chapter}”.",
        "theme: “{chapter}”.",
    ),
    joined="and",
)
_SPANISH = _Words(
    by_author=(
        "al estilo de {author}",
        "como lo escribiría {author}",
        "a la manera de {author}",
        "con la voz de {author}",
        "imitando a {author}",
    ),
    by_book=("al estilo de «{book}»", "a la manera del libro «{book}»", "como si fuera parte de «{book}»"),
    continuing=(
        "Continúa este texto{style}.\n\n{context}",
        "Sigue con este pasaje{style}.\n\n{context}",
        "¿Qué viene después? Escribe los párrafos siguientes{style}.\n\n{context}",
        "Lee este pasaje y escribe lo que sigue{style}.\n\n{context}",
        "{context}\n\nContinúa desde aquí{style}.",
        "{context}\n\nEscribe los párrafos siguientes{style}.",
        "Este es un pasaje:\n\n{context}\n\nLleva la historia más lejos{style}.",
    ),
    describing=(
        "Haz una descripción de este motivo{style}: {what}.",
        "Describe lo siguiente{style}: {what}.",
        "Quiero una descripción{style}. Su asunto: {what}.",
        "Escribe un párrafo descriptivo{style}. Tema: {what}.",
    ),
    leads={
        RowKind.SCENE: (
            "Escribe una escena",
            "Escribe un pasaje de una historia",
            "Compón una escena",
            "Cuenta un momento de una historia",
            "Necesito una escena",
            "Redacta una página de narración",
        ),
        RowKind.DIALOGUE: (
            "Escribe una conversación",
            "Escribe una escena toda en diálogo",
            "Cuenta esto en forma de diálogo",
            "Haz hablar a los personajes",
            "Compón un diálogo",
        ),
        RowKind.VERSE: ("Escribe unos versos", "Escribe un poema", "Compón un poema", "Pon esto en verso"),
    },
    people=(
        "deben aparecer o mencionarse: {names}.",
        "trata de {names}.",
        "nombres que importan: {names}.",
        "que no falten estos nombres: {names}.",
    ),
    things=(
        "que se mencione lo siguiente: {things}.",
        "detalles que puedes usar: {things}.",
        "entre otras cosas están {things}.",
        "motivos: {things}.",
    ),
    chapter=(
        "el capítulo se titula «{chapter}».",
        "pertenece a un capítulo llamado «{chapter}».",
        "tema: «{chapter}».",
    ),
    joined="y",
)
_WORDINGS = {Language.ENGLISH: _ENGLISH, Language.SPANISH: _SPANISH}
