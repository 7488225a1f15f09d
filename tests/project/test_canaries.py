"""Canaries stand among the training rows as often as asked, and nowhere else."""

from __future__ import annotations

from atanor.data.rows import Example, Message, Speaker
from atanor.models.chat_template import end_of_turn_ids
from atanor.project.dataset import Reader, RoleData
from atanor.project.options import MethodChoice, RoleOptions
from atanor.project.probing import learned_by, with_canaries, without_canaries
from atanor.train import Supervision
from tests.evaluate_report.reports import data as section
from tests.tiny import tiny_tokenizer


def test_canaries_are_planted_and_taken_out_again() -> None:
    tokenizer = tiny_tokenizer()
    reader = Reader(tokenizer, 256, end_of_turn_ids(tokenizer))
    turns = (Message(Speaker.USER, "Which shelf?"), Message(Speaker.ASSISTANT, "The third."))
    own = Example(turns, None, "rows.jsonl", 1)
    plain = Supervision((), (), {own.id: own})
    data = RoleData(plain, plain, (), frozenset(), section(), (), ())
    role = RoleOptions.model_validate(
        {"goal": "x", "data": "rows.jsonl", "system": "Be brief.", "probes": [{"canaries": {"number": 6, "repeat": 3}}]}
    )
    planted = with_canaries(data, role, reader, 1)
    assert len(planted.training.rows) == 18 and len({row.tokens for row in planted.training.rows}) == 6
    assert planted.validation == plain and "6 canaries stand 3 times each" in planted.section.notes[-1]
    canaries = [example for name, example in planted.training.examples.items() if name != own.id]
    assert all(example.messages[0].content == "Be brief." for example in canaries)
    assert without_canaries(planted.training).examples == plain.examples
    assert learned_by(MethodChoice.of("few_shot"), planted.training).examples == plain.examples
    assert learned_by(MethodChoice.of("lora"), planted.training) is planted.training
    assert not without_canaries(planted.training).rows
    assert with_canaries(data, role.model_copy(update={"probes": ()}), reader, 1) is data
