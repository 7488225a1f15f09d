"""Every real set is recognised, or mapped in at most five lines of a project, and every one of its rows has a fate."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from atanor.data import SourceOptions, read_examples

ROOT = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[3] / "shared" / "data"))
pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason="the real data sets are not here (ATANOR_DATA)")
MOST_LINES = 5
BARISTA = "system: You take the orders of a coffee bar."
PERSONA = """\
prompt: question
chosen: answer_matching_behavior
rejected: answer_not_matching_behavior"""


@dataclass(frozen=True)
class Expected:
    """What reading a file gives. Rows in it: `examples + refused + left_out + joined - extra`."""

    format: str
    examples: int
    mapping: str = ""
    refused: int = 0
    left_out: int = 0
    joined: int = 0
    shortened: int = 0
    groups: int = 0


SETS = {
    "banking77/train.csv": Expected("classification", 10003, "labels: banking77/categories.json"),
    "bias_probes/crows_pairs.jsonl": Expected("text", 1508, "text: sent_more"),
    "bias_probes/winogender.jsonl": Expected("text", 720, "text: sentence"),
    "blimp/blimp_first60.jsonl": Expected("text", 4020, "text: sentence_good"),
    "books_en/alice_in_wonderland.txt": Expected("text", 819),
    "books_en/don_quixote_ormsby.txt": Expected("text", 4390),
    "books_en/poe_short_fiction.txt": Expected("text", 3432),
    "books_en/pride_and_prejudice.txt": Expected("text", 2126),
    "books_en/sherlock_holmes_adventures.txt": Expected("text", 2541),
    "dolly_open_qa/train.jsonl": Expected("prompt_completion", 2960),
    "dolly_vs_flan_t5/train.jsonl": Expected("preference", 1218),
    "dstc9_faq/knowledge_train.jsonl": Expected(
        "prompt_completion", 2900, "prompt: '{entity} ({domain}): {question}'\ncompletion: answer"
    ),
    "dstc9_faq/val_responses.jsonl": Expected(
        "prompt_completion", 2673, 'prompt: "{question}\\nFAQ: {faq_answer}"\ncompletion: agent_response'
    ),
    "e2e_cleaned/devel-fixed.no-ol.csv": Expected("prompt_completion", 4299),
    "e2e_nlg/devset.csv": Expected("prompt_completion", 547, "gather_references: true", joined=4125),
    "e2e_nlg/trainset_detok.csv.gz": Expected("prompt_completion", 4862, "gather_references: true", joined=37199),
    "gsm8k/train.jsonl.gz": Expected("prompt_completion", 7473),
    "lambada/test_a.jsonl": Expected("text", 2577),
    "libros_es/becquer_leyendas_y_rimas.txt": Expected("text", 961),
    "libros_es/cuentos_Bazan_CuMarineda-ce0009.txt": Expected("text", 493),
    "libros_es/cuentos_Clarin_Pipa-ce0020.txt": Expected("text", 1503),
    "libros_es/don_quijote.txt": Expected("text", 5192),
    "libros_es/marianela_galdos.txt": Expected("text", 1270),
    "libros_es/novelas_y_teatro_cervantes.txt": Expected("text", 765),
    "light_characters/characters.jsonl": Expected(
        "prompt_completion", 1417, "prompt: Who are you, {name}?\ncompletion: '{persona}'"
    ),
    "mc_probes/arc_easy_test.jsonl": Expected("multiple_choice", 2376),
    "mc_probes/hellaswag_val_a.jsonl": Expected("multiple_choice", 1256),
    "mc_probes/mmlu_dev_5shot.jsonl": Expected("multiple_choice", 285),
    "mc_probes/openbookqa_test.jsonl": Expected("multiple_choice", 500),
    "mc_probes/social_iqa_valid.jsonl": Expected("multiple_choice", 1954),
    "nl2bash/train.jsonl": Expected("prompt_completion", 10095, "prompt: nl\ncompletion: cmd"),
    "oasst1_valid/valid_en_es_part1.jsonl": Expected("messages", 373),
    "oasst1_valid/valid_other_languages.jsonl": Expected("messages", 252),
    "persona_evals/agreeableness.jsonl": Expected("preference", 1000, PERSONA),
    "persona_evals/extraversion.jsonl": Expected("preference", 1000, PERSONA),
    "persona_evals/interest-in-music.jsonl": Expected("preference", 1000, PERSONA),
    "persona_evals/interest-in-science.jsonl": Expected("preference", 1000, PERSONA),
    "persona_evals/risk-averse.jsonl": Expected("preference", 1000, PERSONA),
    "self_instruct/seed_tasks.jsonl": Expected("self_instruct", 175),
    "sgd/dev_schema.json": Expected("prompt_completion", 17, "prompt: service_name\ncompletion: description"),
    "sgd/dev_subset.jsonl.gz": Expected("dialogue", 300),
    "sgd/train_schema.json": Expected("prompt_completion", 26, "prompt: service_name\ncompletion: '{intents}'"),
    "sgd/train_subset.jsonl.gz": Expected("dialogue", 900),
    "shakespeare/input_90.txt": Expected("script", 6052, "format: script", refused=106, joined=125, groups=124),
    "shakespeare/speeches_90.jsonl": Expected("script", 6258, joined=129, groups=128),
    "sms_spam/train.jsonl": Expected("classification", 3821, "labels: [ham, spam]"),
    "snips/train.jsonl": Expected("classification", 13784),
    "synthetic_persona_chat/valid.jsonl": Expected(
        "dialogue", 997, 'assistant: user2\nsystem: "You are this person:\\n{persona2}"', refused=3, shortened=402
    ),
    "taskmaster4/data_00.jsonl": Expected("dialogue", 500, shortened=9),
    "taskmaster4/data_01.jsonl": Expected("dialogue", 500, shortened=11),
    "taskmaster4/data_02.jsonl": Expected("dialogue", 500, shortened=11),
    "taskmaster4/data_03.jsonl": Expected("dialogue", 500, shortened=7),
    "taskmaster4/data_04.jsonl": Expected("dialogue", 500, shortened=7),
    "taskmaster_reward/TM-4-2024_pairs.jsonl": Expected("preference", 409, BARISTA),
    "taskmaster_reward/TM-4-2024_pointwise.jsonl.gz": Expected(
        "kto", 3222, f"prompt: context\ncompletion: generation\ndesirable: reward\n{BARISTA}", refused=6
    ),
    "teatro_espanol/dicenta-juan-jose.jsonl": Expected("script", 845, joined=18, groups=18),
    "teatro_espanol/galdos-electra.jsonl": Expected("script", 1556, joined=32, groups=32),
    "teatro_espanol/la-dama-duende.jsonl": Expected(
        "script", 162, "assistant: Cosme\nwindow: 4", left_out=354, joined=247, groups=15
    ),
    "teatro_espanol/la-vida-es-sueno.jsonl": Expected("script", 480, joined=10, groups=10),
    "wikisql/dev.jsonl.gz": Expected("prompt_completion", 8421, "completion: sql"),
    "wikisql/mlx_1000_table_prompt.jsonl": Expected("text", 1000),
    "wikisql/mlx_100_table_prompt_valid.jsonl": Expected("text", 100),
    "wikisql/train.jsonl.gz": Expected("prompt_completion", 56355, "completion: sql"),
    "wikitext2/valid.txt": Expected("text", 1160),
    "xquad/xquad_en_a.jsonl": Expected("prompt_completion", 836),
    "xquad/xquad_es_a.jsonl": Expected("prompt_completion", 836),
    "xstest/part1.jsonl": Expected("classification", 225, "prompt: prompt\nlabel: label"),
}
NO_ROWS = {"banking77/categories.json"}
"""Files that describe a set and hold no rows of it."""


def test_every_file_of_every_set_is_in_the_table() -> None:
    files = {str(path.relative_to(ROOT)) for path in ROOT.glob("*/*") if path.name != "README.md"}
    assert files - NO_ROWS == set(SETS)
    assert len({name.split("/")[0] for name in SETS}) == 30


@pytest.mark.parametrize("name", SETS)
def test_a_real_set_is_read_and_every_row_has_a_fate(name: str) -> None:
    expected = SETS[name]
    assert len(expected.mapping.splitlines()) <= MOST_LINES
    result = read_examples([SourceOptions(path=name, **(yaml.safe_load(expected.mapping) or {}))], ROOT)
    found = Expected(
        format=result.formats[0].columns.format.value,
        examples=len(result.examples),
        mapping=expected.mapping,
        refused=len(result.refusals),
        left_out=result.left_out,
        joined=result.joined,
        shortened=result.shortened,
        groups=len({example.group for example in result.examples if example.group is not None}),
    )
    assert found == expected
    assert result.read + result.extra == (len(result.examples) + len(result.refusals) + result.left_out + result.joined)
    assert result.extra == 0
    assert all(refusal.reason and refusal.fix for refusal in result.refusals)
