"""What has to hold of a classifier, on an encoder and on a decoder, whatever of it trains: one row of a table each."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from pydantic import TypeAdapter
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    BertModel,
    PreTrainedTokenizerFast,
)

from atanor.data.options import TooLong
from atanor.data.rows import Example, Message, Speaker
from atanor.methods import METHOD_OPTIONS, METHODS, Bench, Made
from atanor.methods.classification.classifier import Classifier
from atanor.methods.classification.material import ClassMaterial
from atanor.models import BaseReference, LocalBase, resolve_base
from atanor.progress import Silent
from atanor.train import Supervision
from tests.train.jobs import tiny_base

CLASSES = ("cheese", "music", "weather")
WORDS = {
    "cheese": ("brie", "cheddar", "rind"),
    "music": ("chord", "tune", "drum"),
    "weather": ("rain", "wind", "sun"),
}


@dataclass(frozen=True)
class Row:
    """A classifier as a project writes it, on a kind of base."""

    kind: str
    train: str
    options: dict[str, Any] = field(default_factory=dict)
    multi_label: bool = False

    def __str__(self) -> str:
        return "-".join([self.kind, self.train, "several" if self.multi_label else "one"])


TABLE = [
    *(Row(kind, train) for kind, train in itertools.product(("decoder", "cls", "mean"), ("head", "lora", "full"))),
    *(Row(kind, "last_layers", {"layers": 1}) for kind in ("decoder", "cls", "mean")),
    *(Row(kind, "lora", {"class_weights": "balanced"}, multi_label=True) for kind in ("decoder", "cls", "mean")),
]


def test_the_table_is_whole() -> None:
    assert len(TABLE) == 15
    assert {row.train for row in TABLE} == {"head", "lora", "full", "last_layers"}


def save_encoder(folder: Path) -> Path:
    """A tiny BERT of random weights that knows the words of the tests, with dropout as BERT has it."""
    words = [word for listed in WORDS.values() for word in listed]
    vocabulary = {name: n for n, name in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "about", "and", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    # A spread wide enough for the first token to tell texts apart without pretraining.
    config = BertConfig(
        vocab_size=len(vocabulary), max_position_embeddings=32, pad_token_id=0, initializer_range=0.3, **sizes
    )
    BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoder"))


def examples(count: int, *, multi_label: bool = False) -> list[Example]:
    made = []
    for number in range(count):
        name = CLASSES[number % 3]
        words = [WORDS[name][number // 3 % 3]]
        label = name
        if multi_label and number % 2:
            other = CLASSES[(number + 1) % 3]
            words.append(WORDS[other][number % 3])
            label = ", ".join((name, other))
        turns = (Message(Speaker.USER, f"about {' and '.join(words)}"), Message(Speaker.ASSISTANT, label))
        made.append(Example(turns, None, "rows.jsonl", number + 1, label=label))
    return made


def local_base(folder: Path) -> LocalBase:
    return resolve_base(BaseReference.parse(f"path:{folder}"), Path("/"), Silent())


def test_what_a_classifier_learns_from_reaches_another_process_whole(encoder_folder: Path) -> None:
    material = ClassMaterial(
        CLASSES, tuple(examples(4)), tuple(examples(2)), local_base(encoder_folder), TooLong.REFUSE
    )
    adapter = TypeAdapter(ClassMaterial)
    assert adapter.validate_python(json.loads(json.dumps(adapter.dump_python(material, mode="json")))) == material


@dataclass(frozen=True)
class Maker:
    """Trains one row of the table, anew for each folder."""

    row: Row
    decoder: Path
    encoder: Path

    def make(self, folder: Path, **options: Any) -> tuple[Bench, Made]:
        row = self.row
        every = examples(21, multi_label=row.multi_label)
        own = None if row.kind == "decoder" else local_base(self.encoder)
        material = ClassMaterial(CLASSES, tuple(every[6:]), tuple(every[:6]), own, TooLong.REFUSE)
        base = tiny_base(self.decoder)
        nothing = Supervision(())
        bench = Bench(base, "Name the topic.", nothing, nothing, 3, folder, {"atanor": "test"}, classes=material)
        written = {
            **{"train": row.train, "multi_label": row.multi_label, "epochs": 2, "batch": 5, "learning_rate": 1e-2},
            **{"validate_every": 1, "patience": 0, "keep_checkpoints": 99, **row.options, **options},
        }
        if own is not None:
            written |= {"base": f"path:{self.encoder}", "pooling": row.kind}
        made = METHODS["classifier"].make(METHOD_OPTIONS["classifier"](**written), bench, Silent())
        return bench, made


@pytest.fixture(params=TABLE, ids=str)
def maker(request: pytest.FixtureRequest, tiny_base_folder: Path, encoder_folder: Path) -> Maker:
    return Maker(request.param, tiny_base_folder, encoder_folder)


def asked(classifier: Classifier) -> Tensor:
    turns = [example.prompt for example in examples(9)]
    return torch.tensor(classifier.probabilities(turns, Silent(), "asking"))


@torch.no_grad()
def writes(network: Any) -> Tensor:
    logits: Tensor = network(input_ids=torch.tensor([[5, 6, 7, 8, 9]])).logits
    return logits


def numbers(made: Made, folder: Path) -> dict[str, Tensor]:
    scratch = folder / "numbers"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    assert made.tuned is not None
    made.tuned.save(scratch)
    (file,) = scratch.glob("*.safetensors")
    return load_file(file)


@torch.no_grad()
def elsewhere(made: Made, maker: Maker) -> Tensor:
    """Probabilities by Transformers and PEFT alone, one text at a time."""
    assert made.folder is not None and made.classifier is not None
    row, description = maker.row, made.classifier.description
    family: Any = AutoModelForTokenClassification if row.kind == "mean" else AutoModelForSequenceClassification
    if row.train == "lora":
        folder = maker.decoder if row.kind == "decoder" else maker.encoder
        own = family.from_pretrained(folder, num_labels=len(CLASSES), dtype=torch.float32)
        network = PeftModel.from_pretrained(own, str(made.folder)).eval()
    else:
        network = family.from_pretrained(made.folder, dtype=torch.float32).eval()
        assert network.config.id2label == dict(enumerate(description.classes))
        assert network.config.problem_type == "single_label_classification"
    from atanor.methods.classification.reading import TextReader

    reader = TextReader(made.classifier.classifying, TooLong.REFUSE)
    logits = [network(input_ids=torch.tensor([reader(example.prompt)])).logits[0] for example in examples(9)]
    pooled = torch.stack([one.mean(0) if row.kind == "mean" else one for one in logits])
    return pooled.sigmoid() if row.multi_label else pooled.softmax(1)


def test_what_holds_of_every_classifier(maker: Maker, tmp_path: Path) -> None:
    bench, made = maker.make(tmp_path / "run")
    untouched = writes(AutoModelForCausalLM.from_pretrained(maker.decoder, dtype=torch.float32))
    assert made.classifier is not None and made.tuned is not None and made.training is not None
    found = asked(made.classifier)
    losses = [loss for _, loss in made.training.validation_loss]
    assert min(losses) < losses[0], "something was learned"
    assert torch.allclose(elsewhere(made, maker).double(), found.double(), atol=1e-5), (
        "Transformers or PEFT alone agree"
    )
    with made.tuned.untouched():
        assert maker.row.kind != "decoder" or torch.equal(writes(bench.base.model), untouched)
    assert torch.equal(asked(made.classifier), found)
    trained = numbers(made, tmp_path)
    made.tuned.detach()
    assert torch.equal(writes(bench.base.model), untouched), "taken off, the role's base writes as before"
    assert made.folder is not None
    again = Classifier.load(
        made.classifier.classifying.base.local, made.folder, made.classifier.description, dtype="float32", device="cpu"
    )
    assert torch.allclose(asked(again), found, atol=1e-6), "saved and loaded it is the same"
    for step in (1, 2):
        shutil.copytree(tmp_path / "run" / f"checkpoint-{step}", tmp_path / "resumed" / f"checkpoint-{step}")
    _, resumed = maker.make(tmp_path / "resumed")
    after = numbers(resumed, tmp_path)
    assert trained.keys() == after.keys()
    assert [name for name in trained if not torch.equal(trained[name], after[name])] == [], "resumed, bit for bit"


@pytest.mark.parametrize("kind", ["decoder", "cls", "mean"])
def test_however_a_window_is_cut_nothing_changes(
    kind: str, tmp_path: Path, tiny_base_folder: Path, encoder_folder: Path
) -> None:
    still = tmp_path / "still"
    shutil.copytree(encoder_folder, still)
    config = BertConfig.from_pretrained(still)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    config.save_pretrained(still)
    maker = Maker(Row(kind, "full"), tiny_base_folder, still)
    # AdamW would make a whole step of the rounding that is all the gradient a key's bias has.
    whole, cut = (
        numbers(maker.make(tmp_path / name, tokens_per_pass=size, optimizer="sgd")[1], tmp_path)
        for name, size in (("whole", 4096), ("cut", 16))
    )
    largest = max(float(one.abs().max()) for one in whole.values())
    assert max(float((whole[name] - cut[name]).abs().max()) for name in whole) <= 1e-4 * largest
