"""What augmentation is given by a project: the role's own base as an engine, and the checks' language identifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from atanor.data.augmentation import Engines
from atanor.data.augmentation.options import LocalOptions
from atanor.data.rows import Speaker
from atanor.data.sides import Side
from atanor.progress import Progress
from atanor.project.options import ProjectFile

if TYPE_CHECKING:
    from atanor.data.workshop.dataset import Dataset
    from atanor.models import Base, LocalBase

_SAMPLE = 2000
"""Rows that are looked at to know which languages there are."""
_COMMON_SHARE = 0.05
"""Share of the rows from which a language is one that the rows are in."""
_REMEMBERED = 1 << 16
"""Texts whose language is kept: a filter asks about an original as often as it has candidates."""


def engines_for(project: ProjectFile, name: str, root: Path, dataset: Dataset, progress: Progress) -> Engines:
    """The engines of a role's augmentation. The base is loaded when it is first asked, and never otherwise.

    Args:
        project: the project.
        name: of the role.
        root: folder that relative paths start from.
        dataset: the rows that are the parents.
        progress: shown the base's answers.

    Raises:
        BaseModelError: a technique asks the base, and it is not there.
    """
    role = project.roles[name]
    identify = language_identifier(lambda: role.check.languages or languages_of(dataset))
    if not role.augment.asks_base:
        return Engines(root=root, identify=identify)
    from atanor.models import resolve_base

    local = BaseEngine(resolve_base(project.base_of(name), root, progress), role.augment.local, project.seed, progress)
    return Engines(root=root, local=local, local_name=local.name, identify=identify)


def base_engine(reference: str, root: Path, options: LocalOptions, seed: int, progress: Progress) -> BaseEngine:
    """A base as an engine, for files of rows that no role owns. It is loaded when it is first asked.

    Raises:
        ConfigurationError: the reference is not one.
        BaseModelError: the base is not there.
    """
    from atanor.models import BaseReference, resolve_base

    return BaseEngine(resolve_base(BaseReference.parse(reference), root, progress), options, seed, progress)


@dataclass
class BaseEngine:
    """A base model as an `Engine`: each prompt is one user turn.

    Attributes:
        local: where it lies.
        options: how it answers.
        seed: of sampling.
        progress: shown the answers.
    """

    local: LocalBase
    options: LocalOptions
    seed: int
    progress: Progress
    _calls: int = field(default=0, init=False)

    @property
    def name(self) -> str:
        """What decides its answers besides the prompts: the weights and their precision."""
        from atanor.train import Precision, train_dtype

        return f"{self.local.sha} {train_dtype(Precision.AUTO)}"

    def generate(self, prompts: Sequence[str]) -> list[str | None]:
        """See `Engine.generate`. A prompt that does not fit into the context, or whose answer was cut, has none."""
        from atanor.inference import Decoding, generate_answers
        from atanor.models import encode_question

        longest = self._base.context - self.options.max_new_tokens
        encoded = [encode_question(self._base, [{"role": "user", "content": prompt}]) for prompt in prompts]
        fitting = [number for number, tokens in enumerate(encoded) if len(tokens) <= longest]
        # Each call draws anew: the second wording of a row would otherwise be its first.
        decoding = Decoding(self.options.max_new_tokens, self.options.temperature, seed=self.seed + self._calls)
        self._calls += 1
        written = generate_answers(
            self._base,
            self._base.model,
            [encoded[number] for number in fitting],
            decoding=decoding,
            progress=self.progress,
            name="the base writes",
        )
        answers: list[str | None] = [None] * len(prompts)
        for number, answer in zip(fitting, written, strict=True):
            answers[number] = answer.text.strip() or None if answer.finished else None
        return answers

    @cached_property
    def _base(self) -> Base:
        from atanor.compute import device_name
        from atanor.models import load_base
        from atanor.train import Precision, train_dtype

        return load_base(self.local, dtype=train_dtype(Precision.AUTO), device=device_name())


def language_identifier(expected: Callable[[], Sequence[str]]) -> Callable[[str], str | None]:
    """What tells a text's language (ISO 639-1), None where it cannot be told.

    Args:
        expected: gives the languages the texts are likely in, which win where a text is short; asked once, when the
            first text comes.
    """
    import pyarrow as pa

    from atanor.data.checks.language import UNDETERMINED, identify_languages

    likely = cache(expected)

    @lru_cache(_REMEMBERED)
    def identify(text: str) -> str | None:
        code = str(identify_languages(pa.array([text], pa.string()), likely()).codes[0])
        return None if code == UNDETERMINED else code

    return identify


def languages_of(dataset: Dataset) -> tuple[str, ...]:
    """The languages that users of the training rows write in, or its plain texts are in, most common first."""
    import pyarrow as pa

    from atanor.data.checks.language import UNDETERMINED, identify_languages
    from atanor.data.workshop.table import examples_of

    rows = dataset.rows(Side.TRAIN)
    sample = examples_of(rows.take(pa.array(range(0, len(rows), max(1, len(rows) // _SAMPLE)))))
    texts = [turn.content for example in sample for turn in example.messages if turn.speaker is Speaker.USER]
    texts += [example.text for example in sample if example.text is not None]
    counts = Counter(identify_languages(pa.array(texts, pa.string())).codes.tolist())
    common = [code for code, count in counts.most_common() if count >= _COMMON_SHARE * len(texts)]
    return tuple(code for code in common if code != UNDETERMINED)
