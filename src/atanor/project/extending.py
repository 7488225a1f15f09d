"""A base with a larger vocabulary: its tokenizer learns the characters that texts hold and it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atanor.data.options import SourceOptions
from atanor.errors import ConfigurationError, Problem
from atanor.progress import Progress

if TYPE_CHECKING:
    from atanor.models.extension import Extension


def extend_base(
    reference: str,
    source: SourceOptions,
    out: Path,
    *,
    characters: str | None = None,
    pieces: int = 0,
    minimum: int = 2,
    progress: Progress,
) -> Extension:
    """Write a base whose tokenizer knows more characters, to be named as `path:OUT`.

    Args:
        reference: the base, as `pkg:NAME`.
        source: rows whose texts are counted, and the gain is measured on.
        out: folder to write, which must not be there yet.
        characters: what to learn; None: every character of the texts that takes more than one token.
        pieces: longer tokens to learn besides.
        minimum: how often a character or piece has to occur.
        progress: told about long work.

    Raises:
        ConfigurationError: the folder is there already, or the reference is none.
        DataError: the rows cannot be read.
        BaseModelError: the base is not there, or nothing is lacking.
        StoreError: the folder cannot be written.
    """
    from atanor.data.sides import Side
    from atanor.data.workshop.blocks import texts_compared
    from atanor.data.workshop.single import made_dataset, one_stage
    from atanor.models import BaseReference, load_base, resolve_base
    from atanor.models.extension import extend_tokenizer, save_extended

    if out.exists():
        problem = Problem("it is there already", file=str(out), fix="Name another folder, or remove this one")
        raise ConfigurationError("the extended base was not written", [problem])
    with made_dataset(one_stage(source), progress) as rows:
        texts = [text for batch in rows.batches(Side.TRAIN) for text in texts_compared(batch).to_pylist()]
    base = load_base(resolve_base(BaseReference.parse(reference), Path(), progress), device="cpu")
    made = extend_tokenizer(
        base.tokenizer, base.model, characters=characters, corpus=texts, pieces=pieces, minimum=minimum
    )
    save_extended(base.tokenizer, base.model, out)
    return made
