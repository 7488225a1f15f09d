"""Distillation as a whole: what is learned, kept, resumed and refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from atanor.compute import Engine
from atanor.data.options import RenderOptions
from atanor.data.rendering import render_examples
from atanor.data.rows import Example, Message, Speaker
from atanor.errors import ConfigurationError, DataError
from atanor.models import attach_all, attach_lora
from atanor.progress import Silent
from atanor.train import Material, Supervision, TrainingJob, TrainingResult, TrainOptions, train
from atanor.train.distillation import DistillationOptions, TeacherModel, build, prepare
from tests.endpoint import Server, said
from tests.train.jobs import tiny_base
from tests.train.teachers import KnownTeachers

ENDPOINT = {"base_url": "http://x", "model": "m"}


def examples(count: int) -> list[Example]:
    return [
        Example(
            (
                Message(Speaker.USER, f"question {number * 7 % 10} of {number}"),
                Message(Speaker.ASSISTANT, f"answer {number} " * (1 + number % 3)),
            ),
            None,
            "rows.jsonl",
            number + 1,
        )
        for number in range(count)
    ]


def side(base: Any, made: list[Example]) -> Supervision:
    rendered = render_examples(made, base.tokenizer, RenderOptions(), base.context, base.end_ids)
    return Supervision(rendered.rows, (), {example.id: example for example in made})


def material(base_folder: Path, folder: Path, count: int = 12) -> Material:
    base = tiny_base(base_folder)
    every = examples(count)
    return Material(base, side(base, every[3:]), side(base, every[:3]), 7, folder, teachers=KnownTeachers(base))


class Said(Silent):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


def trained(ready: Material, options: DistillationOptions) -> TrainingResult:
    """What came of training every weight."""
    tuned = attach_all(ready.base)
    training = TrainOptions(epochs=4, batch=4, learning_rate=1e-2, validate_every=2, patience=0)
    made = prepare(options, ready, Silent())
    job = TrainingJob(
        tuned=tuned,
        training=made.training.rows,
        validation=made.validation.rows,
        options=training,
        pad=2,
        seed=17,
        folder=ready.folder,
        versions={"atanor": "test"},
        objective=build(options, tuned, made),
    )
    return train(job, Silent())


@pytest.mark.parametrize("divergence", ["forward", "reverse", "jensen_shannon"])
def test_a_student_comes_nearer_to_its_teacher(divergence: str, tmp_path: Path, tiny_base_folder: Path) -> None:
    options = DistillationOptions(teacher="other", divergence=divergence, share=1)
    result = trained(material(tiny_base_folder, tmp_path), options)
    assert result.validation_loss[-1][1] < 0.9 * result.validation_loss[0][1]


def test_the_loss_on_answers_of_the_student_is_no_completion_of_them(tmp_path: Path, tiny_base_folder: Path) -> None:
    ready = material(tiny_base_folder, tmp_path)
    tuned = attach_lora(ready.base, rank=4, alpha=8, seed=5)
    options = DistillationOptions(teacher="itself", source="student", every=2, share=0.5, write={"max_new_tokens": 6})
    objective = build(options, tuned, prepare(options, ready, Silent()))
    engine = Engine(tuned.model, pad=2)
    objective.at_step(2)
    assert objective.backward(engine, ready.training.rows[:4]) == pytest.approx(0, abs=1e-6), "it begins as its teacher"
    objective.at_step(3)
    completion = engine.mean_loss(ready.training.rows[:4])
    assert objective.backward(engine, ready.training.rows[:4]) == pytest.approx(0.5 * completion, rel=1e-5)


def test_what_the_student_writes_follows_from_the_step_and_the_prompt_is_as_it_stands(
    tmp_path: Path, tiny_base_folder: Path
) -> None:
    ready = material(tiny_base_folder, tmp_path)
    tuned = attach_lora(ready.base, rank=4, alpha=8, seed=5)
    options = DistillationOptions(teacher="other", source="student", write={"max_new_tokens": 6})
    objective = build(options, tuned, prepare(options, ready, Silent()))
    assert objective.write is not None
    window = ready.training.rows[:4]
    before = torch.random.get_rng_state()
    one, same, other = (objective.write(window, step) for step in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before), "training draws what it would have drawn"
    assert one == same != other
    for row, written in zip(window, one, strict=True):
        start = written.weights.index(1.0)
        assert written.tokens[:start] == row.tokens[:start]
        assert row.weights[start] > 0 and not any(row.weights[:start]), "the answer begins where the row's does"
        assert 1 <= written.supervised <= 6
    assert all(parameter.requires_grad for name, parameter in tuned.model.named_parameters() if "lora" in name)


def test_drawn_tokens_are_kept_found_again_and_drawn_anew_where_damaged(tmp_path: Path, tiny_base_folder: Path) -> None:
    options = DistillationOptions(teacher="other", cache="sampled", draws=5)
    ready = material(tiny_base_folder, tmp_path)
    first = prepare(options, ready, Silent()).teaching
    assert first.teacher is None and first.drawn is not None, "the teacher leaves the memory"
    again = material(tiny_base_folder, tmp_path)
    found = prepare(options, again, Silent()).teaching
    assert isinstance(again.teachers, KnownTeachers) and again.teachers.opened == 0
    assert found.drawn is not None
    assert all(torch.equal(first.drawn[name], found.drawn[name]) for name in first.drawn)
    file = tmp_path / "teacher" / "drawn.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    told = Said()
    mended = prepare(options, again, told).teaching
    assert "is not as it was written; the tokens are drawn again" in told.lines[0]
    assert mended.drawn is not None
    assert all(torch.equal(first.drawn[name], mended.drawn[name]) for name in first.drawn)
    assert again.teachers.opened == 1
    prepare(DistillationOptions(teacher="other", cache="sampled", draws=6), again, Silent())
    assert again.teachers.opened == 2, "other options are other draws"


def test_the_loss_of_drawn_tokens_is_near_the_exact_one(tmp_path: Path, tiny_base_folder: Path) -> None:
    ready = material(tiny_base_folder, tmp_path)
    sampled = DistillationOptions(teacher="other", cache="sampled", draws=1024, share=1)
    exact = DistillationOptions(teacher="other", share=1)
    tuned = attach_lora(ready.base, rank=4, alpha=8, seed=5)
    gradients = []
    for options in (exact, sampled):
        engine = Engine(tuned.model, pad=2)
        tuned.model.zero_grad()
        build(options, tuned, prepare(options, ready, Silent())).backward(engine, ready.training.rows)
        gradients.append(torch.cat([one.grad.flatten() for one in tuned.model.parameters() if one.grad is not None]))
    assert float((gradients[1] - gradients[0]).norm()) < 0.2 * float(gradients[0].norm())


def test_what_the_teacher_wrote_is_learned_kept_and_never_asked_again(tmp_path: Path, tiny_base_folder: Path) -> None:
    options = DistillationOptions(teacher="other", source="teacher", write={"max_new_tokens": 12, "temperature": 0.8})
    ready = material(tiny_base_folder, tmp_path, 60)
    told = Said()
    try:
        made = prepare(options, ready, told)
    except DataError as error:  # a random teacher may hardly ever end
        assert "`teacher/answers.jsonl`" in str(error)
        lines = (tmp_path / "teacher" / "answers.jsonl").read_text().splitlines()
        assert len(lines) == 1 + 57
        return
    assert len(made.training.rows) <= 57


def _replies(text: str) -> Any:
    return lambda body, number: (200, {}, said(f"{text} {body['messages'][-1]['content']}"))


def endpoint_options(server: Server, **changes: Any) -> DistillationOptions:
    endpoint = {"base_url": server.url, "model": "large", "api_key_env": None, "backoff_s": 0, "retries": 1, **changes}
    return DistillationOptions(endpoint=endpoint, source="teacher")


def test_an_endpoint_writes_every_answer_once(tmp_path: Path, tiny_base_folder: Path) -> None:
    server = Server(_replies("you asked"))
    ready = material(tiny_base_folder, tmp_path)
    options = endpoint_options(server)
    made = prepare(options, ready, Silent())
    assert len(server.bodies) == 9
    decoded = [ready.base.tokenizer.decode(row.tokens) for row in made.training.rows]
    assert all("you asked question" in text for text in decoded)
    assert made.validation.rows == ready.validation.rows, "what chooses the best checkpoint is as it stands"
    assert made.training.rows == prepare(options, ready, Silent()).training.rows
    assert len(server.bodies) == 9
    told = json.loads((tmp_path / "teacher" / "answers.json").read_text())
    assert (told["asked"], told["written"]) == (9, 9)
    assert trained(ready, options).train_loss


def test_a_killed_teacher_goes_on_after_its_last_whole_batch(
    tmp_path: Path, tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atanor.train.distillation.answers.BATCH", 4)
    server = Server(_replies("so"))
    options = endpoint_options(server)
    whole = prepare(options, material(tiny_base_folder, tmp_path), Silent())
    file = tmp_path / "teacher" / "answers.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:7]) + lines[7][:9])
    (tmp_path / "teacher" / "answers.json").unlink()
    resumed = prepare(options, material(tiny_base_folder, tmp_path), Silent())
    assert resumed.training.rows == whole.training.rows
    assert len(server.bodies) == 9 + 5, "the first batch of four was whole"
    assert file.read_text() == "".join(lines)


def test_damaged_answers_are_told_and_asked_for_again(tmp_path: Path, tiny_base_folder: Path) -> None:
    server = Server(_replies("so"))
    prepare(endpoint_options(server), material(tiny_base_folder, tmp_path), Silent())
    file = tmp_path / "teacher" / "answers.jsonl"
    file.write_text(file.read_text().replace("so question", "no question"))
    told = Said()
    prepare(endpoint_options(server), material(tiny_base_folder, tmp_path), told)
    assert "is not as it was written; the teacher is asked again" in told.lines[0]
    assert len(server.bodies) == 18


def test_prompts_without_an_answer_are_counted_with_their_reason(tmp_path: Path, tiny_base_folder: Path) -> None:
    def reply(body: dict[str, Any], number: int) -> tuple[int, dict[str, str], Any]:
        text = body["messages"][-1]["content"]
        if text.startswith("question 8 of"):
            return 500, {}, b"out of order"
        return 200, {}, said("cut", "length") if text.startswith("question 5 of") else said("yes")

    told = Said()
    ready = material(tiny_base_folder, tmp_path)
    made = prepare(endpoint_options(Server(reply)), ready, told)
    assert len(made.training.rows) == 7
    text = "\n".join(told.lines)
    assert "wrote 7 of 9 answers" in text
    assert "no answer to rows.jsonl:5: HTTP 500: 'out of order'" in text
    assert "no answer to rows.jsonl:6: the answer was cut at `max_tokens`" in text


def test_an_endpoint_that_hardly_answers_is_an_error(tmp_path: Path, tiny_base_folder: Path) -> None:
    def reply(body: dict[str, Any], number: int) -> tuple[int, dict[str, str], Any]:
        return 200, {}, said("yes") if number < 3 else said("", "stop")

    with pytest.raises(DataError, match="the teacher does not answer") as refused:
        prepare(endpoint_options(Server(reply)), material(tiny_base_folder, tmp_path), Silent())
    assert "of 9 prompts it answered 2" in refused.value.problems[0].reason


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda t: t.add_tokens(["<new>"]), r"tokens against \d+; token \d+ is None and '<new>'"),
        (lambda t: setattr(t, "pad_token", "<|endoftext|>"), "the special token pad_token is '<|im_end|>' and"),
        (lambda t: setattr(t, "chat_template", "{{ messages }}"), "the chat templates differ, first in"),
        (lambda t: setattr(t, "chat_template", None), "the teacher has no chat template"),
    ],
)
def test_another_tokenizer_is_refused_with_the_first_difference(
    change: Any, difference: str, tmp_path: Path, tiny_base_folder: Path
) -> None:
    ready = material(tiny_base_folder, tmp_path)

    class Others(KnownTeachers):
        def open(self, name: str) -> TeacherModel:
            made = super().open("other")
            change(made.base.tokenizer)
            return replace(made, name="hf:some/teacher")

    ready = replace(ready, teachers=Others(ready.base))
    with pytest.raises(ConfigurationError, match=difference) as refused:
        prepare(DistillationOptions(teacher="hf:some/teacher"), ready, Silent())
    text = str(refused.value)
    assert "hf:some/teacher (teacher) differ" in text and f"path:{tiny_base_folder} (student)" in text
    assert "`source: teacher` and `share: 0`" in text


def test_a_teacher_with_an_instruction_of_its_own_is_not_compared_token_by_token(
    tmp_path: Path, tiny_base_folder: Path
) -> None:
    ready = material(tiny_base_folder, tmp_path)

    class Framed(KnownTeachers):
        def open(self, name: str) -> TeacherModel:
            return replace(super().open(name), around=lambda turns: (Message(Speaker.SYSTEM, "Be brief."), *turns))

    with pytest.raises(ConfigurationError, match="an instruction or examples of its own"):
        prepare(DistillationOptions(teacher="other"), replace(ready, teachers=Framed(ready.base)), Silent())


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({}, "distillation has one teacher"),
        ({"teacher": "a", "endpoint": ENDPOINT}, "distillation has one teacher"),
        ({"endpoint": ENDPOINT}, "no distribution to compare with"),
        (
            {"endpoint": ENDPOINT, "source": "teacher", "share": 1},
            "cut to them is biased",
        ),
        (
            {"endpoint": ENDPOINT, "source": "teacher", "write": {"top_p": 0.5}},
            "own group",
        ),
        ({"teacher": "a", "share": 0}, "nothing is learned from the teacher"),
        ({"teacher": "a", "source": "teacher", "temperature": 2}, "`temperature` is of the divergence"),
        ({"teacher": "a", "beta": 0.3}, "`beta` is of `divergence: jensen_shannon`"),
        ({"teacher": "a", "draws": 3}, "`draws` is of `cache: sampled`"),
        ({"teacher": "a", "every": 3}, "`every` is of `source: student`"),
        ({"teacher": "a", "write": {"top_p": 0.5}}, "nobody writes with `source: rows`"),
        ({"teacher": "a", "cache": "sampled", "temperature": 2}, "forward KL at temperature 1"),
        ({"teacher": "a", "cache": "sampled", "divergence": "reverse"}, "forward KL at temperature 1"),
        ({"teacher": "a", "cache": "sampled", "source": "student"}, "is not known before training"),
    ],
)
def test_options_that_cannot_work_together_are_refused(written: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        DistillationOptions(**written)


def test_texts_have_no_prompt_to_answer(tmp_path: Path, tiny_base_folder: Path) -> None:
    base = tiny_base(tiny_base_folder)
    texts = side(base, [Example((), "The Director turns a scene note.", "rows.jsonl", 1)])
    ready = Material(base, texts, texts, 7, tmp_path, teachers=KnownTeachers(base))
    with pytest.raises(ConfigurationError, match="no prompt that could be answered"):
        prepare(DistillationOptions(teacher="other", source="teacher"), ready, Silent())
    tuned = attach_lora(base, rank=4, alpha=8, seed=5)
    options = DistillationOptions(teacher="other", source="student")
    with pytest.raises(ConfigurationError, match="no prompt that could be answered"):
        build(options, tuned, prepare(options, ready, Silent()))
