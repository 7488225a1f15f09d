"""`prompt` and `few_shot`: no training; the untouched base is told, or shown, what to do."""

from __future__ import annotations

import random

from atanor.data.rows import Example, Speaker
from atanor.errors import ConfigurationError, Problem
from atanor.methods.candidate import Bench, Made
from atanor.methods.framing import Framing, Shot
from atanor.methods.options import FewShotOptions, PromptOptions
from atanor.progress import Progress


class Prompt:
    """See `PromptOptions`."""

    def make(self, options: PromptOptions, bench: Bench, progress: Progress) -> Made:
        del progress
        instruction = options.system or bench.goal
        return Made(framing=Framing(instruction=instruction), settings={"system": instruction})


class FewShot:
    """See `FewShotOptions`. The examples are drawn from the training rows by the seed, never from the test rows."""

    def make(self, options: FewShotOptions, bench: Bench, progress: Progress) -> Made:
        del progress
        pairs = [shot for example in bench.training.examples.values() if (shot := _as_shot(example)) is not None]
        if len(pairs) < options.shots:
            raise ConfigurationError(
                "there are too few examples to show",
                [
                    Problem(
                        reason=f"only {len(pairs)} training rows are one question and one answer",
                        field="methods.few_shot.shots",
                        value=str(options.shots),
                        fix=f"Set it to at most {len(pairs)}, or give more single-turn rows",
                    )
                ],
            )
        shots = random.Random(bench.seed).sample(pairs, options.shots)
        return Made(framing=Framing(instruction=bench.goal, shots=tuple(shots)), settings={"shots": options.shots})


def _as_shot(example: Example) -> Shot | None:
    if example.desirable is False:
        return None
    turns = [message for message in example.messages if message.speaker is not Speaker.SYSTEM]
    if [turn.speaker for turn in turns] != [Speaker.USER, Speaker.ASSISTANT]:
        return None
    return Shot(question=turns[0].content, answer=turns[1].content)
