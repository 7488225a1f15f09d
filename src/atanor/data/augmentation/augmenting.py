"""Training rows to more training rows: plan, rewrite, judge, report; every candidate made or told why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from atanor.data.augmentation.building import Engines, Workbench
from atanor.data.augmentation.candidates import Candidate, Filtered, Reason, filtered, parts_of, texts_of
from atanor.data.augmentation.endpoint import Endpoint
from atanor.data.augmentation.engines import Technique
from atanor.data.augmentation.exchange import Exchange
from atanor.data.augmentation.filters import Filters, Known, Made
from atanor.data.augmentation.meaning import find_embedder
from atanor.data.augmentation.new_examples import NewExamples, is_suitable
from atanor.data.augmentation.novelty import Novelty
from atanor.data.augmentation.options import (
    AnyTechnique,
    AugmentOptions,
    CounterfactualTechniqueOptions,
    NewExampleOptions,
    Rewritten,
)
from atanor.data.augmentation.planning import plan
from atanor.data.augmentation.protect import Protection
from atanor.data.augmentation.report import AugmentationReport, TechniqueReport, technique_report
from atanor.data.bias.counterfactuals import report_of
from atanor.data.bias.report import Difference, differences
from atanor.data.rows import Example
from atanor.progress import Activity, Progress, Silent

_BATCH = 512
"""Candidates rewritten and judged together, between two movements of the bar."""
_LANGUAGE_SAMPLE = 1000
"""Rows whose language is looked at to know which thesauri are needed."""

Outcome = Made | Filtered


@dataclass(frozen=True)
class Augmented:
    """What augmentation made.

    Attributes:
        examples: the new examples, by technique in the order of the options, then in the order of their parents.
        filtered: every candidate that is not used, with its reason.
        report: the counts; what was asked is what was made and what was filtered.
    """

    examples: tuple[Example, ...]
    filtered: tuple[Filtered, ...]
    report: AugmentationReport


Screen = Callable[[Sequence[Example]], Sequence["Example | tuple[Reason, str]"]]
"""The last word on new examples: each as it is used, or the reason against it and a detail, in their order."""


@dataclass(frozen=True)
class _Run:
    """What all techniques of one call share."""

    options: AugmentOptions
    examples: Sequence[Example]
    seed: int
    filters: Filters
    known: Known
    bench: Workbench
    activity: Activity


def augment(
    examples: Sequence[Example],
    options: AugmentOptions,
    *,
    seed: int,
    engines: Engines | None = None,
    held_out: Sequence[Example] = (),
    screen: Screen | None = None,
    progress: Progress | None = None,
) -> Augmented:
    """Make new examples of training rows.

    Each has its parent's id, group, label, source and line. Equal rows, options and seed give equal examples where the
    engine answers equally.

    Args:
        examples: the rows of the training side, and only these.
        options: the techniques and the filters.
        seed: everything drawn at random follows from it.
        engines: the models and the folder that come from outside.
        held_out: rows of the other sides; a new example that equals one of them is refused.
        screen: asked last about the new examples of each technique; None: all of them are used.
        progress: shown one unit an example asked for.

    Raises:
        DataError, ConfigurationError, MissingExtraError: a technique lacks what it needs; the fix says what to install.
    """
    engines, progress = engines or Engines(), progress or Silent()
    embedder = engines.embedder or find_embedder(options.filter.embedder, engines.root, progress)
    protection = Protection(options.protect)
    filters = Filters(options.filter, protection, embedder, engines.identify)
    bench = Workbench(engines, protection, _languages(examples, engines), progress)
    per_row = [technique.per_row for technique in options.techniques]
    planned = plan(examples, per_row, balance=options.balance, limit=options.limit, rng=Random(f"{seed}:plan"))
    made: list[Made] = []
    refused: list[Filtered] = []
    reports: list[TechniqueReport] = []
    with progress.start("augmenting", sum(map(sum, planned)), "example") as activity:
        run = _Run(options, examples, seed, filters, Known.of(examples, held_out), bench, activity)
        for number, (technique, asked) in enumerate(zip(options.techniques, planned, strict=True)):
            outcomes, endpoint = _apply(run, number, technique, asked)
            if screen is not None:
                outcomes = _screened(outcomes, screen)
            new = [one for one in outcomes if isinstance(one, Made)]
            lost = [one for one in outcomes if isinstance(one, Filtered)]
            made, refused = made + new, refused + lost
            reports.append(technique_report(technique.method, new, lost, endpoint))
    new_examples = tuple(one.example for one in made)
    report = AugmentationReport(
        tuple(reports),
        embedder.name,
        filters.threshold,
        _classes(examples, new_examples),
        _groups(options, examples, new_examples),
    )
    return Augmented(new_examples, tuple(refused), report)


def _screened(outcomes: Sequence[Outcome], screen: Screen) -> list[Outcome]:
    words = iter(screen([one.example for one in outcomes if isinstance(one, Made)]))
    screened: list[Outcome] = []
    for one in outcomes:
        if isinstance(one, Filtered):
            screened.append(one)
            continue
        word = next(words)
        screened.append(replace(one, example=word) if isinstance(word, Example) else one.candidate.filtered(*word))
    return screened


def _apply(
    run: _Run, number: int, options: AnyTechnique, asked: Sequence[int]
) -> tuple[list[Outcome], Endpoint | None]:
    """All outcomes of one technique: as many as were asked for."""
    if isinstance(options, NewExampleOptions):
        return _new_examples(run, number, options, asked)
    if isinstance(options, CounterfactualTechniqueOptions):
        return _counterfactuals(run, number, options, asked), None
    technique, endpoint = run.bench.technique(options)
    missing = Reason.NO_ANSWER if options.method in ("back_translation", "paraphrase") else Reason.NOTHING_TO_REWRITE
    slots = [(example, copy) for example, count in zip(run.examples, asked, strict=True) for copy in range(count)]
    outcomes: list[Outcome] = []
    for start in range(0, len(slots), _BATCH):
        batch = slots[start : start + _BATCH]
        candidates = list(_rewritten(run, f"{run.seed}:{number}", (options.method, technique), batch))
        by_answer = run.options.rewrite is Rewritten.USER_AND_ASSISTANT_TURNS
        judged = iter(run.filters.judge([one for one in candidates if one], run.known, by_answer=by_answer))
        for (example, _), candidate in zip(batch, candidates, strict=True):
            outcomes.append(filtered(example, options.method, missing) if candidate is None else next(judged))
        run.activity.advance(len(batch))
    return outcomes, endpoint


def _rewritten(
    run: _Run, seed: str, named: tuple[str, Technique], batch: Sequence[tuple[Example, int]]
) -> Iterator[Candidate | None]:
    """A candidate for each slot, or None where no part of the example got other words."""
    method, technique = named
    parts = [parts_of(example, run.options.rewrite) for example, _ in batch]
    before = [texts_of(example, chosen) for (example, _), chosen in zip(batch, parts, strict=True)]
    rngs = [
        Random(f"{seed}:{example.id}:{copy}:{part}")
        for (example, copy), chosen in zip(batch, parts, strict=True)
        for part in chosen
    ]
    texts = iter(technique.rewrite_all([text for texts in before for text in texts], rngs))
    for (example, _), chosen, old in zip(batch, parts, before, strict=True):
        new = [next(texts) for _ in chosen]
        kept = [index for index, text in enumerate(new) if text is not None]
        after = tuple(text for text in new if text is not None)
        where = tuple(chosen[index] for index in kept)
        yield Candidate(example, method, where, tuple(old[index] for index in kept), after) if kept else None


def _new_examples(
    run: _Run, number: int, options: NewExampleOptions, asked: Sequence[int]
) -> tuple[list[Outcome], Endpoint | None]:
    engine, endpoint = run.bench.engine(options.engine, options.endpoint, options.method)
    maker = NewExamples(options, engine, run.filters)
    novelty = Novelty((_last_user_text(example) for example in run.examples), options.most_rouge_l)
    outcomes: list[Outcome] = [
        filtered(example, options.method, Reason.UNSUITABLE)
        for example, count in zip(run.examples, asked, strict=True)
        if not is_suitable(example)
        for _ in range(count)
    ]
    run.activity.advance(len(outcomes))
    orders = maker.orders(run.examples, asked, Random(f"{run.seed}:{number}:orders"))
    step = max(1, _BATCH // options.per_prompt)
    for start in range(0, len(orders), step):
        judged = maker.make(orders[start : start + step], run.known, novelty)
        run.activity.advance(len(judged))
        outcomes += judged
    return outcomes, endpoint


def _counterfactuals(
    run: _Run, number: int, options: CounterfactualTechniqueOptions, asked: Sequence[int]
) -> list[Outcome]:
    exchange = Exchange(options, run.examples, run.options.protect, run.filters.identify)
    outcomes: list[Outcome] = []
    for example, count in zip(run.examples, asked, strict=True):
        outcomes += exchange.outcomes(example, count, run.known, f"{run.seed}:{number}")
        run.activity.advance(count)
    return outcomes


def _groups(options: AugmentOptions, examples: Sequence[Example], new: Sequence[Example]) -> tuple[Difference, ...]:
    """The groups of people before and after, as the first technique that exchanges them wants them counted."""
    for technique in options.techniques:
        if isinstance(technique, CounterfactualTechniqueOptions):
            counted = technique.report
            return differences(report_of(examples, counted), report_of([*examples, *new], counted))
    return ()


def _last_user_text(example: Example) -> str:
    return " ".join(texts_of(example, parts_of(example, Rewritten.LAST_USER_TURN)))


def _languages(examples: Sequence[Example], engines: Engines) -> frozenset[str | None]:
    step = max(1, len(examples) // _LANGUAGE_SAMPLE)
    return frozenset(engines.identify(_last_user_text(example)) for example in examples[::step])


def _classes(examples: Sequence[Example], new: Sequence[Example]) -> dict[str, tuple[int, int]]:
    before = Counter(example.label for example in examples if example.label is not None)
    more = Counter(example.label for example in new if example.label is not None)
    return {label: (count, count + more[label]) for label, count in sorted(before.items())}
