"""General ability in the main job: what it will cost, what base and candidate make of the probes, and the comparisons.

The probes are asked without the role's system message or examples: they are about what the network can do.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from atanor.compute import device_name, gemm_rate
from atanor.errors import ConfigurationError, Problem
from atanor.evaluate import Comparison, compare
from atanor.evaluate.ability.encoding import text_tokens
from atanor.evaluate.ability.tasks import Asked, Task, tasks_of
from atanor.evaluate.items import Outcome
from atanor.evaluate.options import EvaluationOptions
from atanor.evaluate.report import ProbeSection
from atanor.evaluate.runner import outcomes_from_json, outcomes_to_json
from atanor.methods import Made
from atanor.models import Base
from atanor.progress import Progress
from atanor.store import Store

_READING, _WRITING = 0.6, 0.3
"""Share of a matrix product's rate at which tokens are read, and at which they are written."""


class GeneralAbility:
    """Asks base and candidates the probes of one role.

    Args:
        base: the loaded base.
        options: the role's.
        root: of the project, where files of probes are relative to.
        seed: of the bootstrap.
        store: remembers outcomes, so that nothing is asked twice.

    Raises:
        ConfigurationError: the base is an encoder with a decoder.
        DataError: a file of probes cannot be read.
    """

    def __init__(self, base: Base, options: EvaluationOptions, root: Path, *, seed: int, store: Store) -> None:
        self._base = base
        self._options = options
        self._seed = seed
        self._store = store
        self._tasks = tasks_of(options, root)
        self._of_base: dict[str, list[Outcome]] = {}
        if self._tasks and base.encoder_decoder:
            reason = "the probes are texts that a decoder goes on with, and this base has an encoder before it"
            raise ConfigurationError(
                "general ability cannot be asked", [Problem(reason, field="evaluate.ability", fix="Remove it")]
            )

    @property
    def in_words(self) -> str | None:
        """What is asked and how long that takes, told first; None where nothing is."""
        if not self._tasks:
            return None
        items = sum(len(task.items) for task in self._tasks)
        read = sum(
            len(text_tokens(self._base.tokenizer, text))
            for task in self._tasks
            for item in task.items
            for text in task.texts(item)
        )
        written = sum(len(task.items) * task.written for task in self._tasks)
        told = f"{self._options.ability}: {items:,} items, {read:,} tokens to read and at most {written:,} to write"
        if device_name() != "cpu":
            return told
        rate = gemm_rate(self._base.model.dtype)
        seconds = 2 * self._base.parameters * (read / _READING + written / _WRITING) / rate
        return f"{told}; about {max(0.1, seconds / 60):.2g} minutes for the base, and for every candidate"

    def ask_base(self, progress: Progress) -> None:
        """What the untouched base makes of the probes; nothing may be attached to it."""
        for task in self._tasks:
            asked = Asked(self._base, self._base.model, "base", progress)
            self._of_base[task.name] = self._outcomes(task, asked, "base")

    def sections(self, made: Made, who: str, progress: Progress) -> list[ProbeSection]:
        """A candidate beside the base, one comparison a metric of each probe; nothing of what only names classes.

        A candidate that trained nothing is the base as far as these are concerned.

        Args:
            made: the candidate, attached to the base.
            who: its name in the progress bar.
            progress: shown what is asked.
        """
        if made.classifier is not None or not self._tasks:
            return []
        found: list[Comparison] = []
        for task in self._tasks:
            before = after = self._of_base[task.name]
            if made.tuned is not None:
                asked = Asked(self._base, made.tuned.model, who, progress, made.tuned.untouched, before)
                after = self._outcomes(task, asked, made.identity)
            found += [
                compare(metric, task.items, before, after, seed=self._seed, options=self._options)
                for metric in task.metrics
            ]
        about = [f"Asked without the role's system message and examples, at the setting `{self._options.ability}`."]
        return [ProbeSection(title="General ability", about=about, comparisons=found)]

    def _outcomes(self, task: Task, asked: Asked, identity: str) -> list[Outcome]:
        content = [
            "ability",
            identity,
            self._base.local.sha,
            self._base.template_sha,
            str(self._base.model.dtype),
            type(task).__name__,
            task.written,
            [[item.prompt, item.reference, dict(item.fields)] for item in task.items],
        ]
        key = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        known = self._store.outcomes(key)
        if known is not None:
            return outcomes_from_json(known)
        outcomes = task.ask(asked)
        self._store.remember_outcomes(key, outcomes_to_json(outcomes))
        return outcomes
