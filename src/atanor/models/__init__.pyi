from .adapter import Adapter, attach, attach_lora, load_adapter, virtual_tokens
from .bottleneck import Bottleneck, BottleneckShape, attach_bottleneck
from .chat_template import EncodedChat, Span, encode_chat, encode_prompt, encode_text
from .load import Base, config_of, context_of, end_ids_of, load_base, load_tokenizer
from .loading import load_tuned
from .pissa import Pissa
from .reference import BaseReference, Scheme
from .resolve import LocalBase, resolve_base
from .shapes import Activation, Placement
from .tuned import Tuned, trained_numbers
from .weights import Weights, attach_all, attach_last

__all__ = [
    "Activation",
    "Adapter",
    "Base",
    "BaseReference",
    "Bottleneck",
    "BottleneckShape",
    "EncodedChat",
    "LocalBase",
    "Pissa",
    "Placement",
    "Scheme",
    "Span",
    "Tuned",
    "Weights",
    "attach",
    "attach_all",
    "attach_bottleneck",
    "attach_last",
    "attach_lora",
    "config_of",
    "context_of",
    "encode_chat",
    "encode_prompt",
    "encode_text",
    "end_ids_of",
    "load_adapter",
    "load_base",
    "load_tokenizer",
    "load_tuned",
    "resolve_base",
    "trained_numbers",
    "virtual_tokens",
]
