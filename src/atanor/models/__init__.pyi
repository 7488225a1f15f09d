from .adapter import Adapter, attach, attach_lora, load_adapter, virtual_tokens
from .bottleneck import Bottleneck, BottleneckShape, attach_bottleneck
from .chat_template import EncodedChat, Span, encode_chat, encode_prompt, encode_text
from .load import Base, config_of, context_of, end_ids_of, load_base, load_tokenizer
from .loading import load_tuned
from .pissa import Pissa
from .quantisation import (
    QUANTISATION_FILE,
    QuantisedAdapter,
    attach_quantised,
    dequantised,
    is_quantised,
    quantise,
)
from .reference import BaseReference, Scheme
from .resolve import LocalBase, resolve_base
from .shapes import Activation, Levels, Placement, Quantisation
from .tuned import Tuned, trained_numbers
from .weights import Weights, attach_all, attach_last

__all__ = [
    "QUANTISATION_FILE",
    "Activation",
    "Adapter",
    "Base",
    "BaseReference",
    "Bottleneck",
    "BottleneckShape",
    "EncodedChat",
    "Levels",
    "LocalBase",
    "Pissa",
    "Placement",
    "Quantisation",
    "QuantisedAdapter",
    "Scheme",
    "Span",
    "Tuned",
    "Weights",
    "attach",
    "attach_all",
    "attach_bottleneck",
    "attach_last",
    "attach_lora",
    "attach_quantised",
    "config_of",
    "context_of",
    "dequantised",
    "encode_chat",
    "encode_prompt",
    "encode_text",
    "end_ids_of",
    "is_quantised",
    "load_adapter",
    "load_base",
    "load_tokenizer",
    "load_tuned",
    "quantise",
    "resolve_base",
    "trained_numbers",
    "virtual_tokens",
]
