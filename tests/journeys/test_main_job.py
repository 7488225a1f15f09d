"""The main job as a user does it, through the command line and through Python, on the tiny base."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import atanor
from atanor.project.events import Event, RunJudged, Unwatched
from tests.journeys.projects import write_project


def command(*words: str, cwd: Path, check: int | None = 0) -> subprocess.CompletedProcess[str]:
    """Run `atanor …`; with `check`, assert its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "atanor", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ.copy(),
        check=False,
    )
    if check is not None:
        assert done.returncode == check, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_base_folder: Path) -> Path:
    """A project that was run once through the command line."""
    folder = tmp_path_factory.mktemp("finished")
    write_project(folder, tiny_base_folder, extra_lines=('{"prompt": "broken"',))
    (folder / "atanor.yaml").write_text(
        (folder / "atanor.yaml").read_text().replace("roles:", "max_refused: 0.1\nroles:"), encoding="utf-8"
    )
    done = command("run", cwd=folder)
    (folder / "screen.txt").write_text(done.stdout, encoding="utf-8")
    (folder / "log.txt").write_text(done.stderr, encoding="utf-8")
    return folder


def report_of(folder: Path) -> dict:
    (run,) = json.loads(command("runs", "--json", cwd=folder).stdout)
    return json.loads(command("show", run["id"], "--json", cwd=folder).stdout)["report"]


def test_the_screen_tells_data_plan_progress_verdict_and_what_to_do_next(finished: Path) -> None:
    screen = " ".join((finished / "screen.txt").read_text(encoding="utf-8").split())
    for words in (
        "41 rows read",
        "1 refused",
        "26 train · 4 validation · 10 test",
        "nothing cut",
        "supervised",
        "⟦answer",
        "LoRA r4 on all linear layers",
        "28 steps of 4 rows",
        "predicted",
        "of predicted)",
        "change [95 %]",
        "perplexity",
        "(bits/byte)",
        "Verdict: ",
        "report.html",
        "atanor chat",
    ):
        assert words in screen, words
    log = (finished / "log.txt").read_text(encoding="utf-8")
    assert "training 28/28 steps" in log and "loss" in log and "tok/s" in log
    assert "Traceback" not in log and "Warning" not in log


def test_the_report_adds_up_and_is_on_disk_in_both_forms(finished: Path) -> None:
    report = report_of(finished)
    data = report["data"]
    assert data["read"] == data["used"] + data["refused"] + data["left_out"] + data["duplicates"]
    assert data["used"] == data["train"] + data["validation"] + data["test"]
    assert [found["metric"] for found in report["comparisons"]] == ["exact_match", "perplexity", "forgetting"]
    assert len(report["items"]) == 10
    assert report["project_file"] == (finished / "atanor.yaml").read_text(encoding="utf-8")
    assert {"torch", "transformers", "peft", "atanor"} <= set(report["versions"])
    page = finished / command("report", report["run"], cwd=finished).stdout.strip()
    assert "<html" in page.read_text(encoding="utf-8") and report["headline"].split(";")[0] in page.read_text("utf-8")
    assert page.with_suffix(".json").is_file()


def test_perplexity_in_the_report_is_what_transformers_computes(finished: Path) -> None:
    """Base and candidate, loaded in plain PEFT and Transformers, on the rendered test rows."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    report = report_of(finished)
    base_folder = report["base"].removeprefix("path:")
    tokenizer = AutoTokenizer.from_pretrained(base_folder)
    plain = AutoModelForCausalLM.from_pretrained(base_folder, dtype=torch.float32)
    adapter = finished / ".atanor" / "runs" / report["run"] / "adapter"
    tuned = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base_folder, dtype=torch.float32), str(adapter)
    ).eval()
    found = next(entry for entry in report["comparisons"] if entry["metric"] == "perplexity")
    for model, reported in ((plain, found["baseline"]), (tuned, found["candidate"])):
        nats, tokens = 0.0, 0
        for item in report["items"]:
            turns = [{"role": "user", "content": item["prompt"]}]
            prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
            head = tokenizer(prompt, add_special_tokens=False)["input_ids"]
            answer = tokenizer(item["reference"] + "<|im_end|>", add_special_tokens=False)["input_ids"]
            with torch.no_grad():
                logits = model(torch.tensor([head + answer])).logits[0, len(head) - 1 : -1].double()
            nats += float(torch.nn.functional.cross_entropy(logits, torch.tensor(answer), reduction="sum"))
            tokens += len(answer)
        assert torch.exp(torch.tensor(nats / tokens)).item() == pytest.approx(reported, rel=1e-5)


def test_the_adapter_in_plain_peft_gives_the_same_greedy_answers(finished: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    report = report_of(finished)
    base_folder = report["base"].removeprefix("path:")
    tokenizer = AutoTokenizer.from_pretrained(base_folder)
    adapter = finished / ".atanor" / "runs" / report["run"] / "adapter"
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base_folder), str(adapter)).eval()
    for item in report["items"]:
        turns = [{"role": "user", "content": item["prompt"]}]
        prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        tokens = torch.tensor([tokenizer(prompt, add_special_tokens=False)["input_ids"]])
        written = model.generate(
            input_ids=tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=8, do_sample=False
        )[0, tokens.shape[1] :]
        assert tokenizer.decode(written, skip_special_tokens=True) == item["candidate_answer"]


def test_the_same_command_again_finds_the_finished_run(finished: Path) -> None:
    done = command("run", cwd=finished)
    assert "finished before; nothing to do" in done.stdout
    assert "training" not in done.stderr
    assert len(json.loads(command("runs", "--json", cwd=finished).stdout)) == 1


def test_chat_answers_as_the_judged_candidate(finished: Path) -> None:
    report = report_of(finished)
    item = report["items"][0]
    done = command("chat", report["candidate"], "-m", item["prompt"], "--json", cwd=finished)
    assert json.loads(done.stdout)["answer"].strip() == item["candidate_answer"].strip()
    unknown = command("chat", "nobody", "-m", "hello", cwd=finished, check=2)
    assert "there is no candidate `nobody`" in unknown.stderr and report["candidate"] in unknown.stderr


def test_python_returns_what_the_command_prints(finished: Path) -> None:
    seen: list[Event] = []

    class Keeper(Unwatched):
        def show(self, event: Event) -> None:
            seen.append(event)

    result = atanor.Project.load(finished).run(watcher=Keeper())
    printed = json.loads(command("run", "--json", cwd=finished).stdout)
    (report,) = result.reports
    assert printed["reports"][0] == json.loads(report.model_dump_json())
    assert printed["passed"] is result.passed
    assert any(isinstance(event, RunJudged) for event in seen)


def test_killed_in_training_the_same_command_finishes_with_the_same_weights(
    finished: Path, tmp_path: Path, tiny_base_folder: Path
) -> None:
    write_project(tmp_path, tiny_base_folder, extra_lines=('{"prompt": "broken"',))
    (tmp_path / "atanor.yaml").write_text((finished / "atanor.yaml").read_text(), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "atanor", "run"], cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    while process.poll() is None:
        if list(tmp_path.glob(".atanor/training/*/checkpoint-*")):
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.005)
    assert process.wait() == -signal.SIGKILL
    (run,) = json.loads(command("runs", "--json", cwd=tmp_path).stdout)
    assert run["state"] == "interrupted"
    done = command("run", cwd=tmp_path)
    assert "resuming at step" in done.stderr
    report = report_of(tmp_path)
    assert report["run"] == report_of(finished)["run"], "the same project, data, base and seed are the same run"
    ours = load_file(tmp_path / ".atanor" / "runs" / report["run"] / "adapter" / "adapter_model.safetensors")
    theirs = load_file(finished / ".atanor" / "runs" / report["run"] / "adapter" / "adapter_model.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert "interrupted and went on from step" in " ".join(report["notes"])


def test_other_metrics_and_gates_are_another_run_but_nothing_is_trained_again(
    tmp_path: Path, tiny_base_folder: Path
) -> None:
    path = write_project(tmp_path, tiny_base_folder)
    (first,) = atanor.Project.load(tmp_path).run().reports
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[exact_match, perplexity]", "[token_f1, perplexity]"), encoding="utf-8")

    class NoTraining(Unwatched):
        def start(self, name: str, total: int, unit: str, done: int = 0):  # type: ignore[no-untyped-def]
            assert name != "training"
            return super().start(name, total, unit, done)

    (second,) = atanor.Project.load(tmp_path).run(watcher=NoTraining()).reports
    assert second.run != first.run
    assert "its weights were used again" in " ".join(second.notes)
    assert second.comparisons[1] == first.comparisons[1], "perplexity is what it was"
    (third,) = atanor.Project.load(tmp_path).run(again=True).reports
    assert third.run not in (first.run, second.run)


def test_prompt_and_few_shot_are_compared_like_any_other_method(tmp_path: Path, tiny_base_folder: Path) -> None:
    write_project(
        tmp_path,
        tiny_base_folder,
        role="    methods: [prompt, few_shot: {shots: 2}]\n    metrics: [rouge_l, perplexity]\n",
    )
    result = atanor.Project.load(tmp_path).run()
    assert [report.training for report in result.reports] == [None, None]
    prompt, few_shot = result.reports
    assert prompt.comparisons[1].baseline == few_shot.comparisons[1].baseline, "one baseline for all"
    assert prompt.comparisons[1].candidate != few_shot.comparisons[1].candidate
    assert prompt.comparisons[2].change == 0, "an untouched base forgets nothing"


def test_plain_text_is_scored_and_nothing_is_generated(tmp_path: Path, tiny_base_folder: Path) -> None:
    write_project(tmp_path, tiny_base_folder)
    speeches = "\n\n".join(f"Speech {number}: wait by the lamp, said porter {number * 3}." for number in range(40))
    (tmp_path / "speeches.txt").write_text(speeches, encoding="utf-8")
    text = (tmp_path / "atanor.yaml").read_text(encoding="utf-8")
    text = text.replace("data: rows.jsonl", "data: speeches.txt\n    task: text").replace(
        "    metrics: [exact_match, perplexity]\n", ""
    )
    (tmp_path / "atanor.yaml").write_text(text, encoding="utf-8")
    (report,) = atanor.Project.load(tmp_path).run().reports
    assert [found.metric for found in report.comparisons] == ["perplexity", "bits_per_byte", "forgetting"]
    assert all(item.candidate_answer is None for item in report.items)


def test_in_bfloat16_base_and_candidate_are_computed_alike_and_near_float32(
    tmp_path: Path, tiny_base_folder: Path
) -> None:
    perplexities = {}
    for precision, arithmetic in (("exact", "float32"), ("bfloat16", "bfloat16")):
        folder = tmp_path / precision
        write_project(
            folder,
            tiny_base_folder,
            role=f"    methods: [lora: {{rank: 4, epochs: 2, batch: 4, precision: {precision}}}]\n"
            "    metrics: [perplexity, rouge_l]\n",
        )
        (report,) = atanor.Project.load(folder).run().reports
        assert report.training is not None and report.training.precision == arithmetic
        perplexities[arithmetic] = report.comparisons[0]
    exact, rounded = perplexities["float32"], perplexities["bfloat16"]
    assert rounded.baseline == pytest.approx(exact.baseline, rel=2e-2)
    assert rounded.candidate == pytest.approx(exact.candidate, rel=2e-2)
    assert rounded.baseline != exact.baseline


def test_several_roles_are_all_run(tmp_path: Path, tiny_base_folder: Path) -> None:
    path = write_project(tmp_path, tiny_base_folder, role="    methods: [prompt]\n    metrics: [perplexity]\n")
    text = path.read_text(encoding="utf-8")
    second = text[text.index("  counter:") :].replace("counter", "second")
    path.write_text(text + second, encoding="utf-8")
    project = atanor.Project.load(tmp_path)
    assert [report.role for report in project.run().reports] == ["counter", "second"]
    assert [report.role for report in project.run("second").reports] == ["second"]


def test_help_answers_at_once() -> None:
    words = [sys.executable, "-m", "atanor", "--help"]
    subprocess.run(words, capture_output=True, check=True)
    took = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(words, capture_output=True, check=True)
        took.append(time.perf_counter() - started)
    assert min(took) < 0.3
