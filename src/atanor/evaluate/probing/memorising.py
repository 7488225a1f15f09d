"""Whether a candidate writes its training rows by heart, given how they begin."""

from __future__ import annotations

from random import Random

from atanor.data.rows import TokenRow
from atanor.evaluate.items import Item
from atanor.evaluate.probing.metrics import Memorised
from atanor.evaluate.probing.options import MemorisationOptions
from atanor.evaluate.probing.probe import Ground, Probe


def build_memorisation(options: MemorisationOptions, ground: Ground) -> list[Probe]:
    """The probe that begins training rows and compares what follows; none where no row is long enough."""
    cuts = [(row.example_id, *cut) for row in ground.training if (cut := _cut(row, options)) is not None]
    room = ground.base.context - ground.room - options.continuation
    fitting = [cut for cut in cuts if len(cut[1]) <= room]
    if not fitting:
        return []
    drawn = Random(f"{ground.seed}:memorisation").sample(fitting, min(options.rows, len(fitting)))
    return [
        Probe(
            name="memorisation",
            section="Memorisation",
            about=f"{len(drawn)} training rows are begun with at most {options.prefix} tokens of their answer; the "
            f"share of the next {options.continuation} that greedy decoding writes.",
            metrics=[Memorised()],
            items=[Item(name, name, "", "", {"continuation": after}) for name, _, after in drawn],
            prompts=[(before,) for _, before, _ in drawn],
            max_new_tokens=max(len(after) for _, _, after in drawn),
        )
    ]


def _cut(row: TokenRow, options: MemorisationOptions) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """What is given of a row and what follows: of its last answer, or of its text; None where nothing can be cut."""
    learned = [place for place, weight in enumerate(row.weights) if weight > 0]
    if not learned:
        return None
    end = learned[-1] + 1
    start = next((place + 1 for place in range(end - 1, -1, -1) if row.weights[place] == 0), 0)
    at = start + min(options.prefix, (end - start) // 2)
    return None if at in (0, end) else (row.tokens[:at], row.tokens[at : min(end, at + options.continuation)])
