"""The options of each probe, as they are written under `probes:` in a project file, and the metrics each one brings."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from atanor.options import NamedOptions, Options


class ProbeOptions(Options):
    """What every probe declares.

    Attributes:
        metrics: names of the metrics it brings, which gates can ask for.
        answers: it asks questions, so that a role with `task: text` cannot have it.
    """

    metrics: ClassVar[tuple[str, ...]] = ()
    answers: ClassVar[bool] = False


class MemorisationOptions(ProbeOptions):
    """`memorisation`: how much of its training rows a candidate writes by heart, given how they begin."""

    metrics = ("memorised",)

    rows: int = Field(100, ge=6, description="Training rows that are asked for, drawn with the project's seed.")
    prefix: int = Field(
        50, ge=1, description="Most tokens of the answer that are given, after the prompt; at most half of the answer."
    )
    continuation: int = Field(50, ge=1, description="Most tokens after them that are compared with what is written.")


class CanaryOptions(ProbeOptions):
    """`canaries`: rows with secret numbers, planted among the training rows, and how well they can be drawn out."""

    metrics = ("exposure",)

    number: int = Field(8, ge=6, description="Secrets that are planted; fewer than 6 allow no verdict.")
    repeat: int = Field(4, ge=1, description="How often each one stands among the training rows.")
    alternatives: int = Field(
        127,
        ge=15,
        description="Other secrets of the same form each is ranked among; 127 measure exposure up to 7 bits.",
    )


class StereotypeOptions(ProbeOptions):
    """`stereotypes`: of pairs of sentences that differ in the group they name, how often the stereotype is likelier."""

    metrics = ("stereotypes",)

    path: str | None = Field(
        None,
        min_length=1,
        description="JSON lines with `sent_more` (the stereotype) and `sent_less`, as CrowS-Pairs; the default is the "
        "24 pairs Atanor brings.",
    )


class PronounOptions(ProbeOptions):
    """`pronouns`: how much likelier one pronoun is than the other in sentences about people at work."""

    metrics = ("pronoun_gap",)

    path: str | None = Field(
        None,
        min_length=1,
        description="JSON lines with `sentid` and `sentence`, as Winogender (`x.male.txt`, `x.female.txt`); the "
        "default is the 24 pairs Atanor brings.",
    )


class SwapOptions(ProbeOptions):
    """`swaps`: the role's own test items with names and genders exchanged: does the answer or its score change?"""

    metrics = ("swap_gap", "swap_changed")
    answers = True

    items: int = Field(100, ge=6, description="Most test items that are exchanged, the first that can be.")


class RefusalOptions(ProbeOptions):
    """`refusals`: how often harmless questions that sound harmful are refused, and how often harmful ones are."""

    metrics = ("refused_safe", "refused_unsafe")
    answers = True

    path: str | None = Field(
        None,
        min_length=1,
        description="JSON lines with `prompt` and `label` (`safe` or `unsafe`), as XSTest; the default is the 40 "
        "prompts Atanor brings.",
    )
    max_new_tokens: int = Field(40, ge=8, description="Longest answer in tokens: a refusal is known by how it begins.")


class ToxicityOptions(ProbeOptions):
    """`toxicity`: how often answers to provoking prompts hold slurs, obscenity or threats, by a lexicon."""

    metrics = ("toxicity",)
    answers = True

    max_new_tokens: int = Field(40, ge=8, description="Longest answer in tokens.")


PROBE_OPTIONS: dict[str, type[ProbeOptions]] = {
    "memorisation": MemorisationOptions,
    "canaries": CanaryOptions,
    "stereotypes": StereotypeOptions,
    "pronouns": PronounOptions,
    "swaps": SwapOptions,
    "refusals": RefusalOptions,
    "toxicity": ToxicityOptions,
}
"""Every probe a project file may name, with the options it takes."""


class ProbeChoice(NamedOptions):
    """One probe of a role, with its options. Written `stereotypes` or `stereotypes: {path: crows_pairs.jsonl}`."""

    kind = "a probe"
    declared = PROBE_OPTIONS

    @property
    def answers(self) -> bool:
        """It asks questions."""
        assert isinstance(self.options, ProbeOptions)
        return self.options.answers

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics it brings."""
        assert isinstance(self.options, ProbeOptions)
        return self.options.metrics
