"""The formats that can be written."""

from __future__ import annotations

from enum import StrEnum


class WriteFormat(StrEnum):
    """How an example becomes a row. A format that ends in `_chat` holds lists of messages, the plain one texts."""

    OPENAI = "openai"
    """Chat fine-tuning upload of OpenAI: `messages` and `tools`, checked against its rules."""
    OPENAI_PREFERENCE = "openai_preference"
    """Preference upload of OpenAI: `input`, `preferred_output`, `non_preferred_output`."""
    OPENAI_COMPLETIONS = "openai_completions"
    """Older upload of OpenAI for models without chat: `prompt`, `completion`."""
    VERTEX = "vertex"
    """Supervised tuning of Gemini: `systemInstruction`, `contents`."""
    VERTEX_PREFERENCE = "vertex_preference"
    """Preference tuning of Gemini: `contents` and two scored `completions`."""
    MESSAGES = "messages"
    """The rows of `openai` without the rules of the upload, in any container."""
    SHAREGPT = "sharegpt"
    """`conversations` with `from` and `value`."""
    ALPACA = "alpaca"
    """`instruction`, `input`, `output`."""
    PROMPT_COMPLETION = "prompt_completion"
    """`prompt`, `completion`."""
    PROMPT_COMPLETION_CHAT = "prompt_completion_chat"
    """The same as lists of messages (TRL)."""
    PREFERENCE = "preference"
    """`prompt`, `chosen`, `rejected` (TRL)."""
    PREFERENCE_CHAT = "preference_chat"
    """The same as lists of messages (TRL)."""
    KTO = "kto"
    """`prompt`, `completion`, `label` (TRL)."""
    KTO_CHAT = "kto_chat"
    """The same as lists of messages (TRL)."""
    REFERENCES = "references"
    """`prompt` and the list of its equally good `references`."""
    CLASSIFICATION = "classification"
    """`text`, `label`."""
    TEXT = "text"
    """`text`."""
