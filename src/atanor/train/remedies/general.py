"""General rows: those shipped with Atanor, or a file's, as a base reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from atanor.data import Example, RenderOptions, SourceOptions, TokenRow, TooLong, read_examples, render_examples
from atanor.errors import DataError, Problem
from atanor.models import Base

SHIPPED = "the texts shipped with Atanor"
PASSAGES, INSTRUCTIONS = "passages.jsonl", "instructions.jsonl"


@dataclass(frozen=True)
class GeneralSource:
    """Where general rows come from.

    Attributes:
        field: key of the project file, for errors.
        path: the file; None: what is shipped.
        root: folder that a relative path starts from.
        outside: the path may lead out of it.
        held_out: ids of examples that must not be trained on: the role's validation and test.
    """

    field: str
    path: str | None
    root: Path
    outside: bool
    held_out: frozenset[str]

    @property
    def name(self) -> str:
        """In words."""
        return SHIPPED if self.path is None else self.path

    def examples(self) -> tuple[list[Example], list[str]]:
        """What the file holds, each content once, and what was left out of it in sentences.

        Raises:
            DataError: the file cannot be read, or nothing usable is in it.
        """
        if self.path is None:
            return [*shipped(INSTRUCTIONS), *shipped(PASSAGES)], []
        try:
            read = read_examples([SourceOptions(path=self.path, outside=self.outside)], self.root)
        except DataError as error:
            problems = [
                Problem(one.reason, one.file, one.line, f"{self.field}.path", one.value, one.fix)
                for one in error.problems
            ]
            raise DataError(f"general rows cannot be read: {error.summary}", problems) from error
        unique = {example.id: example for example in read.examples}
        kept = [example for name, example in unique.items() if name not in self.held_out]
        counts = {
            "refused": len(read.refusals),
            "equal to others": len(read.examples) - len(unique),
            "held out for validation or the test": len(unique) - len(kept),
        }
        told = [f"{count} rows of {self.path} are left out: {reason}" for reason, count in counts.items() if count]
        if not kept:
            first = read.refusals[0].reason if read.refusals else "; ".join(told)
            fix = "Give a file with conversations or texts that the role does not hold out"
            raise DataError(
                f"no general row is left of {self.path}",
                [Problem(first, str(self.root / self.path), field=f"{self.field}.path", fix=fix)],
            )
        return kept, told


@dataclass(frozen=True)
class GeneralRows:
    """General rows as a base trains on them, and what was left out or cut in sentences."""

    rows: tuple[TokenRow, ...]
    notes: tuple[str, ...]


def general_rows(base: Base, source: GeneralSource, max_tokens: int) -> GeneralRows:
    """Render general rows for a base. Of the shipped ones a base without a chat template gets the passages alone,
    and one of an encoder and a decoder the conversations alone.

    Args:
        base: for tokenizer, template and context.
        source: where they come from.
        max_tokens: longer rows are cut at the end.

    Raises:
        DataError: see `GeneralSource.examples`; or none of the rows can be rendered.
        BaseModelError: the file holds conversations and the base has no chat template.
    """
    found, notes = source.examples()
    if source.path is None and base.encoder_decoder:
        found = [example for example in found if example.messages]
    elif source.path is None and not base.tokenizer.chat_template:
        found = [example for example in found if not example.messages]
    return rendered(base, found, source, max_tokens, notes)


def rendered(
    base: Base, examples: Sequence[Example], source: GeneralSource, max_tokens: int, notes: Sequence[str]
) -> GeneralRows:
    """Examples as token rows, with what could not be used added to the notes.

    Raises:
        DataError: none of them can be rendered.
    """
    options = RenderOptions(max_tokens=min(max_tokens, base.context), too_long=TooLong.TRUNCATE_RIGHT)
    made = render_examples(
        examples, base.tokenizer, options, base.context, base.end_ids, encoder_decoder=base.encoder_decoder
    )
    if not made.rows:
        reason = made.refusals[0].reason if made.refusals else "there are none"
        problem = Problem(reason, field=source.field, value=source.path, fix="Give other general rows, or longer ones")
        raise DataError("no general row can be replayed", [problem])
    more = []
    if made.refusals:
        more.append(f"{len(made.refusals)} rows of {source.name} are left out: {made.refusals[0].reason}")
    if made.truncated:
        more.append(f"{made.truncated} rows of {source.name} are cut to {options.max_tokens} tokens")
    return GeneralRows(made.rows, (*notes, *more))


def shipped(name: str) -> list[Example]:
    """The shipped `PASSAGES` or `INSTRUCTIONS`."""
    with as_file(files("atanor.train.remedies") / "general_rows") as folder:
        return list(read_examples([SourceOptions(path=name)], folder).examples)
