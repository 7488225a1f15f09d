"""Bias: sentences that differ in the group they name, and the role's own items with groups exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from random import Random

from atanor.data.bias.counterfactuals import counterfactual
from atanor.data.bias.options import CounterfactualOptions, Dimension
from atanor.data.bias.tokens import WORD
from atanor.data.options import RenderOptions
from atanor.data.rendering import prompt_tokens, render_examples
from atanor.data.rows import Example, TokenRow
from atanor.data.words.languages import language_of
from atanor.evaluate.items import Item
from atanor.evaluate.metrics import PREFERENCE_METRICS, Metric
from atanor.evaluate.probing.metrics import PronounGap, Stereotypes, SwapChanged, SwapGap
from atanor.evaluate.probing.options import PronounOptions, StereotypeOptions, SwapOptions
from atanor.evaluate.probing.probe import Ground, Probe
from atanor.evaluate.probing.reading import read_material
from atanor.evaluate.runner import item_of
from atanor.models import encode_text

SECTION = "Bias"


def build_stereotypes(options: StereotypeOptions, ground: Ground) -> list[Probe]:
    """Pairs of sentences, the stereotype first."""
    found = read_material("stereotypes", options.path, ground.root, ("sent_more", "sent_less"))
    pairs = [(row["sent_more"], row["sent_less"]) for row in found]
    about = f"{len(pairs)} pairs of sentences that differ in the group they name; a half is even-handed."
    return [_pairs("stereotypes", about, pairs, Stereotypes(), ground)]


def build_pronouns(options: PronounOptions, ground: Ground) -> list[Probe]:
    """Sentences with `he` and with `she`; neutral ones are passed over."""
    found = read_material("pronouns", options.path, ground.root, ("sentid", "sentence"))
    texts = {row["sentid"].removesuffix(".txt"): row["sentence"] for row in found}
    pairs = [
        (text, texts[other])
        for name, text in texts.items()
        if name.endswith(".male") and (other := f"{name.removesuffix('.male')}.female") in texts
    ]
    if not pairs:
        return []
    about = f"{len(pairs)} sentences with `he` and with `she`; 0 nats between them is even-handed."
    return [_pairs("pronouns", about, pairs, PronounGap(), ground)]


def build_swaps(options: SwapOptions, ground: Ground) -> list[Probe]:
    """Test items with genders and first names exchanged; none where no item surely can be."""
    exchanging = CounterfactualOptions(dimensions=(Dimension.GENDER,))
    every = (
        (
            example,
            counterfactual(example, Dimension.GENDER, exchanging, Random(f"{ground.seed}:{example.id}"), language_of),
        )
        for example in ground.test
    )
    found = list(islice(((one, other) for one, other in every if isinstance(other, Example)), options.items))
    if not found:
        return []
    own = _own(ground.metrics)
    gap = "" if own is None else f"how far {own.label} moves, and "
    framed = [(ground.ask(one), ground.ask(other)) for one, other in found]
    return [
        Probe(
            name="swaps",
            section=SECTION,
            about=f"{len(found)} test items with genders and first names exchanged: {gap}how often "
            "the answer changes by more than those words.",
            metrics=[*([] if own is None else [SwapGap(own)]), SwapChanged()],
            items=[_swapped_item(one, other) for one, other in found],
            rows=[_rendered(pair, ground) for pair in framed],
            prompts=[tuple(prompt_tokens(one, ground.base.tokenizer) for one in pair) for pair in framed],
            max_new_tokens=ground.max_new_tokens,
        )
    ]


def _own(metrics: Sequence[Metric]) -> Metric | None:
    """The role's first metric that looks at a single answer or reference, and needs no more than a probe asks."""
    others = (*PREFERENCE_METRICS, "ece")
    fit = (one for one in metrics if one.target and not one.uses_general_text and one.name not in others)
    return next(fit, None)


def _pairs(name: str, about: str, pairs: Sequence[tuple[str, str]], metric: Metric, ground: Ground) -> Probe:
    items = [Item(f"{name}-{number}", f"{name}-{number}", "", one) for number, (one, _) in enumerate(pairs)]
    rows = [tuple(_sentence(text, ground) for text in pair) for pair in pairs]
    return Probe(name=name, section=SECTION, about=about, metrics=[metric], items=items, rows=rows)


def _sentence(text: str, ground: Ground) -> TokenRow:
    tokens = encode_text(ground.base.tokenizer, text)
    return TokenRow(text, tokens, (1.0,) * len(tokens), len(text.encode()))


def _swapped_item(one: Example, other: Example) -> Item:
    item = item_of(one)
    return Item(
        item.id,
        item.cluster,
        item.prompt,
        item.reference,
        {**item.fields, "swapped": item_of(other), "exchanged": _exchanged(one, other)},
        item.also_right,
    )


def _exchanged(one: Example, other: Example) -> dict[str, str]:
    """The words that stand for each other, both ways; an exchange replaces word by word."""
    pairs: dict[str, str] = {}
    for before, after in zip(one.messages, other.messages, strict=True):
        words = zip(WORD.findall(before.content), WORD.findall(after.content), strict=True)
        for left, right in ((left.lower(), right.lower()) for left, right in words if left != right):
            pairs |= {left: right, right: left}
    return pairs


def _rendered(pair: Sequence[Example], ground: Ground) -> tuple[TokenRow, ...]:
    base = ground.base
    return render_examples(pair, base.tokenizer, RenderOptions(), base.context, base.end_ids).rows
