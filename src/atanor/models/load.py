"""Load a base model and its tokenizer, and read the facts about it that others need."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES
from transformers.utils import logging

from atanor.errors import BaseModelError, Problem
from atanor.models.chat_template import end_of_turn_ids
from atanor.models.resolve import LocalBase


@dataclass(frozen=True)
class Base:
    """A base model in memory.

    Attributes:
        local: where it came from.
        model: the network, in evaluation mode, every parameter frozen.
        tokenizer: with its chat template.
        context: longest sequence in tokens.
        end_ids: token ids that end an answer.
        template_sha: SHA-256 of the chat template, hex; compared at resume and stored with a candidate.
    """

    local: LocalBase
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    context: int
    end_ids: frozenset[int]
    template_sha: str

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def encoder_decoder(self) -> bool:
        """An encoder reads the prompt and a decoder writes the answer (T5, BART)."""
        return bool(self.model.config.is_encoder_decoder)

    @property
    def task_type(self) -> str:
        """PEFT's word for what the base does."""
        return "SEQ_2_SEQ_LM" if self.encoder_decoder else "CAUSAL_LM"


def load_tokenizer(local: LocalBase) -> PreTrainedTokenizerBase:
    """The tokenizer of a base.

    Raises:
        BaseModelError: the folder has none, or it cannot be read.
    """
    try:
        return AutoTokenizer.from_pretrained(local.folder)
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(local, "its tokenizer", error) from error


def context_of(local: LocalBase) -> int:
    """Longest sequence of a base in tokens, from its configuration; no weights are loaded."""
    return int(getattr(config_of(local).get_text_config(), "max_position_embeddings", 0) or 2048)


def config_of(local: LocalBase) -> PretrainedConfig:
    """Configuration of a base; no weights are loaded."""
    return AutoConfig.from_pretrained(local.folder)


def is_encoder(config: PretrainedConfig) -> bool:
    """A model of this configuration reads in both directions and writes nothing: BERT and its kin."""
    masked = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return masked and not config.is_encoder_decoder and not getattr(config, "is_decoder", False)


def load_base(local: LocalBase, dtype: torch.dtype = torch.float32, device: str = "cpu") -> Base:
    """Load weights and tokenizer.

    Raises:
        BaseModelError: the folder cannot be read, or the model is no language model.
    """
    return base_of(local, load_network(local, dtype).to(device))


def base_of(local: LocalBase, model: PreTrainedModel) -> Base:
    """What is known of a base, around a network that was loaded of it.

    Raises:
        BaseModelError: it has no tokenizer that can be read.
    """
    tokenizer = load_tokenizer(local)
    template = tokenizer.chat_template or ""
    return Base(
        local=local,
        model=model,
        tokenizer=tokenizer,
        context=context_of(local),
        end_ids=end_ids_of(local, tokenizer),
        template_sha=hashlib.sha256(str(template).encode()).hexdigest(),
    )


def load_network(local: LocalBase, dtype: torch.dtype) -> PreTrainedModel:
    """The network of a base on the processor, in evaluation mode, every parameter frozen.

    Raises:
        BaseModelError: see `load_base`.
    """
    logging.disable_progress_bar()
    try:
        config = config_of(local)
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(local, "its configuration", error) from error
    require_writing(local, config)
    if config.is_encoder_decoder and config.decoder_start_token_id is None:
        problem = Problem("its config.json has no decoder_start_token_id", file=str(local.folder), field="base")
        raise BaseModelError(f"what the decoder of {local.reference} begins with is not known", [problem])
    family = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    try:
        network: PreTrainedModel = family.from_pretrained(local.folder, dtype=dtype)
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(local, "its weights", error) from error
    return network.eval().requires_grad_(False)


def end_ids_of(local: LocalBase, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Token ids that end an answer: the tokenizer's and those of the base's generation settings; no weights are loaded.

    Some families end a turn with a token that only the generation settings name (Llama 3's `<|eot_id|>`).
    """
    if not (local.folder / "generation_config.json").is_file():
        return end_of_turn_ids(tokenizer)
    ends = GenerationConfig.from_pretrained(local.folder).eos_token_id
    if ends is None:
        return end_of_turn_ids(tokenizer)
    return end_of_turn_ids(tokenizer, [int(end) for end in ends] if isinstance(ends, (list, tuple)) else [int(ends)])


def require_writing(local: LocalBase, config: PretrainedConfig) -> None:
    """A base writes. Transformers would load an encoder as a language model, and it would write nonsense.

    Raises:
        BaseModelError: it is an encoder.
    """
    if not is_encoder(config):
        return
    problem = Problem(
        "it is an encoder: it reads in both directions and writes nothing",
        field="base",
        value=str(local.reference),
        fix=f"Name a model that writes as the base, and give this one to `classifier: {{base: {local.reference}}}`",
    )
    raise BaseModelError(f"{local.reference} cannot be the base of a role", [problem])


def _unreadable(local: LocalBase, what: str, error: Exception) -> BaseModelError:
    return BaseModelError(
        f"the base model {local.reference} cannot be used",
        [
            Problem(
                reason=f"{what} cannot be loaded: {error}",
                file=str(local.folder),
                field="base",
                fix="Check that the folder holds a language model saved by Transformers",
            )
        ],
    )
