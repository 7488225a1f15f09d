"""A tiny tokenizer made in code: byte-level BPE with a ChatML template, as the starter model has, and no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

# A disk that is busy with other work is no failure of a property.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SENTENCES = [
    "The library has no end, and every book in it has read you before.",
    "La biblioteca no tiene fin; quien entra, ya ha entrado.",
    "system user assistant tool\n\n\nWhat is the answer? The answer is a question.",
]


def tiny_tokenizer(template: str | None = CHATML) -> PreTrainedTokenizerFast:
    """A new tokenizer with this chat template."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(SENTENCES * 4, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<|im_start|>", eos_token="<|im_end|>")
    tokenizer.chat_template = template
    return tokenizer


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write text or bytes to a file in the temporary folder and return its name."""

    def to_file(name: str, content: str | bytes) -> str:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return to_file
