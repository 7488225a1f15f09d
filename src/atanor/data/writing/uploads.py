"""What the platforms say about files for fine-tuning, beyond the shape of a row.

OpenAI (guide "Supervised fine-tuning", API reference of files): at least 10 examples, one .jsonl file of at most
512 MB, 65,536 tokens an example for the GPT-4o and GPT-4.1 families; the rest of a longer one is cut off. Gemini on
Vertex (pages "About supervised fine-tuning" and "About preference tuning"): .jsonl of at most 1 GB, 131,072 tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atanor.data.refusals import listed
from atanor.data.rows import Example, Refusal
from atanor.data.writing.kinds import WriteFormat
from atanor.errors import DataError, Problem

BYTES_A_TOKEN = 4
"""Bytes of English that one token stands for, roughly; other languages need more tokens."""


@dataclass(frozen=True)
class UploadRules:
    """The rules of one platform.

    Attributes:
        platform: its name.
        least: examples a file needs.
        most_tokens: tokens of the longest example; longer ones are told, not refused, because the count is a guess.
        most_bytes: bytes of the file.
        beyond: what becomes of a longer example, or what to do about it.
    """

    platform: str
    least: int
    most_tokens: int
    most_bytes: int
    beyond: str


_OPENAI = UploadRules("OpenAI", 10, 65_536, 512_000_000, "it cuts the rest off")
_VERTEX = UploadRules("Vertex", 1, 131_072, 1_000_000_000, "shorten them")
UPLOADS: Mapping[WriteFormat, UploadRules] = {
    WriteFormat.OPENAI: _OPENAI,
    WriteFormat.OPENAI_PREFERENCE: _OPENAI,
    WriteFormat.OPENAI_COMPLETIONS: _OPENAI,
    WriteFormat.VERTEX: _VERTEX,
    WriteFormat.VERTEX_PREFERENCE: _VERTEX,
}


@dataclass
class UploadCheck:
    """Looks at the examples of one upload as they are written.

    Attributes:
        rules: of the platform.
        path: the file, for messages.
        written: examples so far.
        long: those of them that may be longer than the limit.
    """

    rules: UploadRules
    path: Path
    written: int = 0
    long: int = 0

    def count(self, example: Example) -> None:
        """Look at one example that is written."""
        texts = [message.content for message in example.messages] + [example.rejected or ""]
        self.written += 1
        self.long += sum(len(text.encode()) for text in texts) > self.rules.most_tokens * BYTES_A_TOKEN

    def require_enough(self, refusals: tuple[Refusal, ...]) -> None:
        """Raise the `DataError` of a file with fewer examples than the platform takes."""
        if self.written < self.rules.least:
            least = f"{self.rules.platform} takes files of at least {self.rules.least} examples"
            refused = f" (examples without a place in the format: {len(refusals)})" if refusals else ""
            reason = f"{least}; this one would have {self.written}{refused}"
            problem = Problem(reason, file=str(self.path), fix="Bring more examples, or write them as `messages`")
            raise DataError(f"{self.path} was not written", [problem, *listed(refusals)])

    def notes(self, size: int) -> tuple[str, ...]:
        """What the user should know before the upload of a file of `size` bytes."""
        rules, told = self.rules, []
        if self.long:
            told.append(
                f"{self.long} of {self.written} examples may have more than {rules.most_tokens:,} tokens "
                f"(at {BYTES_A_TOKEN} bytes a token), the most that {rules.platform} reads; {rules.beyond}"
            )
        if size > rules.most_bytes:
            told.append(f"the file has {size:,} bytes, and {rules.platform} takes at most {rules.most_bytes:,}")
        return tuple(told)
