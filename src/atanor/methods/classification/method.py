"""`classifier`: trains a head for the role's classes, with as much of the base as is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from peft import LoraConfig

from atanor.compute import device_name
from atanor.data.rows import Example
from atanor.errors import ConfigurationError, Problem
from atanor.methods.candidate import Bench, Made
from atanor.methods.classification.classifier import Classifier, ClassifierDescription
from atanor.methods.classification.material import ClassMaterial, classes_of
from atanor.methods.classification.options import ClassifierOptions, Trains
from atanor.methods.classification.reading import TextReader
from atanor.methods.framing import Framing
from atanor.models import (
    Classifying,
    Pooling,
    Tuned,
    Weights,
    attach,
    attach_all,
    classifying_decoder,
    load_classifying,
    names_of_head,
    names_of_last,
    trained_numbers,
)
from atanor.progress import Progress
from atanor.train import Classification, ClassifiedText, TrainingJob, train
from atanor.train.remedies.anchor import L2SP

_TASKS = {Pooling.LAST: "SEQ_CLS", Pooling.CLS: "SEQ_CLS", Pooling.MEAN: "TOKEN_CLS"}
"""What PEFT calls the networks."""


class ClassifierMethod:
    """See `ClassifierOptions`."""

    def make(self, options: ClassifierOptions, bench: Bench, progress: Progress) -> Made:
        """See `Method.make`."""
        material = bench.classes
        assert material is not None  # the workflow gives it to every method whose options are a classifier's
        weights = class_weights(options, material)
        classifying = classifying_base(options, bench)
        if classifying.is_encoder and options.compile:
            problem = Problem("an encoder's blocks are not compiled", field="compile", value="true", fix="Remove it")
            raise ConfigurationError("`compile` has no effect on an encoder", [problem])
        reader = TextReader(classifying, material.too_long)
        training, validation = (
            [_item(row, reader, material.names, multi_label=options.multi_label) for row in rows]
            for rows in (material.training, material.validation)
        )
        if reader.cut:
            progress.say(f"training  {reader.cut} texts are cut to the {reader.limit} tokens that are read")
        tuned = attach_classifier(options, classifying, bench.seed)
        numbers = trained_numbers(tuned)
        total = sum(parameter.numel() for parameter in classifying.base.model.parameters())
        anchor = options.against_forgetting.l2_sp
        try:
            result = train(
                TrainingJob(
                    tuned=tuned,
                    training=training,
                    validation=validation,
                    options=options,
                    pad=classifying.base.tokenizer.pad_token_id or 0,
                    seed=bench.seed,
                    folder=bench.folder,
                    versions=bench.versions,
                    objective=Classification(weights, multi_label=options.multi_label),
                    follow=bench.follow,
                    regularisers=() if anchor is None else (L2SP(tuned, anchor),),
                    group=bench.group,
                ),
                progress,
            )
        except BaseException:
            # The body may be the base's own, which goes on to the next method.
            if bench.group.alone:
                tuned.detach()
            raise
        tuned.model.requires_grad_(False)
        description = ClassifierDescription(
            classes=material.names,
            multi_label=options.multi_label,
            threshold=options.threshold_in_force,
            pooling=classifying.pooling,
            too_long=material.too_long,
        )
        return Made(
            framing=Framing(),
            tuned=tuned,
            folder=result.folder,
            training=result,
            settings={**options.model_dump(mode="json"), **options.in_force(), "pooling": classifying.pooling.value},
            trainable_parameters=numbers,
            total_parameters=total,
            classifier=Classifier(classifying, tuned.model, description),
        )


def classifying_base(options: ClassifierOptions, bench: Bench) -> Classifying:
    """The base with a fresh head: the body of the role's base in memory, or a base of the classifier's own."""
    material = bench.classes
    assert material is not None
    several, seed = options.multi_label, bench.seed
    if material.local is None:
        if options.pooling is not None:
            problem = Problem(
                "a decoder reads in one direction, so only its last token has seen the whole text",
                field="methods.classifier.pooling",
                value=str(options.pooling),
                fix="Remove it, or give an encoder as `base`",
            )
            raise ConfigurationError("the role's base cannot pool over its tokens", [problem])
        return classifying_decoder(bench.base, material.names, multi_label=several, seed=seed)
    return load_classifying(
        material.local,
        material.names,
        multi_label=several,
        pooling=None if options.pooling is None else Pooling(options.pooling),
        seed=seed,
        dtype=bench.base.model.dtype,
        device=device_name(),
    )


def attach_classifier(options: ClassifierOptions, classifying: Classifying, seed: int) -> Tuned:
    """Put on the base what trains of it."""
    base = classifying.base
    match options.train:
        case Trains.HEAD:
            return Weights(base, names_of_head(classifying))
        case Trains.LAST_LAYERS:
            return Weights(base, names_of_last(classifying, options.layers_in_force))
        case Trains.FULL:
            return attach_all(base)
        case Trains.LORA:
            config = LoraConfig(
                r=options.rank_in_force,
                lora_alpha=options.scale,
                target_modules=list(options.targets) or "all-linear",
                modules_to_save=list(classifying.new),
                task_type=_TASKS[classifying.pooling],
            )
            return attach(base, config, seed)


def class_weights(options: ClassifierOptions, material: ClassMaterial) -> list[float]:
    """One weight a class.

    Balanced, n / (C n_c) for n rows, C classes and n_c rows of the class, which is scikit-learn's rule (King and Zeng
    2001). Of rows with several classes, (n - n_c) / n_c, so that a class and its absence count the same in all.

    Raises:
        ConfigurationError: a weight is of a class no training row has.
    """
    chosen, names = options.class_weights, material.names
    if isinstance(chosen, Mapping):
        for name in chosen:
            if name not in names:
                problem = Problem(
                    "no training row has this class",
                    field="methods.classifier.class_weights",
                    value=name,
                    fix=f"Classes: {', '.join(names)}",
                )
                raise ConfigurationError("a class that is weighted is not there", [problem])
        return [float(chosen.get(name, 1.0)) for name in names]
    if chosen == "none":
        return [1.0] * len(names)
    rows = len(material.training)
    several = options.multi_label
    counts = Counter(name for row in material.training for name in classes_of(row, multi_label=several))
    if several:
        return [max(rows - counts[name], 1) / counts[name] for name in names]
    return [rows / (len(names) * counts[name]) for name in names]


def _item(row: Example, reader: TextReader, names: Sequence[str], *, multi_label: bool) -> ClassifiedText:
    classes = tuple(names.index(name) for name in classes_of(row, multi_label=multi_label))
    return ClassifiedText(row.id, reader(row.prompt, row.source, row.line), classes)
