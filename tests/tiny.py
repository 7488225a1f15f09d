"""A tiny random-weight chat model and its tokenizer, made in a second and the same every time."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_SENTENCES = [
    "The Director turns a scene note into one beat, and nothing else.",
    "Ask for the map of the seventh floor, said the porter, and wait by the lamp.",
    '{"who": "Inés", "act": "enters", "line": "Who left the door open?"}',
    "system user assistant question answer yes no one two three four five",
]


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE with a ChatML template; every string can be written with it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", bos_token="<|im_start|>", pad_token="<|im_end|>"
    )
    fast.chat_template = CHATML
    return fast


def tiny_llama(vocabulary: int, dtype: torch.dtype = torch.float32, **changes: int) -> LlamaForCausalLM:
    """Two layers, 32 wide, grouped-query attention, tied head; random weights by a fixed seed."""
    sizes = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        **changes,
    }
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=vocabulary, tie_word_embeddings=True, eos_token_id=2, pad_token_id=2, **sizes)
    return LlamaForCausalLM(config).to(dtype)


def save_tiny_base(folder: Path) -> Path:
    """A Transformers folder that `path:` names."""
    tokenizer = tiny_tokenizer()
    model = tiny_llama(len(tokenizer))
    model.generation_config = GenerationConfig(eos_token_id=2, pad_token_id=2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
