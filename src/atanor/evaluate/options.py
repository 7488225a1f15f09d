"""The options of the evaluate room: which metrics, with what margins, and how answers are generated."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from atanor.evaluate.ability.options import FORMATS, KL, Ability, AbilityFile
from atanor.evaluate.items import OnError
from atanor.evaluate.judging.options import JUDGES, JudgeOptions
from atanor.options import Options


class MetricSpec(Options):
    """One metric of a role. In the project file: `rouge_l`, `json_schema: schema.json` or `rouge_l: {margin: 0.02}`."""

    name: str = Field(description="Name of the metric; `atanor schema` lists them.")
    argument: str | None = Field(
        None,
        description="What the metric needs: a JSON schema's path, or for `custom` `file.py:function` or the name of an "
        "entry point.",
    )
    margin: float | None = Field(
        None, gt=0, description="Smallest change of interest, in the metric's unit; the default is the metric's own."
    )

    judge: JudgeOptions | None = Field(None, description="Of `judge` and `judge_pairwise`: who judges, and by what.")
    on_error: OnError = Field(
        OnError.STOP,
        description="What happens to an item that cannot be marked: `stop`, `exclude` (it counts for neither "
        "candidate) or `worst` (the answer gets the worst score). Each is told in the report.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and len(value) == 1 and "name" not in value:
            ((name, options),) = value.items()
            if isinstance(options, dict) and name in JUDGES:
                own = {key: options[key] for key in ("margin", "on_error") if key in options}
                return {"name": name, **own, "judge": {k: v for k, v in options.items() if k not in own}}
            if isinstance(options, dict):
                return {"name": name, **options}
            return {"name": name, "argument": options}
        return value

    @model_validator(mode="after")
    def _judge_where_one_is_asked(self) -> MetricSpec:
        if (self.judge is None) == (self.name in JUDGES):
            raise ValueError(
                f"`{self.name}` takes no judge"
                if self.judge
                else f"`{self.name}` needs `rubric`, `base_url` and `model` below it"
            )
        return self


_LONGEST = 128


class GenerationOptions(Options):
    """How answers are produced for the test items and in chat."""

    max_new_tokens: int = Field(_LONGEST, ge=1, description="Longest answer in tokens.")
    temperature: float = Field(
        0.0, ge=0, description="0 is greedy, the choice for a verdict; above 0 samples with the project's seed."
    )
    top_p: float = Field(1.0, gt=0, le=1, description="Nucleus sampling; only with a temperature above 0.")
    choices: Literal["labels"] | None = Field(
        None,
        description="`labels`: nothing is written freely; of the labels of the training rows the likeliest after the "
        "prompt is the answer, for the base and for every candidate that writes (`task: label`).",
    )

    @model_validator(mode="after")
    def _contradictions(self) -> GenerationOptions:
        written = (self.max_new_tokens, self.temperature, self.top_p) != (_LONGEST, 0.0, 1.0)
        if self.choices is not None and written:
            raise ValueError("`choices` are weighed, not written: remove `max_new_tokens`, `temperature` and `top_p`")
        if self.top_p < 1 and self.temperature == 0:
            raise ValueError(
                "`top_p` needs a `temperature` above 0; with 0 the answer is greedy and `top_p` is not read"
            )
        return self


class EvaluationOptions(Options):
    """How the comparison with the base is made."""

    resamples: int = Field(10_000, ge=1_000, description="Bootstrap resamples behind every interval.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence of every interval.")
    looks: int = Field(
        1,
        ge=1,
        le=20,
        description="How often a candidate's answers are looked at while they come, at equal steps: above 1 it is not "
        "asked the rest once the first metric is decided, and intervals are as wide as stopping early needs. For tests "
        "with long answers.",
    )
    contaminated: Literal["exclude", "keep"] = Field(
        "exclude",
        description="What becomes of test items that stand in the training rows, exactly, nearly or in long runs of "
        "words: `exclude` leaves them out of the verdict, `keep` counts them. The report shows both numbers.",
    )
    ability: Ability | None = Field(
        None,
        description="Asks base and candidates about general ability too, and tells what it costs first: `small`, "
        "`medium` or `full`. Without files: how far answers to general prompts are from the base's (`kl_to_base`), and "
        "whether instructions about the form of an answer are kept (`formats`).",
    )
    ability_files: tuple[AbilityFile, ...] = Field(
        (), description="Files of items that are asked besides; of each, `ability` says how much."
    )

    @model_validator(mode="after")
    def _files_are_asked(self) -> EvaluationOptions:
        if self.ability_files and self.ability is None:
            raise ValueError("`ability_files` are asked as `ability` says: write `ability: small`, `medium` or `full`")
        names = self.ability_metrics
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two things are called `{twice}`: give one of the files a `label`")
        return self

    @property
    def ability_metrics(self) -> tuple[str, ...]:
        """What is measured of general ability, as gates ask for it."""
        if self.ability is None:
            return ()
        return (KL, FORMATS, *(name for file in self.ability_files for name in file.metrics))
