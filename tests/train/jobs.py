"""Small training jobs on the tiny base, used by several tests and by the process that is killed."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

from atanor.data.preferences import PreferencePair
from atanor.data.rows import TokenRow
from atanor.models import Base, BaseReference, attach_lora, encode_chat, encode_pair, load_base, resolve_base
from atanor.progress import Silent
from atanor.store.files import sha256_file
from atanor.train import TrainingJob, TrainOptions, train


def tiny_base(folder: Path) -> Base:
    return load_base(resolve_base(BaseReference.parse(f"path:{folder}"), Path("/"), Silent()))


def rows(base: Base, count: int) -> list[TokenRow]:
    """Chat rows of different lengths, weights on the answers."""
    made = []
    for number in range(count):
        turns = [
            {"role": "user", "content": f"question {number * 7 % 10} of {number}"},
            {"role": "assistant", "content": f"answer {number} " * (1 + number % 4)},
        ]
        chat = (encode_pair if base.encoder_decoder else encode_chat)(base.tokenizer, turns, base.end_ids)
        supervised = {place for span in chat.spans for place in range(span.start, span.end)}
        weights = tuple(1.0 if place in supervised else 0.0 for place in range(len(chat.tokens)))
        made.append(TokenRow(f"row{number}", chat.tokens, weights, 1))
    return made


def paired(every: list[TokenRow]) -> list[PreferencePair]:
    """Each row against the next one."""
    return [PreferencePair(f"pair{number}", one, other) for number, (one, other) in enumerate(pairwise(every))]


def job(base: Base, folder: Path, options: TrainOptions, training: int = 19, validation: int = 4) -> TrainingJob:
    every = rows(base, training + validation)
    return TrainingJob(
        tuned=attach_lora(base, rank=4, alpha=8, seed=5),
        training=every[:training],
        validation=every[training:],
        options=options,
        pad=2,
        seed=17,
        folder=folder,
        versions={"atanor": "test"},
    )


LONG = TrainOptions(epochs=8, batch=4, learning_rate=1e-2, validate_every=3, patience=0)


def train_in_process(base_folder: Path, run_folder: Path) -> str:
    """Train the long job from wherever `run_folder` stands; returns the hash of the adapter's weights."""
    base = tiny_base(base_folder)
    result = train(job(base, run_folder, LONG), Silent())
    return sha256_file(result.folder / "adapter_model.safetensors")


if __name__ == "__main__":
    print(train_in_process(Path(sys.argv[1]), Path(sys.argv[2])))
