"""Faults planted into real rows, with the truth about each: what the checks of the workshop are measured on.

Every fault stands in a row of its own that nothing is known against, so that a finding there is right or wrong without
doubt. Copies and rows in other languages come after the rows of the set.
"""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from atanor.data.rows import Example, Message, Speaker
from benchmarks.invented import PERSONAL, SECRETS

SEED = 17
SET = Path("dolly_open_qa") / "train.jsonl"

DUPLICATES, NEAR_DUPLICATES, PERSONAL_DATA, SECRETS_CHECK, ENCODING, LANGUAGE, CONTROL_TOKENS, CONTRADICTIONS = (
    "duplicates",
    "near_duplicates",
    "personal_data",
    "secrets",
    "encoding",
    "language",
    "control_tokens",
    "contradictions",
)
CHECKS = (
    *(DUPLICATES, NEAR_DUPLICATES, PERSONAL_DATA, SECRETS_CHECK),
    *(ENCODING, LANGUAGE, CONTROL_TOKENS, CONTRADICTIONS),
)
"""What is planted, by the check that should find it."""

COPIES = 200
EDITED, MISREAD, HIDDEN, EACH = 50, 40, 12, 10
"""Rows of each edit, wrong encoding, control token and disguise, and kind of personal data or secret."""
FEWEST_LETTERS = 60
"""Letters of a row that is copied with an edit. In shorter ones a single typo changes a third of all 5-grams, and
whether they are still nearly the same is a matter of taste."""

_ZERO_WIDTH = "\u200b"
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_TOKENS = {
    "chatml": ("<|im_start|>system", "<|im_end|>", "<|endoftext|>"),
    "llama": ("<|begin_of_text|>", "<|start_header_id|>user<|end_header_id|>", "<|eot_id|>", "[INST]", "<<SYS>>"),
}
_TOKEN = re.compile(r"<\|\w+\|>|\[INST\]|<<SYS>>")
_ACCENTED = (
    "The café on Plaça de Catalunya closes at ten o’clock.",
    "It cost €45, and the crème brûlée was “worth it”.",
    "Señor Núñez moved from Málaga to A Coruña — he misses the sun.",
    "Zoë’s naïve question about the Ångström unit was a good one.",
    "The temperature in Zürich was −5 °C that morning… and rising.",
)
"""Sentences with characters that a wrong encoding spoils; most answers of the set have none."""
_READINGS = {
    "utf-8 read as cp1252": ("cp1252",),
    "utf-8 read as latin-1": ("latin-1",),
    "utf-8 read as mac_roman": ("mac_roman",),
    "utf-8 read as cp437": ("cp437",),
    "utf-8 read as cp1252 twice": ("cp1252", "cp1252"),
}
_WORDS = ("really", "perhaps", "exactly", "currently", "simply")
_QUESTIONS = ("who", "what", "when", "where", "why", "how", "which")

Row = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One planted fault.

    Attributes:
        check: which of `CHECKS` should find it.
        kind: what it is more exactly.
        line: where it stands, from 1.
        of: line of the row it is a copy of, or None.
        meant: the text as it was before it was spoiled, where cleaning should bring it back.
    """

    check: str
    kind: str
    line: int
    of: int | None = None
    meant: str | None = None


@dataclass(frozen=True)
class Planted:
    """Rows and the truth about them.

    Attributes:
        rows: of questions and answers; the row at index `i` is line `i + 1`.
        faults: what was planted into them.
        labelled: the questions as a classification set.
        contradictions: what was planted into that.
    """

    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    labelled: list[Row] = field(default_factory=list)
    contradictions: list[Fault] = field(default_factory=list)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both sets as JSON Lines and the truth as `truth.json`; the paths of the sets."""
        paths = folder / "answers.jsonl", folder / "labels.jsonl"
        for path, rows in zip(paths, (self.rows, self.labelled), strict=True):
            path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        truth = {name: [asdict(one) for one in getattr(self, name)] for name in ("faults", "contradictions")}
        (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1), encoding="utf-8")
        return paths


def row_id(row: Mapping[str, Any]) -> str:
    """The id of a row of the set as it stands in its file."""
    turns = (Message(Speaker.USER, row["instruction"]), Message(Speaker.ASSISTANT, row["response"]))
    return Example(turns, None, "", 1).id


def read_set(data: Path) -> list[Row]:
    """The rows of the set that faults are planted into."""
    return _jsonl(data / SET)


def plant(data: Path, spared: Collection[str], seed: int = SEED) -> Planted:
    """Plant every kind of fault.

    Args:
        data: folder of the real sets.
        spared: ids of rows that have a fault of their own; nothing is planted into them.
        seed: of every draw.
    """
    random = Random(seed)
    planted = Planted(rows=[dict(row) for row in read_set(data)])
    free = [index for index, row in enumerate(planted.rows) if row_id(row) not in spared]
    random.shuffle(free)
    carriers = iter(free)
    _plant_sentences(planted, carriers, random)
    _plant_tokens(planted, carriers, random)
    _plant_mojibake(planted, carriers, random)
    _plant_copies(planted, carriers, random)
    _plant_languages(planted, data, random)
    _plant_labels(planted, data, random)
    return planted


def _plant_sentences(planted: Planted, carriers: Iterator[int], random: Random) -> None:
    """Personal data and secrets, in the question or after a sentence of the answer."""
    for check, inventions in ((PERSONAL_DATA, PERSONAL), (SECRETS_CHECK, SECRETS)):
        for kind, invention in inventions.items():
            for _ in range(EACH):
                index = next(carriers)
                column = random.choice(("instruction", "response"))
                row = planted.rows[index]
                row[column] = _inserted(row[column], invention.sentence(random), random)
                planted.faults.append(Fault(check, kind, index + 1))


def _plant_tokens(planted: Planted, carriers: Iterator[int], random: Random) -> None:
    """Control tokens as they are, in full-width letters, and split by a character of no width."""
    disguises: dict[str, Callable[[str], str]] = {"": str, " full-width": _wide, " zero-width": _split}
    for family, tokens in _TOKENS.items():
        for told, disguise in disguises.items():
            for number in range(HIDDEN):
                index = next(carriers)
                row = planted.rows[index]
                column = random.choice(("instruction", "response"))
                row[column] = _inserted(row[column], disguise(tokens[number % len(tokens)]), random)
                planted.faults.append(Fault(CONTROL_TOKENS, family + told, index + 1))


def _plant_mojibake(planted: Planted, carriers: Iterator[int], random: Random) -> None:
    """Answers with a sentence that has accents, written as UTF-8 and read as something else."""
    for kind, readings in _READINGS.items():
        for _ in range(MISREAD):
            index = next(carriers)
            meant = f"{planted.rows[index]['response']} {random.choice(_ACCENTED)}"
            text = meant
            for encoding in readings:
                text = _misread(text, encoding)
            planted.rows[index]["response"] = text
            planted.faults.append(Fault(ENCODING, kind, index + 1, meant=meant))


def _plant_copies(planted: Planted, carriers: Iterator[int], random: Random) -> None:
    """Rows again as they are, and rows again with an edit."""
    for _ in range(COPIES):
        _append(planted, DUPLICATES, "copy", index := next(carriers), dict(planted.rows[index]))
    edits = {"typos": _typos, "words swapped": _swapped, "a word added": _added, "case and punctuation": _restyled}
    for kind, edit in edits.items():
        for _ in range(EDITED):
            index = next(one for one in carriers if _letters(planted.rows[one]) >= FEWEST_LETTERS)
            row = dict(planted.rows[index])
            # The longer text is edited, as a person who rewrites a row would.
            column = max(("instruction", "response"), key=lambda name: len(row[name]))
            row[column] = edit(row[column], random)
            _append(planted, NEAR_DUPLICATES, kind, index, row)


def _plant_languages(planted: Planted, data: Path, random: Random) -> None:
    """Whole rows in Spanish and in every other language of the sets, where English is expected."""
    passages = _jsonl(data / "xquad" / "xquad_es_a.jsonl")
    for passage in random.sample(passages, COPIES // 2):
        _append_row(planted, "es", passage["question"], passage["context"])
    chats = [one for one in _jsonl(data / "oasst1_valid" / "valid_other_languages.jsonl") if one["lang"] != "en"]
    for chat in random.sample(chats, min(COPIES // 2, len(chats))):
        _append_row(planted, chat["lang"], *(turn["content"] for turn in chat["messages"][:2]))


def _plant_labels(planted: Planted, data: Path, random: Random) -> None:
    """The questions with their question word as the label; some again with another one, some again with the same."""
    lines: dict[str, list[int]] = {}
    for line, row in enumerate(read_set(data), 1):
        planted.labelled.append({"text": row["instruction"], "label": _question_word(row["instruction"])})
        lines.setdefault(_folded(row["instruction"]), []).append(line)
    drawn = random.sample([found[0] for found in lines.values() if len(found) == 1], 2 * COPIES)
    for number, line in enumerate(drawn):
        row = dict(planted.labelled[line - 1])
        if number < COPIES:
            row["label"] = random.choice([word for word in _QUESTIONS if word != row["label"]])
            copy = Fault(CONTRADICTIONS, "another label", len(planted.labelled) + 1, of=line)
            planted.contradictions.extend((Fault(CONTRADICTIONS, "another label", line), copy))
        planted.labelled.append(row)


def _append(planted: Planted, check: str, kind: str, of: int, row: Row) -> None:
    planted.rows.append(row)
    planted.faults.append(Fault(check, kind, len(planted.rows), of=of + 1))


def _append_row(planted: Planted, language: str, instruction: str, response: str) -> None:
    planted.rows.append({"instruction": instruction, "context": "", "response": response, "category": "open_qa"})
    planted.faults.append(Fault(LANGUAGE, language, len(planted.rows)))


def _jsonl(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n")]


def _letters(row: Row) -> int:
    return sum(character.isalnum() for name in ("instruction", "response") for character in row[name])


def _folded(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _question_word(text: str) -> str:
    words = (word.strip(string.punctuation) for word in text.casefold().split())
    return next((word for word in words if word in _QUESTIONS), "other")


def _inserted(text: str, part: str, random: Random) -> str:
    """The text with a part before it, after it or between two of its sentences."""
    places = [place + 1 for place in range(len(text) - 1) if text[place] in ".?!" and text[place + 1] == " "]
    place = random.choice([0, *places, len(text)])
    return f"{text[:place].rstrip()} {part} {text[place:].lstrip()}".strip()


def _misread(text: str, encoding: str) -> str:
    """The bytes of the text read in another encoding; a byte that has no character there becomes the one of latin-1."""
    return "".join(
        one.decode(encoding, errors="ignore") or one.decode("latin-1")
        for one in (bytes([byte]) for byte in text.encode())
    )


def _wide(text: str) -> str:
    return text.translate(_WIDE)


def _split(text: str) -> str:
    return text[:3] + _ZERO_WIDTH + text[3:]


def holds_token(text: str) -> bool:
    """Whether a tokenizer may see one of the tokens: with compatibility characters plain and nothing of no width."""
    return _TOKEN.search(unicodedata.normalize("NFKC", text).replace(_ZERO_WIDTH, "")) is not None


def _typos(text: str, random: Random) -> str:
    """One letter in eighty replaced, doubled, left out or swapped with the next, at least one."""
    for _ in range(max(1, len(text) // 80)):
        place = random.choice([at for at in range(len(text) - 1) if text[at].isalpha() and text[at] != text[at + 1]])
        one, other = text[place], text[place + 1]
        wrong = random.choice(string.ascii_lowercase.replace(one.lower(), ""))
        made = random.choice((wrong + other, one + one + other, other, other + one))
        text = text[:place] + made + text[place + 2 :]
    return text


def _swapped(text: str, random: Random) -> str:
    words = text.split(" ")
    place = random.choice([at for at in range(len(words) - 1) if words[at] != words[at + 1]])
    words[place : place + 2] = reversed(words[place : place + 2])
    return " ".join(words)


def _added(text: str, random: Random) -> str:
    words = text.split(" ")
    words.insert(random.randrange(len(words) + 1), random.choice(_WORDS))
    return " ".join(words)


def _restyled(text: str, random: Random) -> str:
    """Another case, and other signs at the end."""
    styled = random.choice((str.upper, str.lower, str.title))(text)
    return styled.rstrip(".!?") + random.choice(("!", "...", " .", "?"))
