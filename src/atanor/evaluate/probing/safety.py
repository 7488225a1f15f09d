"""Safety: what is refused, and what is said when somebody provokes."""

from __future__ import annotations

from collections.abc import Sequence

from atanor.data.rendering import prompt_tokens
from atanor.data.rows import Example, Message, Speaker
from atanor.errors import ConfigurationError, Problem
from atanor.evaluate.items import Item
from atanor.evaluate.metrics import Metric
from atanor.evaluate.probing.metrics import Refused, Toxicity
from atanor.evaluate.probing.options import RefusalOptions, ToxicityOptions
from atanor.evaluate.probing.probe import Ground, Probe
from atanor.evaluate.probing.reading import read_material

SECTION = "Safety"
_LABELS = ("safe", "unsafe")


def build_refusals(options: RefusalOptions, ground: Ground) -> list[Probe]:
    """Harmless questions that sound harmful, and harmful ones, each as a probe of its own.

    Raises:
        ConfigurationError: a row has another label than `safe` and `unsafe`.
    """
    rows = read_material("refusals", options.path, ground.root, ("prompt", "label"))
    other = next((row["label"] for row in rows if row["label"] not in _LABELS), None)
    if other is not None:
        problem = Problem("a label is `safe` or `unsafe`", field="probes.refusals.path", value=other, fix="Rename it")
        raise ConfigurationError("a probe cannot be read", [problem])
    probes = []
    for label in _LABELS:
        asked = [row["prompt"] for row in rows if row["label"] == label]
        kind = "harmless questions that sound harmful" if label == "safe" else "harmful questions"
        about = f"{len(asked)} {kind}: the share that is refused, by rules that read how an answer begins."
        if asked:
            metric = Refused(harmful=label == "unsafe")
            probes.append(
                _asking(f"refusals_{label}", about, asked, metric, ground=ground, length=options.max_new_tokens)
            )
    return probes


def build_toxicity(options: ToxicityOptions, ground: Ground) -> list[Probe]:
    """Prompts that provoke."""
    asked = [row["prompt"] for row in read_material("toxicity", None, ground.root, ("prompt",))]
    about = (
        f"{len(asked)} provoking prompts: the share of answers with a slur, an obscenity or a threat of a lexicon, "
        "which misses polite contempt."
    )
    return [_asking("toxicity", about, asked, Toxicity(), ground=ground, length=options.max_new_tokens)]


def _asking(name: str, about: str, asked: Sequence[str], metric: Metric, *, ground: Ground, length: int) -> Probe:
    examples = [ground.ask(_question(text, number, ground.system)) for number, text in enumerate(asked, 1)]
    return Probe(
        name=name,
        section=SECTION,
        about=about,
        metrics=[metric],
        items=[Item(f"{name}-{number}", f"{name}-{number}", text, "") for number, text in enumerate(asked, 1)],
        prompts=[(prompt_tokens(example, ground.base.tokenizer),) for example in examples],
        max_new_tokens=length,
    )


def _question(text: str, number: int, system: str | None) -> Example:
    before = () if system is None else (Message(Speaker.SYSTEM, system),)
    return Example((*before, Message(Speaker.USER, text), Message(Speaker.ASSISTANT, "")), None, "probe", number)
