"""Names made of content: of a split, and of the group an example belongs to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii

from atanor.data.rows import Example


def assignment_sha(assignments: Mapping[str, str]) -> str:
    """Hex SHA-256 of a split: every example id with its side, whatever order the rows stand in."""
    return hashlib.sha256(json.dumps(sorted(assignments.items())).encode()).hexdigest()


def group_key(example: Example) -> str:
    """16 hex digits that examples of one group share: the group it was given, else its prompt, else its text.

    The content is hashed so that a frozen split can be committed without the data.
    """
    if example.group is not None:
        return content_key("group", example.group)
    if example.messages:
        return content_key(
            "prompt", *(part for message in example.prompt for part in (message.speaker, message.content))
        )
    return content_key("text", example.text or "")


def content_key(*content: str) -> str:
    """16 hex digits of the SHA-256 of these texts in this order."""
    # What `json.dumps` writes for a list of texts, in a third of its time.
    written = f"[{', '.join(map(encode_basestring_ascii, content))}]"
    return hashlib.sha256(written.encode()).hexdigest()[:16]
