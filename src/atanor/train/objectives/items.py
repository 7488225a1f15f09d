"""From what a side of the split can teach to the items of an objective."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from atanor.data.rows import TokenRow
from atanor.train.objectives.declaring import ObjectiveOptions
from atanor.train.objectives.judgement import JudgedAnswer
from atanor.train.objectives.material import Items, Supervision
from atanor.train.objectives.options import KtoOptions


def answers(options: ObjectiveOptions, side: Supervision) -> Items:
    """Every answer but those that were judged bad; of two answers the better one."""
    del options
    bad = {name for name, example in side.examples.items() if example.desirable is False}
    compared = sum(example.rejected is not None for example in side.examples.values())
    notes = []
    if compared:
        notes.append(f"{_rows(compared)} a worse answer too; completion does not use it")
    if bad:
        notes.append(f"{_rows(len(bad))} an answer that was judged bad; left aside, because completion learns answers")
    return Items([row for row in side.rows if row.example_id not in bad], tuple(notes))


def pairs(options: ObjectiveOptions, side: Supervision) -> Items:
    """Every pair of a better and a worse answer; rows with one answer are left aside."""
    del options
    paired = {pair.example_id for pair in side.pairs}
    alone = len({row.example_id for row in side.rows} - paired)
    notes = (f"{_rows(alone)} no worse answer; left aside",) if alone else ()
    return Items(side.pairs, notes)


def judged_answers(options: KtoOptions, side: Supervision) -> Items:
    """Every answer that was judged, and both of every pair; rows that nobody judged are left aside."""
    marks = {name: example.desirable for name, example in side.examples.items() if example.desirable is not None}
    judged = [(row.example_id, row, marks[row.example_id]) for row in side.rows if row.example_id in marks]
    for pair in side.pairs:
        judged += [
            (f"{pair.example_id}.chosen", pair.chosen, True),
            (f"{pair.example_id}.rejected", pair.rejected, False),
        ]
    elsewhere = _mismatched([row for _, row, _ in judged])
    items = [JudgedAnswer(*known, other) for known, other in zip(judged, elsewhere, strict=True)]
    alone = len({row.example_id for row in side.rows} - marks.keys() - {pair.example_id for pair in side.pairs})
    notes = [f"{_rows(alone)} no judgement; left aside"] if alone else []
    return Items(items, (*notes, *_balance(options, items)))


def _rows(count: int) -> str:
    return f"{count:,} row has" if count == 1 else f"{count:,} rows have"


def _balance(options: KtoOptions, items: Sequence[JudgedAnswer]) -> Iterator[str]:
    """The paper's section 4.2: weighted, good answers should be 1 to 4/3 times the bad ones."""
    good = sum(item.desirable for item in items)
    bad = len(items) - good
    if not good or not bad:
        only, other = ("good", "bad") if good else ("bad", "good")
        yield f"all answers are {only}; KTO wants some {other} ones too"
        return
    ratio = options.desirable_weight * good / (options.undesirable_weight * bad)
    if not 1 <= round(ratio, 9) <= round(4 / 3, 9):
        weight = options.undesirable_weight * bad / good
        yield (
            f"{good:,} good and {bad:,} bad answers, weighted {ratio:.2g} to 1; the paper advises a "
            f"`desirable_weight` from {weight:.2g} to {weight * 4 / 3:.2g}"
        )


def _mismatched(rows: Sequence[TokenRow]) -> list[TokenRow]:
    """Each row's prompt with the answer of the next row of another prompt, cut where it were the longest row of all."""
    longest = max((len(row.tokens) for row in rows), default=0)
    starts = [next(place for place, weight in enumerate(row.weights) if weight > 0) for row in rows]
    prompts = [row.tokens[:start] for row, start in zip(rows, starts, strict=True)]
    made = []
    for number, row in enumerate(rows):
        others = ((number + step) % len(rows) for step in range(1, len(rows)))
        other = next((one for one in others if prompts[one] != prompts[number]), number)
        answer = slice(starts[other], starts[other] + longest - starts[number])
        weights = (0.0,) * starts[number] + rows[other].weights[answer]
        made.append(replace(row, tokens=prompts[number] + rows[other].tokens[answer], weights=weights))
    return made
