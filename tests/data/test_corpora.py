"""Books become windows that lose nothing and rows whose answers are the author's own words."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.data.corpora import (
    BlockKind,
    InstructionOptions,
    Language,
    Outline,
    Rank,
    Respect,
    RowKind,
    SectionKind,
    WindowOptions,
    instruction_examples,
    instructions_by_model,
    outline,
    outline_of_chapters,
    windows,
)
from atanor.data.corpora.sentences import sentence_starts
from atanor.errors import DataError
from atanor.models.chat_template import encode_text
from tests.data.conftest import tiny_tokenizer

DATA = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[3] / "shared" / "data"))


def book_of(name: str) -> str:
    file = DATA / name
    if not file.is_file():
        pytest.skip(f"{name} is not there; set ATANOR_DATA to the folder of real data")
    return file.read_text(encoding="utf-8")


def words(text: str) -> int:
    return len(text.split())


def sizes(text: str) -> int:
    return len(text)


PROSE = (
    "The lamp was low and the room was cold. Inés was waiting by the window, and the letter was on the table. "
    "The house was old, and the clock was slow; Inés was not afraid of the house. "
)
TALK = [
    "“Who left the door open?” asked Inés.",
    "“It was Bruno,” said the porter; “he went up with the lamp.”",
    "“Then ask Bruno for the map,” said Inés.",
    "“I will ask him,” said the porter.",
]


def a_book() -> str:
    chapters = [f"CHAPTER {number}. {title}" for number, title in (("I", "The Lamp"), ("II", "The Map"))]
    parts = ["THE SEVENTH FLOOR", "by Ana Ruiz"]
    for chapter in chapters:
        parts += [chapter, PROSE * 3, PROSE * 3, "* * *", *TALK, "* * *", PROSE * 2, PROSE * 2]
    return "\n\n".join(parts)


# Headings and blocks


@pytest.mark.parametrize(
    ("heading", "label", "title", "rank"),
    [
        ("CHAPTER I. Down the Rabbit-Hole", "CHAPTER I", "Down the Rabbit-Hole", Rank.CHAPTER),
        ("Chapter 12", "Chapter 12", "", Rank.CHAPTER),
        ("CHAPTER IV.\nOF WHAT HAPPENED AT THE INN", "CHAPTER IV", "OF WHAT HAPPENED AT THE INN", Rank.CHAPTER),
        ("Capítulo primero. Que trata de un\nhidalgo", "Capítulo primero", "Que trata de un hidalgo", Rank.CHAPTER),
        ("ACTO SEGUNDO", "ACTO SEGUNDO", "", Rank.CHAPTER),
        ("JORNADA TERCERA", "JORNADA TERCERA", "", Rank.CHAPTER),
        ("Escena III", "Escena III", "", Rank.SCENE),
        ("LIBRO II", "LIBRO II", "", Rank.PART),
        ("Segunda parte del ingenioso hidalgo", "Segunda parte", "del ingenioso hidalgo", Rank.PART),
        ("-IV-\n\nLa familia de piedra\n", "IV", "La familia de piedra", Rank.CHAPTER),
        ("VII. THE ADVENTURE OF THE BLUE CARBUNCLE", "VII", "THE ADVENTURE OF THE BLUE CARBUNCLE", Rank.CHAPTER),
        ("LOS OJOS VERDES", "", "LOS OJOS VERDES", Rank.TITLE),
        ("## The Lamp", "", "The Lamp", Rank.CHAPTER),
        (" = Homarus gammarus = ", "", "Homarus gammarus", Rank.CHAPTER),
        ("The Author's Preface", "", "The Author's Preface", Rank.CHAPTER),
        ("PRÓLOGO", "", "PRÓLOGO", Rank.CHAPTER),
    ],
)
def test_a_heading_is_recognised(heading: str, label: str, title: str, rank: Rank) -> None:
    text = f"{PROSE}\n\n{PROSE}\n\n\n{heading}\n\n{PROSE}\n\n{PROSE}"
    section = outline(text).sections[-1]
    assert (section.label, section.title, section.rank) == (label, title, rank)
    assert text[section.start :].startswith(heading.split("\n", maxsplit=1)[0])


@pytest.mark.parametrize(
    "line",
    [
        "Chapter 3 of the report says nothing about it.",
        "YO, EL REY.",
        "I was not afraid.",
        "“CHAPTER ONE!”",
        "THE END",
        "[Illustration: CHAPTER I]",
        "Book I had read before it was sold.",
    ],
)
def test_a_line_of_text_is_no_heading(line: str) -> None:
    assert len(outline(f"{PROSE}\n\n{line}\n\n{PROSE}").sections) == 1


def test_roman_numbers_are_scenes_in_a_book_with_chapters() -> None:
    numbers = "\n\n".join(f"{number}\n\n{PROSE}" for number in ("I", "II"))
    tales = "\n\n".join(f"LA {name}\n\n{numbers}" for name in ("CORZA", "CRUZ", "AJORCA"))
    assert [chapter.title for chapter in outline(tales).chapters] == ["LA CORZA", "LA CRUZ", "LA AJORCA"]
    assert [chapter.label for chapter in outline(numbers).chapters] == ["I", "II"]


def test_a_table_of_contents_makes_no_chapters() -> None:
    listed = "CONTENTS\n\n" + "\n\n".join(f"CHAPTER {number}\nOF THE LAMP" for number in ("I", "II", "III", "IV"))
    book = outline(f"{PROSE}\n\n{listed}\n\n\nCHAPTER I\nOF THE LAMP\n\n{PROSE}\n\n\nCHAPTER II\nOF THE MAP\n\n{PROSE}")
    assert [chapter.label for chapter in book.chapters if chapter.kind is SectionKind.BODY] == [
        "CHAPTER I",
        "CHAPTER II",
    ]


def test_title_author_and_blocks() -> None:
    book = outline(a_book())
    assert (book.title, book.author) == ("THE SEVENTH FLOOR", "Ana Ruiz")
    assert [chapter.name for chapter in book.chapters[1:]] == ["CHAPTER I. The Lamp", "CHAPTER II. The Map"]
    kinds = [block.kind for block in book.blocks_in(book.chapters[1])]
    assert kinds == [
        BlockKind.HEADING,
        *[BlockKind.PROSE] * 2,
        BlockKind.BREAK,
        *[BlockKind.DIALOGUE] * 4,
        BlockKind.BREAK,
        *[BlockKind.PROSE] * 2,
    ]
    assert [section.rank for section in book.sections[1:5]] == [Rank.CHAPTER, Rank.SCENE, Rank.SCENE, Rank.CHAPTER]


def test_verse_speeches_and_notes_are_told_from_prose() -> None:
    wrapped = "\n".join(["the lamp of the seventh floor was lit before the porter had come up the stairs"] * 6)
    verse = "Twinkle, twinkle,\n  little bat!\nHow I wonder\n  what you're at!"
    speech = "First Citizen:\nBefore we proceed any further, hear me speak."
    text = "\n\n".join([wrapped, wrapped, verse, wrapped, speech, "[Illustration: a lamp]", wrapped, "-¿Quién va?"])
    kinds = [block.kind.value for block in outline(text).blocks]
    assert kinds == ["prose", "prose", "verse", "prose", "speech", "note", "prose", "dialogue"]


def test_an_epub_comes_in_chapters() -> None:
    book = outline_of_chapters([("The Lamp", PROSE), ("The Map", f"The Map\n\n{PROSE}"), ("", PROSE)], "Floors", "Ana")
    assert [section.title for section in book.chapters] == ["The Lamp", "The Map", ""]
    assert book.text.count("The Map") == 1
    assert (book.title, book.author) == ("Floors", "Ana")
    assert covers(book)
    assert book.blocks[0].kind is BlockKind.HEADING


PARTS = ["CHAPTER I.", "II", "* * *", "ACTO PRIMERO", "# One", "CONTENTS", "LA CRUZ", "THE END", "    ", "\r", "I"]
PARTS += [PROSE, *TALK, "a b\nc d\ne f", "Mr. Bennet said so. He did.", "x" * 90, "\ud7ff\u2028\x0c\x85", "ñ " * 30]
GAPS = st.sampled_from(["\n", "\n\n", "\n\n\n", " ", "\r\n\r\n"])
TEXT = st.builds(lambda parts, gap: gap.join(parts), st.lists(st.sampled_from(PARTS), max_size=14), GAPS)


def covers(book: Outline) -> bool:
    """Whether sections and chapters lie end to end over the text, and only white space is outside of blocks."""
    for spans in (book.sections, book.chapters):
        ends = [0, *(span.end for span in spans)]
        if [span.start for span in spans] != ends[:-1] or ends[-1] != len(book.text):
            return False
    ends = [0, *(block.end for block in book.blocks)]
    starts = [*(block.start for block in book.blocks), len(book.text)]
    return not any(book.text[end:start].strip() for end, start in zip(ends, starts, strict=True))


@given(TEXT | st.text(max_size=200))
def test_sections_and_blocks_cover_the_book(text: str) -> None:
    assert covers(outline(text))


# Sentences and windows


def test_sentences_end_where_they_end() -> None:
    text = 'Mr. Bennet replied. "Who?" he said... ¿Quién va? -¡Yo! W. H. Smith has 3.5 pounds. «No.» Sí'
    starts = sentence_starts(text)
    pieces = [text[start:end].strip() for start, end in itertools.pairwise([*starts, len(text)])]
    assert pieces == [
        "Mr. Bennet replied.",
        '"Who?" he said...',
        "¿Quién va?",
        "-¡Yo!",
        "W. H. Smith has 3.5 pounds.",
        "«No.»",
        "Sí",
    ]


@given(TEXT, st.integers(16, 60), st.integers(0, 8), st.sampled_from(Respect))
def test_every_character_is_in_a_window(text: str, tokens: int, overlap: int, respect: Respect) -> None:
    book = outline(text)
    made = windows(book, sizes, WindowOptions(tokens=tokens, overlap=overlap, respect=respect))
    assert all(window.text == text[window.start : window.end] and window.tokens <= tokens for window in made)
    ends = [0, *(window.end for window in made)]
    assert all(window.start <= end < window.end for window, end in zip(made, ends, strict=False))
    if book.blocks:
        assert ends[-1] == len(text)
        if not overlap:
            assert "".join(window.text for window in made) == text
    if respect is Respect.CHAPTER:
        edges = [chapter.end for chapter in book.chapters]
        assert not any(window.start < edge < window.end for window in made for edge in edges)


@settings(max_examples=30)
@given(TEXT, st.integers(16, 64))
def test_a_window_of_tokens_fits_with_the_begin_and_end_tokens(text: str, tokens: int) -> None:
    tokenizer = tiny_tokenizer()
    for window in windows(text, tokenizer, WindowOptions(tokens=tokens, overlap=5)):
        assert window.tokens == len(encode_text(tokenizer, window.text)) <= tokens


def test_windows_end_with_paragraphs_and_no_heading_is_left_behind() -> None:
    text = a_book()
    for window in windows(text, words, WindowOptions(tokens=150))[1:]:
        assert window.text.rstrip()[-1] in ".”*"
        assert not window.text.rstrip().endswith(("Lamp", "Map"))
    (first, *_) = windows(text, words, WindowOptions(tokens=16))
    assert first.text.startswith("THE SEVENTH FLOOR")


def test_neighbours_repeat_whole_paragraphs_or_sentences() -> None:
    text = "\n\n".join([" ".join(f"Sentence {number} of six words stands." for number in range(12))] * 4)
    for window, following in itertools.pairwise(windows(text, words, WindowOptions(tokens=100, overlap=14))):
        repeated = text[following.start : window.end]
        assert words(repeated) == 12
        assert repeated.startswith("Sentence 10")


def test_a_window_becomes_a_row_with_its_place() -> None:
    text = a_book()
    window = windows(text, words, WindowOptions(tokens=150))[-1]
    row = window.example("floors.txt")
    assert row.text == window.text.strip()
    assert (row.group, row.source) == ("THE SEVENTH FLOOR/2 CHAPTER II. The Map", "floors.txt")
    assert text.splitlines()[row.line - 1] and row.text.startswith(text.splitlines()[row.line - 1][:40])
    assert row.fields == {
        "book": "THE SEVENTH FLOOR",
        "chapter": "CHAPTER II. The Map",
        "start": window.start,
        "end": window.end,
    }


def test_windows_that_share_text_across_chapters_are_one_group() -> None:
    shared = windows(a_book(), words, WindowOptions(tokens=150, overlap=60, respect=Respect.PARAGRAPH))
    assert {window.group for window in shared} == {"THE SEVENTH FLOOR"}


def test_an_overlap_of_more_than_half_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="`overlap` is 65; write at most half of `tokens`, 64"):
        WindowOptions(tokens=128, overlap=65)


# Instructions


def rows(text: str, **options: object) -> list[tuple[str, str, str]]:
    made = instruction_examples(
        outline(text), words, InstructionOptions.model_validate({"tokens": 130, **options}), seed=1, source="a.txt"
    )
    assert made.passages == made.used + made.short + made.unsuited
    assert sum(made.kinds.values()) == len(made.examples)
    return [(str(row.fields["kind"]), row.messages[0].content, row.reference) for row in made.examples]


def test_the_answer_is_the_authors_own_text() -> None:
    text = a_book()
    whole = " ".join(text.split())
    made = rows(text, per_passage=5, shortest=20)
    assert {kind for kind, _, _ in made} == {"continue", "scene", "dialogue", "describe"}
    for kind, asked, answer in made:
        assert " ".join(answer.split()) in whole
        assert "CHAPTER" not in answer and "*" not in answer
        if kind == "continue":
            context = max(asked.split("\n\n"), key=len)
            assert context in " ".join(text.split())
        else:
            assert "Ana Ruiz" in asked
            assert "Inés" in asked or "the " in asked


def test_an_instruction_says_what_the_passage_is_about() -> None:
    made = rows(a_book(), kinds=["dialogue"], shortest=20)
    assert len(made) == 2
    for _, asked, answer in made:
        assert "Bruno" in asked and "Inés" in asked
        assert answer.count("\n\n") == 3


def test_spanish_books_are_asked_for_in_spanish() -> None:
    prose = (
        "La casa era vieja y la noche estaba fría. Marianela miraba el camino, y el perro de la casa dormía. "
        "El camino era largo; por la tarde, Marianela bajaba al río con el perro. "
    )
    text = "\n\n".join(
        ["LA CASA", "Por Ana Ruiz", *(f"Capítulo {n}. El río\n\n{prose * 4}" for n in ("I", "II", "III"))]
    )
    made = rows(text, kinds=["scene", "describe"], per_passage=2)
    assert made
    for _, asked, _ in made:
        assert any(word in asked for word in (" de ", " a ", "como", "con ", "El ", "el "))
        assert " the " not in asked and "Ana Ruiz" in asked
    english = rows(text, kinds=["scene"], language=Language.ENGLISH)
    assert all("cene" in asked or "story" in asked or "narrative" in asked for _, asked, _ in english)


def test_passages_that_are_too_short_or_suit_nothing_are_counted() -> None:
    made = instruction_examples(
        outline(a_book()), words, InstructionOptions(kinds=(RowKind.VERSE,), tokens=130), seed=1, source="a.txt"
    )
    assert (len(made.examples), made.used, made.unsuited + made.short) == (0, 0, made.passages)
    assert made.passages > 0


def test_the_seed_draws_the_wording_and_nothing_else() -> None:
    book, options = outline(a_book()), InstructionOptions(tokens=130, kinds=(RowKind.SCENE,))
    one, again, other = (
        instruction_examples(book, words, options, seed=seed, source="a.txt").examples for seed in (1, 1, 2)
    )
    assert one == again != other
    assert [row.reference for row in one] == [row.reference for row in other]


class Scripted:
    """An engine that gives these answers in turn."""

    def __init__(self, *answers: str) -> None:
        self.answers = itertools.cycle(answers)
        self.prompts: list[str] = []

    def generate(self, prompts: list[str]) -> list[str]:
        self.prompts += prompts
        return [next(self.answers) for _ in prompts]


def asked_of(engine: Scripted) -> tuple[list[str], list[str]]:
    book = outline(a_book())
    made = instructions_by_model(book, words, engine, InstructionOptions(tokens=130), source="a.txt")
    assert made.used == len(made.examples) + len(made.refusals) == len(engine.prompts)
    assert all(row.reference in prompt for row, prompt in zip(made.examples, engine.prompts, strict=False))
    return [row.messages[0].content for row in made.examples], [refusal.reason for refusal in made.refusals]


def test_a_model_writes_the_instruction() -> None:
    engine = Scripted(json.dumps({"instruction": " Write about a night of waiting in an old house. "}))
    asked, refused = asked_of(engine)
    assert set(asked) == {"Write about a night of waiting in an old house."} and not refused
    assert "by Ana Ruiz" in engine.prompts[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Sure! Here it is.", "the model's answer is not JSON"),
        ("[" * 100_000, "the model's answer is not JSON"),
        ('{"instruction": "Write it now, please", "why": "x"}', "an object with the one key `instruction`"),
        ('["Write it"]', "an object with the one key `instruction`"),
        ('{"instruction": "Go"}', "the instruction has 2 characters; 12 to 600 are accepted"),
        (
            '{"instruction": "Write: the lamp was low and the room was cold. Inés was waiting"}',
            "the instruction holds 8 words of the passage in a row",
        ),
    ],
)
def test_what_a_model_may_not_answer_is_refused(answer: str, reason: str) -> None:
    asked, refused = asked_of(Scripted(answer))
    assert any(reason in said for said in refused)
    assert not asked or "cold" in answer  # the copied words stand in some of the passages only


def test_an_engine_that_leaves_an_answer_out_is_an_error() -> None:
    class Mute:
        def generate(self, prompts: list[str]) -> list[str]:
            return prompts[1:]

    with pytest.raises(DataError, match="passages were asked about, and"):
        instructions_by_model(outline(a_book()), words, Mute(), InstructionOptions(tokens=130), source="a.txt")


# Real books


@pytest.mark.parametrize(
    ("name", "title", "author", "chapters", "one"),
    [
        ("books_en/alice_in_wonderland.txt", "ALICE’S ADVENTURES IN WONDERLAND", "Lewis Carroll", 12, "Pig and Pepper"),
        ("books_en/pride_and_prejudice.txt", "PRIDE AND PREJUDICE", "Jane Austen", 61, ""),
        ("books_en/sherlock_holmes_adventures.txt", "THE ADVENTURES OF SHERLOCK HOLMES", "Sir Arthur Conan Doyle", 12,
         "A SCANDAL IN BOHEMIA"),
        ("libros_es/marianela_galdos.txt", "Marianela", "Benito Pérez Galdós", 22, "La familia de piedra"),
    ],
)  # fmt: skip
def test_the_chapters_of_a_real_book(name: str, title: str, author: str, chapters: int, one: str) -> None:
    book = outline(book_of(name))
    assert (book.title, book.author) == (title, author)
    body = [chapter for chapter in book.chapters if chapter.kind is SectionKind.BODY]
    assert len(body) == chapters
    assert one in {chapter.title for chapter in body}
    assert covers(book)


@pytest.mark.parametrize("name", ["books_en/alice_in_wonderland.txt", "libros_es/becquer_leyendas_y_rimas.txt"])
def test_a_real_book_is_whole_in_its_windows(name: str) -> None:
    text = book_of(name)
    made = windows(text, words, WindowOptions(tokens=400))
    assert "".join(window.text for window in made) == text
    full = [window.tokens for window in made if window.tokens > 300]
    assert len(full) > 0.6 * len(made)
