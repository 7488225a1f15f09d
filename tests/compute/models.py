"""Tiny random models of several families, truly float64 where asked, and the plain computation to compare with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from hypothesis import strategies as st
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GptOssConfig,
    GptOssForCausalLM,
    Lfm2Config,
    Lfm2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from atanor.compute import Engine, total_weight
from atanor.data.rows import TokenRow

VOCABULARY = 60
_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
}
FAMILIES: dict[str, Callable[[], PreTrainedModel]] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**_SIZES, tie_word_embeddings=True)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**_SIZES)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**_SIZES)),
    "mistral, sliding window of 7": lambda: MistralForCausalLM(MistralConfig(**_SIZES, sliding_window=7)),
    "gemma2, soft caps, window of 5": lambda: Gemma2ForCausalLM(
        Gemma2Config(**_SIZES, sliding_window=5, attn_logit_softcapping=2.0, final_logit_softcapping=3.0)
    ),
    "phi3, fused projections": lambda: Phi3ForCausalLM(Phi3Config(**_SIZES)),
    "gpt-oss, attention sinks": lambda: GptOssForCausalLM(
        GptOssConfig(**_SIZES, num_local_experts=2, num_experts_per_tok=1, sliding_window=6)
    ),
}
RECURRENT: Callable[[], PreTrainedModel] = lambda: Lfm2ForCausalLM(  # noqa: E731
    Lfm2Config(**_SIZES, layer_types=["conv", "full_attention"])
)


def adapted(dtype: torch.dtype, family: str = "llama", heads: tuple[int, int] | None = None) -> PeftModel:
    """A tiny model whose adapter is not zero, so that both its factors have gradients."""
    torch.manual_seed(0)
    if heads is None:
        network = FAMILIES[family]()
    else:
        sizes = {**_SIZES, "num_attention_heads": heads[0], "num_key_value_heads": heads[1]}
        network = LlamaForCausalLM(LlamaConfig(**sizes, tie_word_embeddings=True))
    return with_adapter(network, dtype)


def with_adapter(network: PreTrainedModel, dtype: torch.dtype, rank: int = 3) -> PeftModel:
    torch.manual_seed(3)
    for parameter in network.parameters():  # zero-initialised sinks and biases would hide mistakes
        if parameter.dim() == 1:
            parameter.data += 0.1 * torch.randn_like(parameter)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
    model = get_peft_model(network.to(dtype), config, autocast_adapter_dtype=False)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn_like(parameter, dtype=dtype) * 0.1
    if dtype == torch.float64:
        widen_norms(network)
    return model.eval()


def widen_norms(network: nn.Module) -> None:
    """Transformers rounds to float32 inside a norm whatever comes in; the truth in float64 must not."""
    for module in network.modules():
        if type(module).__name__ in {"LlamaRMSNorm", "Qwen2RMSNorm", "Qwen3RMSNorm", "MistralRMSNorm", "Phi3RMSNorm"}:

            def forward(x: torch.Tensor, module: nn.Module = module) -> torch.Tensor:
                scale = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + module.variance_epsilon)
                return module.weight * (x * scale)

            module.forward = forward


def plain_gradients(model: PeftModel, rows: Sequence[TokenRow]) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and adapter gradients, one example at a time, all logits, no padding, no tricks."""
    model.zero_grad()
    total, loss = total_weight(rows), 0.0
    for row in rows:
        logits_TV = model(input_ids=torch.tensor([row.tokens])).logits[0]
        wide = logits_TV if logits_TV.dtype == torch.float64 else logits_TV.float()
        nll_T = torch.nn.functional.cross_entropy(wide[:-1], torch.tensor(row.tokens[1:]), reduction="none")
        part = (nll_T * torch.tensor(row.weights[1:], dtype=nll_T.dtype)).sum() / total
        part.backward()
        loss += float(part.detach())
    return loss, gradients(model)


def engine_gradients(
    engine: Engine, model: PeftModel, rows: Sequence[TokenRow]
) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    return engine.backward(rows), gradients(model)


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


def largest_error(ours: dict[str, torch.Tensor], truth: dict[str, torch.Tensor]) -> float:
    """Largest difference of any gradient, relative to the largest gradient."""
    assert ours.keys() == truth.keys() and truth
    # All gradients are zero where the only context is the padding token, whose embedding is zero.
    scale = max(float(gradient.abs().max()) for gradient in truth.values()) or 1.0
    return max(float((ours[name] - truth[name]).abs().max()) for name in truth) / scale


weights = st.sampled_from([0.0, 0.0, 1.0, 0.5, 2.0])


@st.composite
def windows(draw: st.DrawFn, most: int = 7) -> list[TokenRow]:
    """Rows cut from one another at any place, so that they share prefixes of any depth, are equal or unrelated."""
    rows: list[TokenRow] = []
    for number in range(draw(st.integers(1, most))):
        stem: tuple[int, ...] = ()
        if rows:
            other = draw(st.sampled_from(rows))
            stem = other.tokens[: draw(st.integers(0, len(other.tokens)))]
        tail = draw(st.lists(st.integers(0, VOCABULARY - 1), max_size=14))
        tokens = (*stem, *tail)
        tokens += (1, 2)[: max(0, 2 - len(tokens))]
        loss = draw(st.lists(weights, min_size=len(tokens), max_size=len(tokens)))
        rows.append(TokenRow(str(number), tokens, tuple(loss), 1))
    first = rows[0]  # at least one supervised token
    rows[0] = TokenRow("0", first.tokens, (*first.weights[:-1], 1.0), 1)
    return rows
