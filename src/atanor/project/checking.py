"""What types cannot show: files that are not there, options that contradict each other, names that point nowhere.

Nothing is loaded and nothing is downloaded, so that a project is checked in an instant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from atanor.data.options import RowFormat, SourceOptions, TooLong, TrainOn
from atanor.data.splitting import require_possible
from atanor.errors import AtanorError, ConfigurationError, MissingExtraError, Problem, shorten
from atanor.evaluate.gates import Gate, gate_metrics, parse_gate
from atanor.evaluate.metrics import build_metric
from atanor.evaluate.probing.options import PROBE_OPTIONS
from atanor.methods.classification.options import ClassifierOptions
from atanor.models.outline import outline_of
from atanor.models.resolve import local_folder
from atanor.nearest import did_you_mean
from atanor.project.encoder_decoder import unsuitable
from atanor.project.file import LoadedProject
from atanor.project.fitting import misfits
from atanor.project.notation import value_at
from atanor.project.options import RoleOptions, Task
from atanor.project.presence import absent
from atanor.train.objectives.declaring import LearnsFrom
from atanor.train.options import TrainOptions

_COLUMNS_OF = {
    RowFormat.PROMPT_COMPLETION: ("prompt", "completion"),
    RowFormat.MESSAGES: ("messages",),
    RowFormat.SHAREGPT: ("messages",),
    RowFormat.TEXT: ("text",),
}
_OF_TEXTS = ("perplexity", "bits_per_byte", "forgetting")
"""Metrics of the likelihood of texts."""
PROSE = re.compile(r"\.(txt|md|markdown|html?|epub)(\.(gz|zst|bz2|xz))?$", re.IGNORECASE)
"""Names of files that hold text and no columns."""
_TEXTS_OF_CONVERSATIONS = (RowFormat.SCRIPT, RowFormat.CLASSIFICATION)
"""Shapes whose `text` is what somebody says or what is judged, and not text to continue."""


def check_project(loaded: LoadedProject) -> list[Problem]:
    """Everything wrong with a project that reading its file did not show, by line; empty when it can run."""
    problems = [*absent(loaded.document), *_same_file_names(loaded)]
    for name, role in loaded.file.roles.items():
        problems += _RoleCheck(loaded, name, role).problems()
    return sorted(problems, key=lambda problem: problem.line or 0)


def _same_file_names(loaded: LoadedProject) -> Iterator[Problem]:
    """`Director` and `director` are one folder on a Mac and on Windows."""
    first: dict[str, str] = {}
    for name in loaded.file.roles:
        other = first.setdefault(name.lower(), name)
        if other != name:
            reason = f"differs from the role `{other}` only in case, and files are named after both"
            yield loaded.problem(f"roles.{name}", reason, fix="Give it another name")


@dataclass(frozen=True)
class _RoleCheck:
    """The checks of one role."""

    loaded: LoadedProject
    name: str
    role: RoleOptions

    def problems(self) -> Iterator[Problem]:
        for index, source in enumerate(self.role.data):
            yield from self.source_problems(self.source_field(index), source)
            yield from self.book_problems(self.source_field(index), source)
        yield from self.data_together()
        yield from self.split_problems()
        yield from self.text_problems()
        yield from self.method_problems()
        yield from self.pair_problems()
        yield from self.classifier_problems()
        if self.role.generate.choices is not None and self.role.task is not Task.LABEL:
            reason = f"the answers of a role with `task: {self.role.task}` are no few labels to choose from"
            yield self.problem("generate.choices", reason, "Write `task: label`, or remove it", "labels")
        yield from self.metric_problems()
        yield from self.probe_problems()

    def field(self, below: str) -> str:
        return f"roles.{self.name}.{below}"

    def problem(self, below: str, reason: str, fix: str, value: object = None) -> Problem:
        shown = None if value is None else shorten(value)
        return self.loaded.problem(self.field(below), reason, shown, fix)

    def source_field(self, index: int) -> str:
        """`data`, or `data[1]` where the file has a list."""
        written = value_at(self.loaded.document.value, ("roles", self.name, "data"))
        return f"data[{index}]" if isinstance(written, list) else "data"

    def source_problems(self, field: str, source: SourceOptions) -> Iterator[Problem]:
        """The columns named make one kind of row that fits the task."""
        named = [key for key in ("prompt", "completion", "messages", "text") if getattr(source, key) is not None]
        chat = [key for key in named if key != "text"]
        if self.role.task is Task.TEXT and (chat or source.format in (set(_COLUMNS_OF) - {RowFormat.TEXT})):
            key = chat[0] if chat else "format"
            reason = f"`{key}` names a conversation, and a role with `task: text` has none"
            yield self.problem(f"{field}.{key}", reason, "Write `text: COLUMN`, or `task: answer`")
        elif self.role.task is not Task.TEXT and (plain := self.plain_text_key(source)):
            reason = (
                f"`{plain}` names plain text, and a role with `task: {self.role.task}` needs a prompt and its answer"
            )
            yield self.problem(f"{field}.{plain}", reason, "Write `prompt:` and `completion:`, or `task: text`")
        else:
            yield from self.column_problems(field, source, named)

    def book_problems(self, field: str, source: SourceOptions) -> Iterator[Problem]:
        """Books become windows where text is continued, and instruction rows where something is answered."""
        if source.windows is not None and source.instructions is not None:
            reason = "a book becomes windows or instruction rows, and only one of them"
            yield self.problem(f"{field}.instructions", reason, "Remove one; name the file twice to have both")
        elif source.windows is not None and self.role.task is not Task.TEXT:
            reason = f"windows are text to continue, and a role with `task: {self.role.task}` answers"
            yield self.problem(f"{field}.windows", reason, "Write `instructions:` instead, or `task: text`")
        elif source.instructions is not None and self.role.task is Task.TEXT:
            reason = "instruction rows are conversations, and a role with `task: text` has none"
            yield self.problem(f"{field}.instructions", reason, "Write `windows:` instead, or `task: answer`")

    def plain_text_key(self, source: SourceOptions) -> str | None:
        """The option that says a source holds plain text, or None."""
        if source.format is RowFormat.TEXT:
            return "format"
        if (
            source.instructions is not None
            or source.format in _TEXTS_OF_CONVERSATIONS
            or source.speaker is not None
            or source.label is not None
        ):
            return None
        if source.text is not None:
            return "text"
        return "path" if PROSE.search(source.path) else None

    def column_problems(self, field: str, source: SourceOptions, named: list[str]) -> Iterator[Problem]:
        """The columns named belong to one shape of row."""
        if "messages" in named and len(named) > 1:
            other = next(key for key in named if key != "messages")
            reason = f"`messages` and `{other}` describe two shapes of row, and one would be ignored"
            yield self.problem(f"{field}.{other}", reason, "Keep the one the file has")
        elif foreign := [key for key in named if key not in _COLUMNS_OF.get(source.format, named)]:
            reason = f"rows of format `{source.format}` have no column of that kind; it would be ignored"
            yield self.problem(f"{field}.{foreign[0]}", reason, f"Remove `{foreign[0]}` or `format`")

    def data_together(self) -> Iterator[Problem]:
        """Nothing is read twice: its rows would stand on both sides of the split."""
        seen: dict[str, str] = {}
        for index, source in enumerate(self.role.data):
            content = source.model_dump_json(include={"path", "where"})
            first = seen.setdefault(content, self.source_field(index))
            if first != self.source_field(index):
                reason = f"the same rows as {first}"
                yield self.problem(f"{self.source_field(index)}.path", reason, "Remove one of them", source.path)

    def split_problems(self) -> Iterator[Problem]:
        split = self.role.split
        if isinstance(split.test, float) and isinstance(split.validation, float):
            held_out = split.test + split.validation
            if held_out >= 1:
                reason = (
                    f"`test` and `validation` together hold out {held_out:g} of the rows; none is left to learn from"
                )
                yield self.problem("split.test", reason, "Lower one of them; 0.15 and 0.1 are the defaults", split.test)
        try:
            require_possible(split)
        except ConfigurationError as error:
            for problem in error.problems:
                yield self.problem(problem.field or "split", problem.reason, problem.fix or "", problem.value)
        column = split.group_by
        if not isinstance(column, str):
            return
        kept = [source.where.get(column) for source in self.role.data]
        # `where: {scene: 3}` with `group_by: scene` leaves one group, which cannot be on two sides.
        if kept[0] is not None and not isinstance(kept[0], list) and all(value == kept[0] for value in kept):
            reason = f"`where` keeps one value of `{column}` only, so all rows are one group and cannot be split"
            yield self.problem("split.group_by", reason, "Group by another column, or keep more values", column)

    def text_problems(self) -> Iterator[Problem]:
        """Options about conversations, in a role that has none."""
        if self.role.task is not Task.TEXT:
            return
        if self.role.system is not None:
            reason = "a role with `task: text` has no conversations to put a system message before"
            yield self.problem("system", reason, "Remove it, or write `task: answer`", self.role.system)
        if "train_on" in self.role.render.model_fields_set:
            reason = "a role with `task: text` has no assistant turns; every token carries loss"
            yield self.problem("render.train_on", reason, "Remove it", self.role.render.train_on.value)
        for index, method in enumerate(self.role.methods):
            objective = method.options.objective if isinstance(method.options, TrainOptions) else None
            if objective is not None and objective.learns_from is not LearnsFrom.ANSWERS:
                name = objective.name
                reason = f"`{name}` compares or judges answers, and a role with `task: text` has none"
                field = f"methods[{index}].{method.name}.objective"
                yield self.problem(field, reason, "Write `completion`, or `task: answer`", name)
            if method.name in ("prompt", "few_shot"):
                reason = f"`{method.name}` instructs a conversation, and a role with `task: text` has none"
                yield self.problem(f"methods[{index}]", reason, "Remove it, or write `task: answer`")

    def method_problems(self) -> Iterator[Problem]:
        times = Counter(method.name for method in self.role.methods)
        for index, method in enumerate(self.role.methods):
            field = f"methods[{index}]"
            if times[method.name] > 1 and method.name in [earlier.name for earlier in self.role.methods[:index]]:
                reason = f"`{method.name}` is listed twice, and a candidate is named after its method"
                yield self.problem(field, reason, "Keep one, or make a second role of the same data")
        yield from self.base_problems()

    def base_problems(self) -> Iterator[Problem]:
        """What methods name is there in the base, wherever the base is on this machine already."""
        folder = local_folder(self.loaded.file.base_of(self.name), self.loaded.root)
        outline = None if folder is None else outline_of(folder)
        if outline is None:
            return
        if outline.encoder_decoder:
            for field, value, reason, fix in unsuitable(self.role):
                yield self.problem(field, f"{reason} (the base has both)", fix, value)
        for index, method in enumerate(self.role.methods):
            for misfit in misfits(method.options, outline, self.role.render):
                below = f".{method.name}.{misfit.option}" if misfit.option else ""
                yield self.problem(f"methods[{index}]{below}", misfit.reason, misfit.fix, misfit.value)

    def pair_problems(self) -> Iterator[Problem]:
        """Pairs are compared by their last turn alone and never cut: what says otherwise would be read by nobody."""
        objectives = self.role.objectives
        if not objectives or any(objective.learns_from is not LearnsFrom.PAIRS for objective in objectives):
            return
        name = objectives[0].name
        if self.role.render.train_on is not TrainOn.LAST_ASSISTANT_TURN:
            reason = f"`{name}` compares last turns alone"
            yield self.problem("render.train_on", reason, "Remove it", self.role.render.train_on.value)
        if self.role.render.too_long is not TooLong.REFUSE:
            reason = f"`{name}` never cuts: answers to prompts cut at two places are no answers to one prompt"
            yield self.problem("render.too_long", reason, "Remove it", self.role.render.too_long.value)

    def classifier_problems(self) -> Iterator[Problem]:
        """A classifier needs classes to learn and a metric that looks at what it answers."""
        for index, method in enumerate(self.role.methods):
            if not isinstance(method.options, ClassifierOptions):
                continue
            field = f"methods[{index}]"
            if self.role.task is not Task.LABEL:
                reason = f"`{method.name}` learns classes, and a role with `task: {self.role.task}` has none"
                yield self.problem(field, reason, "Write `task: label`, or use `lora`")
                continue
            names = [spec.name for spec in self.role.metrics_in_force]
            if all(name in _OF_TEXTS for name in names):
                reason = "a classifier has no likelihood of texts, so no metric of the role looks at it"
                yield self.problem("metrics", reason, "Add `accuracy` or `macro_f1`", ", ".join(names))
            if method.options.multi_label and "exact_match" in names:
                reason = "`exact_match` compares texts letter by letter, and several classes have no order"
                yield self.problem(field, reason, "Write `metrics: [accuracy, label_f1]`")
            if self.role.render.too_long is TooLong.SPLIT:
                reason = "`too_long: split` makes several rows of a text, and a part of a text has no class of its own"
                yield self.problem("render.too_long", reason, "Write `truncate_right`, or remove the classifier")

    def metric_problems(self) -> Iterator[Problem]:
        """Every metric can be built, answers are looked at only where there are any, gates name what is measured."""
        times = Counter(metric.name for metric in self.role.metrics or ())
        for index, spec in enumerate(self.role.metrics or ()):
            field = f"metrics[{index}]"
            if times[spec.name] > 1 and spec.name in [earlier.name for earlier in (self.role.metrics or ())[:index]]:
                yield self.problem(field, f"`{spec.name}` is listed twice", "Keep one of them")
            try:
                metric = build_metric(spec, self.loaded.root)
            except (ConfigurationError, MissingExtraError) as error:
                yield from self.adopted(field, error)
                continue
            if metric.needs_generation and self.role.task is Task.TEXT:
                reason = f"`{spec.name}` looks at answers, and a role with `task: text` generates none"
                yield self.problem(field, reason, "Use `perplexity` or `bits_per_byte`, or write `task: answer`")
        yield from self.ability_problems()
        yield from self.gate_problems()

    def ability_problems(self) -> Iterator[Problem]:
        """Its files are there, and no name stands for two things."""
        for index, file in enumerate(self.role.evaluate.ability_files):
            if not (self.loaded.root / file.path).is_file():
                place, reason = f"evaluate.ability_files[{index}].path", f"{file.path} does not exist"
                yield self.problem(place, reason, "The path is relative to the project file", file.path)
        others = {spec.name for spec in self.role.metrics_in_force}
        others |= {metric for choice in self.role.probes for metric in choice.metrics}
        for name in sorted(others & set(self.role.evaluate.ability_metrics)):
            reason = f"something else is called `{name}`"
            yield self.problem("evaluate.ability_files", reason, "Give the file a `label`", name)

    def gate_problems(self) -> Iterator[Problem]:
        measured = [spec.name for spec in self.role.metrics_in_force]
        measured += [metric for choice in self.role.probes for metric in choice.metrics]
        measured += self.role.evaluate.ability_metrics
        for index, text in enumerate(self.role.gates):
            field = f"gates[{index}]"
            try:
                gate: Gate = parse_gate(text)
            except ConfigurationError as error:
                yield from self.adopted(field, error, text)
                continue
            for name in gate_metrics([gate]):
                if name not in measured:
                    fix = did_you_mean(name, measured, f"{_measuring(name)}; measured now: {', '.join(measured)}")
                    yield self.problem(field, f"the gate asks for `{name}`, which is not measured", fix, text)

    def probe_problems(self) -> Iterator[Problem]:
        """Every probe once, and only what the role can be asked."""
        names = [choice.name for choice in self.role.probes]
        for index, choice in enumerate(self.role.probes):
            field = f"probes[{index}]"
            if choice.name in names[:index]:
                yield self.problem(field, f"`{choice.name}` is listed twice", "Keep one of them")
            if choice.answers and self.role.task is Task.TEXT:
                reason = f"`{choice.name}` asks questions, and a role with `task: text` answers none"
                yield self.problem(field, reason, "Remove it, or write `task: answer`")
            if choice.name == "swaps" and self.role.generate.choices is not None:
                reason = "`swaps` compares answers that are written, and here they are chosen among labels"
                yield self.problem(field, reason, "Remove it, or remove `generate.choices`")
            if choice.name == "canaries" and any(
                objective.learns_from is not LearnsFrom.ANSWERS for objective in self.role.objectives
            ):
                reason = "canaries are rows with an answer, and an objective here learns from compared or judged ones"
                yield self.problem(field, reason, "Remove it, or train with `completion`")
            if choice.name == "canaries" and self.role.task is Task.LABEL:
                reason = "canaries are sentences, and in a role with `task: label` each would be one more class"
                yield self.problem(field, reason, "Remove it, or write `task: answer`")

    def adopted(self, field: str, error: AtanorError, value: object = None) -> Iterator[Problem]:
        """The problems another room found, at their place in the project file."""
        for found in error.problems or (Problem(error.summary),):
            # A problem inside another file (a schema, a metric's code) names it, and its line, in its reason.
            inside = f"{found.place}: " if found.file else ""
            shown = found.value if found.value is not None or value is None else shorten(value)
            yield self.loaded.problem(self.field(field), f"{inside}{found.reason}", shown, found.fix)


def _measuring(name: str) -> str:
    """How what a gate asks for comes to be measured: by a metric or by a probe."""
    if name in PROBE_OPTIONS:
        named = " or ".join(f"`{metric}`" for metric in PROBE_OPTIONS[name].metrics)
        return f"It is a probe: add `{name}` to `probes` and ask for {named}"
    probe = next((key for key, options in PROBE_OPTIONS.items() if name in options.metrics), None)
    return f"Add `{name}` to `metrics`" if probe is None else f"Add `{probe}` to `probes`"
