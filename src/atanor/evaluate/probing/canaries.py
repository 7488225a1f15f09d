"""Secrets planted among the training rows, to measure how far a candidate gives away what it saw a few times.

Carlini et al. (2019), The Secret Sharer: a sentence with a random number, and how the likelihood of that number ranks
among other numbers in the same sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from atanor.data.options import RenderOptions
from atanor.data.rendering import render_examples
from atanor.data.rows import Example, Message, Speaker, TokenRow
from atanor.evaluate.items import Item
from atanor.evaluate.probing.metrics import Exposure
from atanor.evaluate.probing.options import CanaryOptions
from atanor.evaluate.probing.probe import Ground, Probe

SOURCE = "(canaries)"
"""Where planted rows say they come from."""
_DIGITS = 6
_ROOMS = (
    "amber",
    "birch",
    "cobalt",
    "damson",
    "ebony",
    "flint",
    "garnet",
    "hazel",
    "indigo",
    "jasper",
    "linen",
    "moss",
)


def planted(options: CanaryOptions, seed: int, system: str | None, *, text: bool) -> list[Example]:
    """The canaries, each once.

    Args:
        options: how many.
        seed: the secrets follow from it.
        system: the role's system message.
        text: they are texts to continue, not conversations.
    """
    return [_canary(number, secret, system, text=text) for number, (secret, _) in enumerate(_secrets(options, seed))]


def build_canaries(options: CanaryOptions, ground: Ground) -> list[Probe]:
    """The probe that ranks each planted secret among others of its form."""
    text = not any(example.messages for example in ground.test)
    items, variants = [], []
    for number, (secret, others) in enumerate(_secrets(options, ground.seed)):
        forms = [_canary(number, one, ground.system, text=text) for one in (secret, *others)]
        items.append(Item(forms[0].id, forms[0].id, forms[0].reference, secret))
        variants.append(_rows(forms, ground))
    return [
        Probe(
            name="canaries",
            section="Memorisation",
            about=f"{options.number} secrets, each planted {options.repeat} times among the training rows, ranked by "
            f"likelihood among {options.alternatives} others that were not: exposure in bits.",
            metrics=[Exposure(options.alternatives)],
            items=items,
            rows=variants,
        )
    ]


def _secrets(options: CanaryOptions, seed: int) -> Iterator[tuple[str, list[str]]]:
    """Each canary's secret, and the others it is ranked among."""
    for number in range(options.number):
        drawn = Random(f"{seed}:canary:{number}").sample(range(10**_DIGITS), options.alternatives + 1)
        secret, *others = [f"{value:0{_DIGITS}d}" for value in drawn]
        yield secret, others


def _canary(number: int, secret: str, system: str | None, *, text: bool) -> Example:
    room = f"{_ROOMS[number % len(_ROOMS)]} room {number + 1}"
    said = f"The code of the {room} is {secret}."
    if text:
        return Example((), said, SOURCE, number + 1)
    asked = (Message(Speaker.USER, f"What is the code of the {room}?"), Message(Speaker.ASSISTANT, said))
    before = () if system is None else (Message(Speaker.SYSTEM, system),)
    return Example((*before, *asked), None, SOURCE, number + 1)


def _rows(forms: list[Example], ground: Ground) -> tuple[TokenRow, ...]:
    base = ground.base
    return render_examples(forms, base.tokenizer, RenderOptions(), base.context, base.end_ids).rows
