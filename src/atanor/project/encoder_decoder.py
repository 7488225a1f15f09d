"""What a role may ask of a base of an encoder and a decoder, said before its data are made."""

from __future__ import annotations

from collections.abc import Iterator

from atanor.data.options import TooLong, TrainOn
from atanor.errors import ConfigurationError, Problem
from atanor.project.options import RoleOptions, Task
from atanor.train import TrainOptions

_STATES = "a distance between distributions is computed from hidden states, for decoders alone"
_ROWS = "general rows are texts and conversations as a decoder alone reads them"
_DECODERS_ALONE = {"kl_to_base": _STATES, "ewc": _STATES, "replay": _ROWS, "self_written": _ROWS}
"""Remedies against forgetting that such a base cannot have, and why."""


def refuse_unsuitable(role: RoleOptions, name: str) -> None:
    """Refuse options that only a decoder alone can have, of a base that `atanor check` did not find on this machine.

    Args:
        role: its options.
        name: of the role.

    Raises:
        ConfigurationError: there are any; every one is told.
    """
    problems = [
        Problem(reason, field=f"roles.{name}.{field}", value=value, fix=fix)
        for field, value, reason, fix in unsuitable(role)
    ]
    if problems:
        raise ConfigurationError(f"the base of role {name} has an encoder and a decoder", problems)


def unsuitable(role: RoleOptions) -> Iterator[tuple[str, str, str, str]]:
    """(field, value, reason, fix) of each option that cannot be."""
    if role.task is Task.TEXT:
        reason = "a plain text has no prompt for the encoder and no answer for the decoder"
        yield "task", role.task, reason, "Use `answer` or `label`, or a base without an encoder"
    if role.render.train_on is TrainOn.ALL_ASSISTANT_TURNS:
        reason = "the decoder writes one answer a row; the encoder reads the earlier ones"
        yield "render.train_on", role.render.train_on, reason, "Use `last_assistant_turn`"
    if role.render.too_long in (TooLong.SPLIT, TooLong.TRUNCATE_MIDDLE):
        reason = "a row is a prompt and an answer, and a cut in its middle would mix them"
        yield "render.too_long", role.render.too_long, reason, "Use `refuse`, `truncate_left` or `truncate_right`"
    for number, probe in enumerate(role.probes):
        reason = "probes score whole sentences, which an encoder would have to be given a part of"
        yield f"probes[{number}]", probe.name, reason, "Remove it, or use a base without an encoder"
    for number, choice in enumerate(role.methods):
        if choice.name == "adapter":
            reason = (
                "blocks would have to stand in encoder and decoder, whose sublayers families build and name each in "
                "another way"
            )
            yield f"methods[{number}]", choice.name, reason, "Use `lora` with this base"
        if not isinstance(choice.options, TrainOptions):
            continue
        written = f"methods[{number}].{choice.name}"
        if choice.options.compile:
            reason = "what it compiles belongs to the forest, and an encoder's rows are computed one by one"
            yield f"{written}.compile", "true", reason, "Remove it"
        for key, reason in _DECODERS_ALONE.items():
            if getattr(choice.options.against_forgetting, key) is not None:
                yield f"{written}.against_forgetting.{key}", "…", reason, "Use `l2_sp` or `average`"
