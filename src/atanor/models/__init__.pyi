from .adapter import answering_as, attach_lora, detach, load_adapter, save_adapter
from .chat_template import EncodedChat, Span, encode_chat, encode_prompt, encode_text
from .load import Base, config_of, context_of, end_ids_of, load_base, load_tokenizer
from .reference import BaseReference, Scheme
from .resolve import LocalBase, resolve_base

__all__ = [
    "Base",
    "BaseReference",
    "EncodedChat",
    "LocalBase",
    "Scheme",
    "Span",
    "answering_as",
    "attach_lora",
    "config_of",
    "context_of",
    "detach",
    "encode_chat",
    "encode_prompt",
    "encode_text",
    "end_ids_of",
    "load_adapter",
    "load_base",
    "load_tokenizer",
    "resolve_base",
    "save_adapter",
]
