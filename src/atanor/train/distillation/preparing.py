"""What is done once before a student trains: the teacher is found and checked, writes answers, or is drawn from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence

import torch

from atanor.compute import Engine, Teacher
from atanor.data.augmentation.endpoint import Endpoint, Unanswered
from atanor.data.rendering import prompt_tokens, render_examples
from atanor.data.rows import Example, Message, Speaker
from atanor.errors import ConfigurationError, Problem
from atanor.inference import Decoding, generate_answers
from atanor.models import Tuned
from atanor.progress import Progress
from atanor.train.distillation.answers import Ask, Asked, Written, teacher_answers
from atanor.train.distillation.drawing import draw, find_drawn
from atanor.train.distillation.objective import Distillation
from atanor.train.distillation.options import AnswerSource, DistillationOptions, TeacherCache
from atanor.train.distillation.teacher import TeacherModel, Teaching
from atanor.train.distillation.tokenizers import FIELD, require_same_tokens
from atanor.train.distillation.writing import longest_answer, require_answers, student_writer
from atanor.train.objectives.base import Objective
from atanor.train.objectives.completion import Completion
from atanor.train.objectives.material import Material, Supervision

FOLDER = "teacher"
"""Of a training: what its teacher wrote and what was drawn from it."""


def prepare(options: DistillationOptions, material: Material, progress: Progress) -> Material:
    """Everything a teacher does before training. What is in the training's folder already is not done again.

    Args:
        options: of the distillation.
        material: what lies before the objective; its `teachers` open the teacher.
        progress: told about long work.

    Returns:
        The material with the answers the teacher wrote, and with the teacher or what was drawn from it.

    Raises:
        ConfigurationError: student and teacher cannot be compared; the reason names the difference.
        DataError: the endpoint refuses, or the teacher leaves most prompts without an answer.
        BaseModelError: the teacher cannot be loaded.
        StoreError: what it said cannot be kept.
    """
    lesson = _Lesson(options, material, progress)
    if options.source is AnswerSource.TEACHER:
        material = lesson.material = dataclasses.replace(material, training=lesson.written())
    if not options.compares:
        return material
    return dataclasses.replace(material, teaching=lesson.compared())


def build(options: DistillationOptions, tuned: Tuned, material: Material) -> Objective:
    """The loss, when the student is ready to train."""
    if not options.compares:
        return Completion()
    teacher, rows = material.teaching.teacher, material.training.rows
    write = None
    if options.source is AnswerSource.STUDENT:
        write = student_writer(material.base, tuned, options.write, rows, material.seed)

    def make(engine: Engine) -> Teacher:
        assert teacher is not None
        if teacher.base is material.base:
            return Teacher(engine, tuned.untouched)
        return Teacher(_engine_of(teacher, engine.tokens_per_pass))

    return Distillation(options.matching, teacher=make, drawn=material.teaching.drawn, write=write, every=options.every)


def _engine_of(teacher: TeacherModel, tokens_per_pass: int | None = None) -> Engine:
    dtype = torch.bfloat16 if teacher.base.model.dtype == torch.bfloat16 else torch.float32
    pad = teacher.base.tokenizer.pad_token_id or 0
    return Engine(teacher.model.eval(), pad=pad, tokens_per_pass=tokens_per_pass, dtype=dtype)


class _Lesson:
    """One training's teacher at work. It is loaded when it is first asked for something that is not kept."""

    def __init__(self, options: DistillationOptions, material: Material, progress: Progress) -> None:
        self.options = options
        self.material = material
        self.progress = progress
        self.folder = material.folder / FOLDER
        self._teacher: TeacherModel | None = None

    @property
    def teacher(self) -> TeacherModel:
        if self._teacher is None:
            name = self.options.teacher
            assert name is not None and self.material.teachers is not None
            self._teacher = self.material.teachers.open(name)
        return self._teacher

    @property
    def identity(self) -> str:
        """Of the teacher and of all that decides what it says."""
        told = self.options.model_dump(mode="json", include={"endpoint", "write", "draws"})
        name, teachers = self.options.teacher, self.material.teachers
        who = None if name is None or teachers is None else teachers.identity(name)
        content = json.dumps([who, told, self.material.seed], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    # The teacher writes

    def written(self) -> Supervision:
        """The training rows with the teacher's answers in place of their own."""
        examples = list(self.material.training.examples.values())
        for example in examples:
            if not example.messages:
                reason = "a row of plain text has no prompt that could be answered"
                problem = Problem(reason, example.source, example.line, "objective.distillation.source", "teacher")
                raise ConfigurationError("the teacher has nothing to answer", [problem])
        asked = [Asked(one.id, json.dumps([[turn.speaker, turn.content] for turn in one.prompt])) for one in examples]
        ask = self._by_endpoint(examples) if self.options.endpoint else self._by_model(examples)
        came = teacher_answers(self.folder, self.identity, asked, ask, self.progress)
        answered = [
            _answered(example, answer) for example in examples if (answer := came[example.id].answer) is not None
        ]
        base = self.material.base
        rendered = render_examples(answered, base.tokenizer, self.material.render, base.context, base.end_ids)
        self._tell(examples, came, [one.reason for one in rendered.refusals])
        require_answers(rendered.used, len(examples))
        return Supervision(rendered.rows, (), {example.id: example for example in answered})

    def _by_model(self, examples: Sequence[Example]) -> Ask:
        longest = 2 * longest_answer(self.material.training.rows)
        write = self.options.write
        decoding = Decoding(write.max_new_tokens or longest, write.temperature or 0.0, write.top_p, self.material.seed)

        def ask(numbers: Sequence[int]) -> list[Written]:
            teacher = self.teacher
            part = [examples[number] for number in numbers]
            prompts = [prompt_tokens(_framed(example, teacher), teacher.base.tokenizer) for example in part]
            # Each batch begins at a seed of its own, so that a resumed run draws what an undisturbed one draws.
            seeded = dataclasses.replace(decoding, seed=decoding.seed * 1_000_003 + numbers[0])
            with torch.random.fork_rng():
                answers = generate_answers(
                    teacher.base, teacher.model.eval(), prompts, decoding=seeded, progress=self.progress,
                    name="teacher writes",
                )  # fmt: skip
            return [
                _of_model(example.id, answer.text.strip(), finished=answer.finished)
                for example, answer in zip(part, answers, strict=True)
            ]

        return ask

    def _by_endpoint(self, examples: Sequence[Example]) -> Ask:
        assert self.options.endpoint is not None
        endpoint = Endpoint(self.options.endpoint, "objective.distillation.endpoint")

        def ask(numbers: Sequence[int]) -> list[Written]:
            part = [examples[number] for number in numbers]
            replies = endpoint.replies([[_as_sent(turn) for turn in example.prompt] for example in part])
            return [
                Written(example.id, None, reply.reason) if isinstance(reply, Unanswered) else Written(example.id, reply)
                for example, reply in zip(part, replies, strict=True)
            ]

        return ask

    def _tell(self, examples: Sequence[Example], came: dict[str, Written], unusable: Sequence[str]) -> None:
        """Counts, and the first prompts that are left out with where they stand and why."""
        without = [example for example in examples if came[example.id].answer is None]
        written = len(examples) - len(without)
        self.progress.say(f"teacher   wrote {written:,} of {len(examples):,} answers; kept in {self.folder}")
        for example in without[:5]:
            self.progress.say(f"teacher   no answer to {example.source}:{example.line}: {came[example.id].reason}")
        if len(without) > 5:
            self.progress.say(f"teacher   {len(without) - 5:,} more without an answer; their rows are left out")
        if unusable:
            self.progress.say(f"teacher   {len(unusable):,} answers cannot be learned, the first because {unusable[0]}")

    # The teacher is compared with

    def compared(self) -> Teaching:
        """The teacher where it is asked at every step, or what was drawn from it."""
        rows = [*self.material.training.rows, *self.material.validation.rows]
        if self.options.cache is TeacherCache.SAMPLED:
            drawn = find_drawn(self.folder, self.identity, rows, self.progress)
            if drawn is not None:
                return Teaching(drawn=drawn)
        self._require_comparable(max(len(row.tokens) for row in rows))
        if self.options.cache is TeacherCache.NONE:
            return Teaching(self.teacher)
        drawn = draw(
            self.folder,
            self.identity,
            rows,
            Teacher(_engine_of(self.teacher)),
            draws=self.options.draws,
            vocabulary=self.material.base.model.get_output_embeddings().weight.shape[0],
            seed=self.material.seed,
            progress=self.progress,
        )
        return Teaching(drawn=drawn)

    def _require_comparable(self, longest: int) -> None:
        student, teacher = self.material.base, self.teacher
        names = (str(student.local.reference), teacher.name)
        require_same_tokens(student.tokenizer, teacher.base.tokenizer, names)
        reason = None
        if teacher.around is not None:
            reason = "it sees an instruction or examples of its own, so that its tokens are not the student's"
        elif longest > teacher.base.context:
            reason = f"the longest row has {longest:,} tokens, and its context {teacher.base.context:,}"
        if reason is not None:
            fix = "Write `source: teacher` and `share: 0`: it then writes answers as it was judged"
            raise ConfigurationError(
                "teacher and student cannot be compared token by token",
                [Problem(reason, field=FIELD, value=teacher.name, fix=fix)],
            )


def _framed(example: Example, teacher: TeacherModel) -> Example:
    if teacher.around is None:
        return example
    return dataclasses.replace(example, messages=(*teacher.around(example.prompt), example.messages[-1]))


def _answered(example: Example, answer: str) -> Example:
    """The example with another answer, about which nobody has said anything."""
    messages = (*example.messages[:-1], Message(Speaker.ASSISTANT, answer))
    return dataclasses.replace(example, messages=messages, references=(), rejected=None, desirable=None, label=None)


def _as_sent(turn: Message) -> dict[str, str]:
    return {"role": turn.speaker.value, "content": turn.content}


def _of_model(example_id: str, text: str, *, finished: bool) -> Written:
    if not finished:
        return Written(example_id, None, "the answer was cut at `write.max_new_tokens`")
    return Written(example_id, text) if text else Written(example_id, None, "the answer is empty")
