"""A client for any OpenAI-compatible chat endpoint: `POST {base_url}/chat/completions`.

Small on purpose: one kind of request, bounded concurrency, retries with backoff, a time limit, a count of tokens and
money. The key is read from an environment variable when a request is made and never shown or followed elsewhere.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import Message as Headers
from http.client import HTTPException
from typing import IO, Any

from atanor.data.augmentation.options import EndpointOptions
from atanor.errors import DataError, Problem, shorten

_AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 529))
"""Statuses after which the same request may succeed."""
_LONGEST_WAIT_S = 60.0
_LARGEST_ANSWER = 8 << 20
"""Bytes of an answer that are read; a longer one counts as none."""


Conversation = Sequence[Mapping[str, str]]
"""Messages, each with `role` and `content`."""


@dataclass(frozen=True)
class Unanswered:
    """There is no answer that can be used, and why."""

    reason: str


@dataclass
class Spent:
    """What the requests so far have used."""

    requests: int = 0
    retries: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0


@dataclass(frozen=True)
class Endpoint:
    """An `Engine` behind a URL.

    Attributes:
        options: where it is, which model, limits and prices.
        place: where these options were written, for errors.
        spent: counted as requests are answered.
    """

    options: EndpointOptions
    place: str = "augment.endpoint"
    spent: Spent = field(default_factory=Spent)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def cost(self) -> float:
        """Money spent so far by the prices of the options, in their currency."""
        per_million = (
            self.spent.prompt_tokens * self.options.prompt_price + self.spent.answer_tokens * self.options.answer_price
        )
        return per_million / 1e6

    def generate(self, prompts: Sequence[str]) -> list[str | None]:
        """See `Engine.generate`. A prompt whose retries are used up has no answer.

        Raises:
            DataError: the very first prompt fails, or the endpoint refuses the key, the model or the address.
        """
        conversations = [({"role": "user", "content": prompt},) for prompt in prompts]
        return [one if isinstance(one, str) else None for one in self.replies(conversations)]

    def replies(self, conversations: Sequence[Conversation], *, first_alone: bool = True) -> list[str | Unanswered]:
        """The answer to each conversation, or why there is none.

        Args:
            conversations: what is asked.
            first_alone: the very first one has to succeed before others are asked.

        Raises:
            DataError: as `generate`.
        """
        if not conversations:
            return []
        # The first one goes alone: an endpoint that is not there should not be asked a thousand times.
        alone = [] if self.spent.requests or not first_alone else [self._answer(conversations[0])]
        with ThreadPoolExecutor(self.options.concurrency) as pool:
            return [*alone, *pool.map(self._answer_or_reason, conversations[len(alone) :])]

    def _answer_or_reason(self, conversation: Conversation) -> str | Unanswered:
        try:
            return self._answer(conversation)
        except _NoAnswerError as error:
            return Unanswered(error.problems[0].reason)

    def _answer(self, conversation: Conversation) -> str | Unanswered:
        """Ask until there is an answer, an error that will not go away, or no retry left."""
        for attempt in range(self.options.retries + 1):
            outcome = self._ask(conversation)
            if not isinstance(outcome, _Failure):
                self._count(requests=1, usage=outcome.get("usage"))
                return _content(outcome)
            failure = outcome
            if failure.status is not None and failure.status not in _AGAIN:
                raise self._refused(failure)
            if attempt < self.options.retries:
                self._count(retries=1)
                time.sleep(failure.wait_s or min(self.options.backoff_s * 2**attempt, _LONGEST_WAIT_S))
        self._count(failed=1)
        raise _NoAnswerError(
            "the endpoint does not answer",
            [
                Problem(
                    failure.reason,
                    field=f"{self.place}.base_url",
                    value=self.options.base_url,
                    fix="Start the server or mend the address; `timeout_s` and `retries` can be raised",
                )
            ],
        )

    def _ask(self, conversation: Conversation) -> Mapping[str, Any] | _Failure:
        try:
            with _OPENER.open(self._request(conversation), timeout=self.options.timeout_s) as response:
                read = json.loads(response.read(_LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            said = error.read(2000).decode("utf-8", "replace")
            return _Failure(f"HTTP {error.code}: {shorten(said, 200)}", error.code, _retry_after(error.headers))
        except (OSError, HTTPException, ValueError) as error:
            return _Failure(f"{type(error).__name__}: {error}")
        return read if isinstance(read, dict) else _Failure("the answer is not a JSON object")

    def _request(self, conversation: Conversation) -> urllib.request.Request:
        body = {
            "model": self.options.model,
            "messages": list(conversation),
            "temperature": self.options.temperature,
            "max_tokens": self.options.max_tokens,
        }
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.options.api_key_env is not None:
            headers["Authorization"] = f"Bearer {self._key(self.options.api_key_env)}"
        return urllib.request.Request(
            f"{self.options.base_url.rstrip('/')}/chat/completions", json.dumps(body).encode(), headers, method="POST"
        )

    def _key(self, name: str) -> str:
        key = os.environ.get(name, "").strip()
        if not key:
            fix = f"Run `export {name}=…`, or set `api_key_env: null` for a server that needs no key"
            raise DataError(
                "the endpoint needs a key",
                [
                    Problem(
                        "the environment variable is not set", field=f"{self.place}.api_key_env", value=name, fix=fix
                    )
                ],
            )
        return key

    def _count(self, *, requests: int = 0, retries: int = 0, failed: int = 0, usage: object = None) -> None:
        used = usage if isinstance(usage, dict) else {}
        with self._lock:
            self.spent.requests += requests
            self.spent.retries += retries
            self.spent.failed += failed
            self.spent.prompt_tokens += _whole(used.get("prompt_tokens"))
            self.spent.answer_tokens += _whole(used.get("completion_tokens"))

    def _refused(self, failure: _Failure) -> DataError:
        where = {401: "api_key_env", 403: "api_key_env", 404: "base_url"}.get(failure.status or 0, "model")
        return DataError(
            "the endpoint refuses the request",
            [
                Problem(
                    failure.reason,
                    field=f"{self.place}.{where}",
                    value=str(getattr(self.options, where)),
                    fix="Check the key, the address (it usually ends in /v1) and the name of the model",
                )
            ],
        )


class _NoAnswerError(DataError):
    """The retries of one prompt are used up."""


@dataclass(frozen=True)
class _Failure:
    reason: str
    status: int | None = None
    wait_s: float | None = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: following it would carry the key to another server."""

    def redirect_request(  # noqa: PLR0917, the signature of the standard library
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Headers, newurl: str
    ) -> None:
        del req, fp, code, msg, headers, newurl


_OPENER = urllib.request.build_opener(_NoRedirect)


def _content(answer: Mapping[str, Any]) -> str | Unanswered:
    """The text of the first choice, where there is one and it was not cut at the limit of tokens."""
    try:
        choice = answer["choices"][0]
        content = choice["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return Unanswered("what came back holds no answer")
    if not isinstance(content, str):
        return Unanswered("the answer is no text")
    if choice.get("finish_reason") == "length":
        return Unanswered("the answer was cut at `max_tokens`")
    return content.strip() or Unanswered("the answer is empty")


def _retry_after(headers: Headers) -> float | None:
    """Seconds the server asks to wait; dates and nonsense are left to the backoff."""
    try:
        return min(max(float(headers.get("Retry-After", "")), 0.0), _LONGEST_WAIT_S)
    except ValueError:
        return None


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
