"""Rows with something given and something answered: instructions, questions, classes, choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from atanor.data.formats.chat import cast_messages, said_by, said_in
from atanor.data.formats.fields import Field, Path, as_json, nearest, quoted
from atanor.data.formats.frame import Frame
from atanor.data.formats.texts import text_of
from atanor.data.formats.turns import keys_of_turns, messages_of
from atanor.data.options import RowFormat
from atanor.data.records import Record
from atanor.data.refusals import row_error
from atanor.data.rows import BETWEEN_CLASSES, Example, Message, Speaker
from atanor.errors import DataError


class Given:
    """What the model is given: a text, with its context after it, or the turns of a conversation so far."""

    def __init__(self, frame: Frame) -> None:
        self.place = frame.columns.prompt or ""
        self._prompt: Field = frame.field("prompt") or Path("")
        self._context = frame.columns.context
        self._mapped = frame.columns.mapped
        self._assistant = frame.assistant
        self._compared = frame.columns.format in (RowFormat.PREFERENCE, RowFormat.KTO)

    def messages(self, record: Record) -> tuple[Message, ...]:
        """The turns that lead to the answer.

        Raises:
            DataError: there is nothing, or what is there cannot be used.
        """
        value = self._prompt.value(record.fields)
        if type(value) is not str:
            keys = keys_of_turns(value)
            if keys is not None:
                return messages_of(value, self.place, keys)
            if self._compared and isinstance(value, list):
                return cast_messages(said_in(value, self.place), self._assistant, self.place)
            value = written(value, mapped=self._mapped)
        prompt = text_of(value, self.place)
        context = record.fields.get(self._context) if self._context else None
        if self._context and context is not None and context != "":
            prompt = f"{prompt}\n\n{text_of(written(context, mapped=self._mapped), self._context)}"
        return (Message(Speaker.USER, prompt),)


class PromptCompletionReader:
    """An instruction or question and its answer, which may have others as good beside it."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._given = Given(frame)
        self._completion = frame.field("completion")
        self._references = frame.field("references")
        self._place = frame.columns.completion or frame.columns.references or ""

    def __call__(self, record: Record) -> Sequence[Example]:
        """The one example of a row."""
        given = self._given.messages(record)
        others: tuple[str, ...] = ()
        if self._references is not None:
            others = self._every_reference(record)
        if self._completion is None:
            answer, others = Message(Speaker.ASSISTANT, others[0]), others[1:]
        else:
            answer = answer_of(self._completion.value(record.fields), self._place, mapped=self._frame.columns.mapped)
        return (self._frame.conversation(record, (*given, answer), self._given.place, references=others),)

    def _every_reference(self, record: Record) -> tuple[str, ...]:
        place = self._frame.columns.references or ""
        values = self._references.value(record.fields) if self._references is not None else None
        if isinstance(values, str):
            values = [values]
        if not isinstance(values, list):
            fix = "Write a list of texts, or name one column with `completion:`"
            raise row_error(f"`{place}` is not a list of answers", field=place, value=values, fix=fix)
        if not values and self._completion is None:
            raise row_error(f"`{place}` is empty", field=place, fix="Give the row an answer, or remove it")
        return tuple(text_of(value, f"{place}[{index}]") for index, value in enumerate(values))


class SelfInstructReader:
    """An instruction and a list of instances, each an input and its output: an example an instance."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def __call__(self, record: Record) -> Sequence[Example | DataError]:
        """An example or an error for each instance; they stay on one side of the split."""
        columns = self._frame.columns
        prompt, place = columns.prompt or "", columns.messages or ""
        instruction = text_of(Path(prompt).value(record.fields), prompt)
        instances = Path(place).value(record.fields)
        if not isinstance(instances, list) or not instances:
            reason = f"`{place}` is not a list with instances in it"
            raise row_error(reason, field=place, value=instances, fix='Write [{"input": …, "output": …}]')
        group = f"{self._frame.source}:{record.line}" if len(instances) > 1 else None
        made: list[Example | DataError] = []
        for index, instance in enumerate(instances):
            try:
                messages = _instance(instruction, instance, f"{place}[{index}]")
                made.append(self._frame.conversation(record, messages, prompt, group=group))
            except DataError as error:
                made.append(error)
        return made


def _instance(instruction: str, instance: Any, place: str) -> tuple[Message, Message]:
    if not isinstance(instance, dict) or "output" not in instance:
        fix = 'Write it as {"input": …, "output": …}'
        raise row_error("the instance has no output", field=place, value=instance, fix=fix)
    given = instance.get("input")
    prompt = f"{instruction}\n\n{text_of(given, f'{place}.input')}" if given not in (None, "") else instruction
    answer = text_of(instance["output"], f"{place}.output")
    return Message(Speaker.USER, prompt), Message(Speaker.ASSISTANT, answer)


class ClassificationReader:
    """A text and its class, or the list of its classes."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._given = Given(frame)
        self._label: Field = frame.field("label") or Path("")
        self._place = frame.columns.label or ""
        self._known = frozenset(frame.labels or ())

    def __call__(self, record: Record) -> Sequence[Example]:
        """The one example of a row; a list of classes is answered as `one, two`."""
        given = self._given.messages(record)
        value = self._label.value(record.fields)
        if isinstance(value, list):
            if not value:
                reason = f"`{self._place}` is an empty list"
                raise row_error(reason, field=self._place, fix="Give a class for none, or remove the row")
            names = [self._name(one, f"{self._place}[{index}]") for index, one in enumerate(value)]
            if ambiguous := next((name for name in names if BETWEEN_CLASSES in name), None):
                reason = f"the name of a class holds `{BETWEEN_CLASSES}`, which stands between the classes of a row"
                raise row_error(reason, field=self._place, value=ambiguous, fix="Give the class a name without it")
            label = BETWEEN_CLASSES.join(names)
        else:
            label = self._name(value, self._place)
        messages = (*given, Message(Speaker.ASSISTANT, label))
        return (self._frame.conversation(record, messages, self._given.place, label=label),)

    def _name(self, value: Any, place: str) -> str:
        """The name of a class, by its number where the names are known."""
        labels = self._frame.labels
        if labels is None:
            if isinstance(value, (bool, int, float)) and not self._frame.columns.mapped:
                fix = f"Name the classes: `labels: [first, second]`, or write `label: {place}` to learn the number"
                raise row_error(f"`{place}` is a number, not the name of a class", field=place, value=value, fix=fix)
            return text_of(written(value, mapped=self._frame.columns.mapped), place)
        if isinstance(value, str) and value in self._known:
            return value
        number = _whole_number(value)
        if number is not None and 0 <= number < len(labels):
            return labels[number]
        reason = f"the class is not one of the {len(labels)} in `labels`"
        raise row_error(reason, field=place, value=value, fix=nearest(str(value), labels))


class MultipleChoiceReader:
    """A question, a list of answers and which of them is right, by number from 0, by letter or by its text."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._given = Given(frame)

    def __call__(self, record: Record) -> Sequence[Example]:
        """The one example of a row: the question and the text of the right answer."""
        columns = self._frame.columns
        list_at, answer_at = columns.choices or "", columns.completion or ""
        choices, answer = Path(list_at).value(record.fields), Path(answer_at).value(record.fields)
        if not isinstance(choices, list) or not choices:
            fix = "Write the answers as a list of texts"
            raise row_error(f"`{list_at}` is not a list of answers", field=list_at, value=choices, fix=fix)
        place = _choice(answer, choices)
        if place is None or not 0 <= place < len(choices):
            fix = f"Write a number from 0 to {len(choices) - 1}, a letter, or the answer itself"
            raise row_error(f"`{answer_at}` is none of the choices", field=answer_at, value=answer, fix=fix)
        right = Message(Speaker.ASSISTANT, text_of(choices[place], f"{list_at}[{place}]"))
        return (self._frame.conversation(record, (*self._given.messages(record), right), self._given.place),)


def _choice(answer: Any, choices: Sequence[Any]) -> int | None:
    if isinstance(answer, str) and answer in choices:
        return choices.index(answer)
    number = _whole_number(answer)
    if number is None and isinstance(answer, str) and len(answer) == 1 and "A" <= answer <= "Z":
        return ord(answer) - ord("A")
    return number


def _whole_number(value: Any) -> int | None:
    """A whole number, also as the text of a CSV cell; true and false are none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() and value.isascii() else None


def answer_of(value: Any, place: str, *, mapped: bool, spoken: bool = False) -> Message:
    """The assistant's turn that a completion is: a text, or a list with that one turn.

    Args:
        value: of the column.
        place: the column, for errors.
        mapped: what is neither is written as JSON, because the project names the column.
        spoken: an object is one turn of a dialogue.

    Raises:
        DataError: it is nothing of this, or cannot be used.
    """
    if type(value) is str:
        return Message(Speaker.ASSISTANT, text_of(value, place))
    if spoken and isinstance(value, dict):
        return Message(Speaker.ASSISTANT, said_by(value, place).text)
    keys = keys_of_turns(value)
    if keys is None:
        return Message(Speaker.ASSISTANT, text_of(written(value, mapped=mapped), place))
    turns = messages_of(value, place, keys)
    if len(turns) > 1 or turns[0].speaker is not Speaker.ASSISTANT:
        said = quoted(turn.speaker.value for turn in turns)
        fix = "Move the turns before the answer into the prompt"
        raise row_error(f"`{place}` is not one turn of the assistant", field=place, value=said, fix=fix)
    return turns[0]


def written(value: Any, *, mapped: bool) -> Any:
    """A value of a column the project names: what is not text is written as JSON."""
    return value if value is None or isinstance(value, str) or not mapped else as_json(value)
