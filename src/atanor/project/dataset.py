"""A role's data, from its sources to the rows of each side of the split, with everything counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from atanor.data import (
    Example,
    PairResult,
    RenderResult,
    Side,
    TokenRow,
    prompt_tokens,
    render_examples,
    render_pairs,
    summarise,
    weighted_pieces,
)
from atanor.data.options import RenderOptions, TrainOn
from atanor.data.sides import SIDES
from atanor.data.workshop.dataset import Version
from atanor.errors import ConfigurationError, DataError, Problem
from atanor.evaluate.items import Item
from atanor.evaluate.report import DataSection
from atanor.evaluate.runner import TestPaper, item_of
from atanor.methods.framing import Framing
from atanor.models import LocalBase, config_of, context_of, encode_chat, end_ids_of, load_tokenizer, require_writing
from atanor.progress import Progress, Silent
from atanor.project.comparing import require_compared
from atanor.project.encoder_decoder import refuse_unsuitable
from atanor.project.options import ProjectFile, RoleOptions
from atanor.project.sources import keep_refused, make_dataset, naming_role, quarantine_file, require_enough_rows
from atanor.train import Supervision


@dataclass(frozen=True)
class Reader:
    """What turns examples into tokens for one base."""

    tokenizer: PreTrainedTokenizerBase
    context: int
    end_ids: frozenset[int]
    encoder_decoder: bool = False

    @classmethod
    def of(cls, local: LocalBase) -> Reader:
        """The reader of a base; its weights are not loaded.

        Raises:
            BaseModelError: it has no tokenizer that can be read, or writes nothing.
        """
        config = config_of(local)
        require_writing(local, config)
        tokenizer = load_tokenizer(local)
        return cls(tokenizer, context_of(local), end_ids_of(local, tokenizer), bool(config.is_encoder_decoder))


@dataclass(frozen=True)
class RoleData:
    """One role's data, ready.

    Attributes:
        training: what is learned; its pairs are there where something in the role compares answers.
        validation: what chooses the best checkpoint.
        test: the held-out examples the verdict is made on.
        held_out: ids of the validation and test examples.
        section: all counts, for the report.
        pieces: one training row cut where the loss weight changes, for showing.
        notes: what changed in the data since its split was frozen, in sentences.
    """

    training: Supervision
    validation: Supervision
    test: tuple[Example, ...]
    held_out: frozenset[str]
    section: DataSection
    pieces: tuple[tuple[str, float], ...]
    notes: tuple[str, ...]

    @property
    def training_rows(self) -> Sequence[TokenRow]:
        return self.training.rows

    @property
    def validation_rows(self) -> Sequence[TokenRow]:
        return self.validation.rows

    @property
    def labels(self) -> tuple[str, ...]:
        """Every answer of the training rows, sorted."""
        return tuple(sorted({example.reference for example in self.training.examples.values()}))

    @property
    def items(self) -> list[Item]:
        """The test items as metrics see them."""
        return [item_of(example) for example in self.test]


def prepare_role(
    project: ProjectFile,
    name: str,
    root: Path,
    reader: Reader,
    progress: Progress | None = None,
    *,
    repetition: int = 0,
) -> RoleData:
    """Make a role's dataset and render each of its sides.

    Args:
        project: the project.
        name: of the role.
        root: folder of the project.
        reader: of the role's base.
        progress: told about long work.
        repetition: another number draws other new rows by augmentation.

    Raises:
        DataError: see `make_dataset`; or a side of the split is empty.
        ConfigurationError: the role asks for what a base of an encoder and a decoder cannot do.
    """
    role = project.roles[name]
    if reader.encoder_decoder:
        refuse_unsuitable(role, name)
    made = make_dataset(
        project,
        name,
        root,
        progress or Silent(),
        control_tokens=reader.tokenizer.all_special_tokens,
        tokenizer=str(reader.tokenizer.name_or_path),
        repetition=repetition,
    )
    sides = {side: made.examples(side) for side in SIDES}
    right = {**sides, Side.TEST: [example for example in sides[Side.TEST] if example.desirable is not False]}
    with naming_role(name, role):
        rendered = _rendered(right, role, reader)
        refused = (*made.refusals, *(refusal for side in rendered.values() for refusal in side.rendered.refusals))
        keep_refused(refused, root, name)
        require_enough_rows(made.version.stages, refused, project.max_refused)
        told = {"training": Side.TRAIN, "validation": Side.VALIDATION, "test": Side.TEST}
        _require_sides({word: rendered[side].rendered for word, side in told.items()})
        require_compared(role, sides, {side: result.pairs for side, result in rendered.items()})
    quarantine = str(quarantine_file(root, name).relative_to(root)) if refused else None
    wrong = len(sides[Side.TEST]) - len(right[Side.TEST])
    section = _section(made.version, rendered, reader.context, quarantine=quarantine, wrong=wrong)
    return RoleData(
        training=_supervision(right[Side.TRAIN], rendered[Side.TRAIN]),
        validation=_supervision(right[Side.VALIDATION], rendered[Side.VALIDATION]),
        test=tuple(_supervision(right[Side.TEST], rendered[Side.TEST]).examples.values()),
        held_out=frozenset(example.id for side in (Side.VALIDATION, Side.TEST) for example in sides[side]),
        section=section,
        pieces=tuple(weighted_pieces(_typical(rendered[Side.TRAIN].rendered.rows), reader.tokenizer)),
        notes=tuple(section.notes),
    )


def _rendered(sides: Mapping[Side, Sequence[Example]], role: RoleOptions, reader: Reader) -> dict[Side, PairResult]:
    """Each side as tokens."""
    # The verdict is about the answer a model gives in the end, whatever turns training learns from.
    judged = role.render.model_copy(update={"train_on": TrainOn.LAST_ASSISTANT_TURN})
    learned, measured = role.compares_answers, role.measures_preference
    return {
        Side.TRAIN: _sided(sides[Side.TRAIN], reader, role.render, compared=learned),
        Side.VALIDATION: _sided(sides[Side.VALIDATION], reader, role.render, compared=learned),
        Side.TEST: _sided(sides[Side.TEST], reader, judged, compared=measured),
    }


def _section(
    version: Version, rendered: Mapping[Side, PairResult], context: int, *, quarantine: str | None, wrong: int
) -> DataSection:
    """All counts; `wrong` test rows were judged bad and measure nothing."""
    train, validation, test = (rendered[side].rendered for side in SIDES)
    counts = summarise(version, train=train, validation=validation, test=test, context=context, left_out=wrong)
    said = f"{wrong:,} test rows have an answer that was judged bad and measure nothing"
    near, augmenting = version.stage("near_duplicates"), version.stage("augment")
    return DataSection(
        sources=[source.path for source in version.sources],
        licences={source.path: source.licence for source in version.sources if source.licence is not None},
        dataset_sha=version.sha,
        split_sha=version.split_sha or "",
        quarantine=quarantine,
        dataset=version.name,
        near_duplicates=0 if near is None else sum(near.rules.values()) - near.left_out,
        augmented=0 if augmenting is None else augmenting.added,
        notes=[*version.notes, said] if wrong else list(version.notes),
        **asdict(counts),
    )


def test_paper(
    data: RoleData,
    framing: Framing,
    reader: Reader,
    *,
    answers: bool,
    compared: bool = False,
    choices: Sequence[str] = (),
) -> TestPaper:
    """The test items as a candidate with this framing sees them.

    Args:
        data: of the role.
        framing: what the candidate adds to every prompt.
        reader: of the base.
        answers: a metric looks at answers.
        compared: a metric compares the likelihoods of both answers of an item.
        choices: the only answers allowed; without any they are written freely.

    Raises:
        DataError: with the framing's additions some items no longer fit into the base's context.
    """
    framed = [framing.around(example) for example in data.test]
    both = _sided(framed, reader, RenderOptions(max_tokens=reader.context), compared=compared)
    rendered = both.rendered
    if rendered.refusals:
        first = rendered.refusals[0]
        raise DataError(
            f"{len(rendered.refusals)} test items do not fit with what this method adds to the prompt",
            [
                Problem(
                    reason=first.reason,
                    file=first.source,
                    line=first.line,
                    field="methods",
                    fix="Show fewer examples or a shorter instruction",
                )
            ],
        )
    paired = reader.encoder_decoder
    prompts = [prompt_tokens(one, reader.tokenizer, encoder_decoder=paired) for one in framed] if answers else []
    rejected = {pair.example_id: pair.rejected for pair in both.pairs}
    return TestPaper(
        rendered.rows,
        prompts,
        [rejected.get(row.example_id) for row in rendered.rows] if compared else (),
        tokens_of_choices(choices, reader),
    )


test_paper.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest makes of the name


def _sided(examples: Sequence[Example], reader: Reader, options: RenderOptions, *, compared: bool) -> PairResult:
    """The examples of a side as they are learned from, with pairs of answers where these are compared."""
    if not compared:
        return PairResult(_render(examples, reader, options), ())
    return render_pairs(
        examples, reader.tokenizer, options, reader.context, reader.end_ids, encoder_decoder=reader.encoder_decoder
    )


def _supervision(examples: Sequence[Example], side: PairResult) -> Supervision:
    usable = {row.example_id for row in side.rendered.rows}
    by_id = {example.id: example for example in examples if example.id in usable}
    return Supervision(side.rendered.rows, side.pairs, by_id)


def tokens_of_choices(choices: Sequence[str], reader: Reader) -> list[tuple[str, tuple[int, ...]]]:
    """Each choice with the tokens a model writes it in, the end of the turn included: `card` is not `card lost`.

    Raises:
        ConfigurationError: the base is an encoder and a decoder.
    """
    if choices and reader.encoder_decoder:
        problem = Problem(
            "the base reads with an encoder and writes with a decoder, and such answers are not weighed side by side",
            field="generate.choices",
            value="labels",
            fix="Remove it, or take a base that is a decoder",
        )
        raise ConfigurationError("this base cannot choose among labels", [problem])
    found = []
    for choice in choices:
        turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": choice}]
        chat = encode_chat(reader.tokenizer, turns, reader.end_ids)
        (span,) = chat.spans
        found.append((choice, chat.tokens[span.start : span.end]))
    return found


def _render(examples: Sequence[Example], reader: Reader, options: RenderOptions) -> RenderResult:
    return render_examples(
        examples,
        reader.tokenizer,
        options,
        reader.context,
        reader.end_ids,
        encoder_decoder=reader.encoder_decoder,
    )


def _require_sides(sides: Mapping[str, RenderResult]) -> None:
    """No side may be empty after rendering: a row can still be too long, or have nothing to learn."""
    for side, rendered in sides.items():
        if not rendered.rows:
            reason = rendered.refusals[0].reason if rendered.refusals else "the split left none"
            raise DataError(
                f"no {side} rows are left",
                [Problem(reason=reason, field="render", fix="Mend the rows, or allow longer ones")],
            )


def _typical(rows: Sequence[TokenRow]) -> TokenRow:
    """The row of median length: what is shown as an example."""
    return sorted(rows, key=lambda row: len(row.tokens))[len(rows) // 2]
