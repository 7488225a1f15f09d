"""The options of distillation, as they are written under `objective: {distillation: …}`."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from atanor.compute.divergence import Divergence, Matching
from atanor.data.augmentation.options import EndpointOptions
from atanor.options import Options
from atanor.train.objectives.declaring import ObjectiveOptions


class AnswerSource(StrEnum):
    """Whose answers the student and the teacher are compared on."""

    ROWS = "rows"
    """The rows' own."""
    TEACHER = "teacher"
    """The teacher writes one to every training prompt before training (Kim and Rush 2016)."""
    STUDENT = "student"
    """The student writes one to every prompt of a step, and the teacher judges it (Agarwal et al. 2024)."""


class TeacherCache(StrEnum):
    """What is kept of the teacher's distributions."""

    NONE = "none"
    """Nothing: the teacher stays in memory and is asked at every step."""
    SAMPLED = "sampled"
    """Tokens drawn from them before training; the teacher then leaves the memory."""


class WriteOptions(Options):
    """How answers are written for distillation."""

    max_new_tokens: int | None = Field(
        None,
        ge=1,
        description="Longest answer. Default: as long as the longest of the training rows, twice for a teacher.",
    )
    temperature: float | None = Field(
        None,
        ge=0,
        description="Of sampling; 0 is greedy. Default: 0 where the teacher writes, 1 where the student does.",
    )
    top_p: float = Field(1.0, gt=0, le=1, description="Sample from the likeliest tokens that make up this much.")


class DistillationOptions(ObjectiveOptions):
    """`distillation`: the student predicts what a teacher predicts (Hinton et al. 2015, arXiv:1503.02531)."""

    teacher: str | None = Field(
        None,
        min_length=1,
        description="A base as `pkg:NAME`, `hf:owner/name`, `path:DIRECTORY` or `gguf:FILE`, or a candidate of this "
        "project as `atanor chat` names it: `role@1`, a run, a role.",
    )
    endpoint: EndpointOptions | None = Field(
        None, description="A teacher behind an OpenAI-compatible API, in place of `teacher`; it writes answers."
    )
    source: AnswerSource = Field(
        AnswerSource.ROWS,
        description="On whose answers: those of the `rows`, those the `teacher` writes before training, or those the "
        "`student` writes while it trains.",
    )
    divergence: Divergence = Field(
        Divergence.FORWARD,
        description="Distance from the teacher's distribution at every supervised token: `forward` KL (covers all the "
        "teacher says), `reverse` KL (keeps to what it says most) or `jensen_shannon`, between both.",
    )
    beta: float = Field(
        0.5, gt=0, lt=1, description="Of `jensen_shannon`: near 0 it goes as forward KL does, near 1 as reverse KL."
    )
    temperature: float = Field(
        1.0, gt=0, description="Logits of both are divided by it, and the divergence is multiplied by its square."
    )
    share: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Share of the divergence in the loss; the rest is completion of the answers. Default: 0.5, and 0 "
        "where the teacher wrote them.",
    )
    cache: TeacherCache = Field(
        TeacherCache.NONE,
        description="`none`, or `sampled`: tokens drawn once from the teacher stand for its distributions, an unbiased "
        "estimate of forward KL, and the teacher is in memory only before training.",
    )
    draws: int = Field(16, ge=1, le=1024, description="Of `cache: sampled`: tokens drawn for each supervised token.")
    every: int = Field(1, ge=1, description="Of `source: student`: it writes at every so many steps.")
    write: WriteOptions = Field(default_factory=WriteOptions, description="How answers are written.")

    @model_validator(mode="after")
    def _possible_together(self) -> DistillationOptions:
        for refusal in (self._teacher_refused(), self._unread(), self._cache_refused()):
            if refusal is not None:
                raise ValueError(refusal)
        return self

    @property
    def share_in_force(self) -> float:
        """`share`, or what it is by default."""
        if self.share is not None:
            return self.share
        return 0.0 if self.source is AnswerSource.TEACHER else 0.5

    @property
    def compares(self) -> bool:
        """Distributions of the teacher are compared with the student's, not only its answers imitated."""
        return self.share_in_force > 0

    @property
    def matching(self) -> Matching:
        """The loss in the engine's terms."""
        share = self.share_in_force
        return Matching(self.divergence, self.temperature, self.beta, share, 1 - share)

    def _teacher_refused(self) -> str | None:
        if (self.teacher is None) == (self.endpoint is None):
            return "distillation has one teacher; write `teacher:` or `endpoint:`"
        if self.endpoint is None:
            return None
        if self.source is not AnswerSource.TEACHER:
            return (
                "an endpoint tells the likeliest few tokens at most, which is no distribution to compare with; it can "
                "write the answers: `source: teacher`"
            )
        if self.compares:
            return (
                "an endpoint tells the likeliest few tokens at most, and a distribution cut to them is biased; write "
                "`share: 0`, or load the teacher here with `teacher:`"
            )
        if self.write != WriteOptions():
            return "how an endpoint writes stands in its own group; write `temperature` and `max_tokens` there"
        return None

    def _unread(self) -> str | None:
        """What is written and would be read by nobody."""
        if not self.compares:
            return self._unread_without_divergence()
        if self._differs("beta") and self.divergence is not Divergence.JENSEN_SHANNON:
            return "`beta` is of `divergence: jensen_shannon`; remove it, or write that divergence"
        if self._differs("draws") and self.cache is not TeacherCache.SAMPLED:
            return "`draws` is of `cache: sampled`; remove it, or write that cache"
        if self._differs("every") and self.source is not AnswerSource.STUDENT:
            return "`every` is of `source: student`; remove it, or write that source"
        if self._differs("write") and self.source is AnswerSource.ROWS:
            return "nobody writes with `source: rows`; remove `write`, or let the teacher or the student write"
        return None

    def _unread_without_divergence(self) -> str | None:
        if self.source is not AnswerSource.TEACHER:
            return "with `share: 0` nothing is learned from the teacher; write a share above 0, or `source: teacher`"
        unread = filter(self._differs, ("divergence", "beta", "temperature", "cache", "draws", "every"))
        if (name := next(unread, None)) is not None:
            return f"`{name}` is of the divergence, which has no part in the loss; write a `share`, or remove it"
        return None

    def _differs(self, key: str) -> bool:
        """It is not as it is by default."""
        return bool(getattr(self, key) != type(self).model_fields[key].get_default(call_default_factory=True))

    def _cache_refused(self) -> str | None:
        if self.cache is not TeacherCache.SAMPLED:
            return None
        if self.divergence is not Divergence.FORWARD or self.temperature != 1:
            return (
                "drawn tokens estimate forward KL at temperature 1 and nothing else; remove `divergence` and "
                "`temperature`, or write `cache: none`"
            )
        if self.source is AnswerSource.STUDENT:
            return "what the student will write is not known before training; write `cache: none`"
        return None
