"""A tiny random-weight chat model and its tokenizer, made in a second and the same every time."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

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


def tiny_pair_tokenizer(*, begins: bool) -> PreTrainedTokenizerFast:
    """Byte-level BPE without a chat template that ends every text with `</s>`, as T5's, or begins it too, as BART's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "</s>", "<s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    single = "<s> $A </s>" if begins else "$A </s>"
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=[("</s>", 1), ("<s>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", bos_token="<s>" if begins else None
    )


def tiny_t5(vocabulary: int, dropout: float = 0.0) -> T5ForConditionalGeneration:
    """Two layers a side, relative positions, gated feed-forward blocks; random weights by a fixed seed."""
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=vocabulary,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        dropout_rate=dropout,
        feed_forward_proj="gated-gelu",
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    return T5ForConditionalGeneration(config)


def tiny_bart(vocabulary: int) -> BartForConditionalGeneration:
    """Two layers a side, learned positions; random weights by a fixed seed."""
    torch.manual_seed(0)
    config = BartConfig(
        vocab_size=vocabulary,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=256,
        dropout=0.0,
        init_std=0.3,
        decoder_start_token_id=1,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=1,
        forced_eos_token_id=None,
    )
    return BartForConditionalGeneration(config)


def save_tiny_pair(folder: Path, family: str = "t5") -> Path:
    """A Transformers folder of an encoder and a decoder."""
    tokenizer = tiny_pair_tokenizer(begins=family == "bart")
    model = tiny_bart(len(tokenizer)) if family == "bart" else tiny_t5(len(tokenizer))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_tiny_base(folder: Path) -> Path:
    """A Transformers folder that `path:` names."""
    tokenizer = tiny_tokenizer()
    model = tiny_llama(len(tokenizer))
    model.generation_config = GenerationConfig(eos_token_id=2, pad_token_id=2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
