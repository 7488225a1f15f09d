from .adapter import Adapter, attach, attach_lora, load_adapter, virtual_tokens
from .bottleneck import Bottleneck, BottleneckShape, attach_bottleneck
from .chat_template import EncodedChat, Span, encode_chat, encode_prompt, encode_text
from .classifier import Classifying, classifying_decoder, load_classifying, names_of_head, names_of_last
from .load import Base, config_of, context_of, end_ids_of, is_encoder, load_base, load_tokenizer, require_writing
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
from .scaling import Scaling
from .sequence_to_sequence import encode_halves, encode_pair, encode_question, encode_source
from .shapes import Activation, Levels, Placement, Pooling, Quantisation
from .starting import begin_from
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
    "Classifying",
    "EncodedChat",
    "Levels",
    "LocalBase",
    "Pissa",
    "Placement",
    "Pooling",
    "Quantisation",
    "QuantisedAdapter",
    "Scaling",
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
    "begin_from",
    "classifying_decoder",
    "config_of",
    "context_of",
    "dequantised",
    "encode_chat",
    "encode_halves",
    "encode_pair",
    "encode_prompt",
    "encode_question",
    "encode_source",
    "encode_text",
    "end_ids_of",
    "is_encoder",
    "is_quantised",
    "load_adapter",
    "load_base",
    "load_classifying",
    "load_tokenizer",
    "load_tuned",
    "names_of_head",
    "names_of_last",
    "quantise",
    "require_writing",
    "resolve_base",
    "trained_numbers",
    "virtual_tokens",
]
