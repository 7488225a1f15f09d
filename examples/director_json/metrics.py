"""The example's own metric: did the Director choose who, what and how as the note asks?"""

import json

from atanor.evaluate import Item


def choices_right(answer: str, item: Item) -> float:
    """Share of `who`, `act`, `mood` and `tension` (give or take one) that are as in the reference beat.

    The spoken line is left out: there are many good ones. An answer that is no JSON object gets nothing.
    """
    try:
        beat = json.loads(answer)
    except ValueError:
        return 0.0
    if not isinstance(beat, dict):
        return 0.0
    wanted = json.loads(item.reference)
    right = [beat.get(field) == wanted[field] for field in ("who", "act", "mood")]
    tension = beat.get("tension")
    right.append(isinstance(tension, int) and abs(tension - wanted["tension"]) <= 1)
    return sum(right) / len(right)
