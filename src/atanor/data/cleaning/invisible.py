"""Characters nobody sees: they go where they are noise and stay where they carry meaning (Unicode 16, chapter 23)."""

from __future__ import annotations

import re

from atanor.data.cleaning.rule import Rule

ZERO_WIDTH = (
    "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\uffff"
    "\ufdd0-\ufdef\U000e0000-\U000e0fff"
)
"""Inside a character class: what has no width of its own; U+FFFC and U+FFFD, which are seen, are in its range."""
CONTROLS = "\x00-\x08\x0e-\x1f\x7f"
"""Inside a character class: the control characters that are neither tab nor line break."""

# Vertical tab and form feed break lines, and no rule for lines should have to know them.
_BREAK = re.compile("\n?[\x0b\x0c]+\n?")
_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
# Scripts that shape letters by joiners: Hebrew and Arabic to Myanmar, Khmer to Mongolian, and their extensions.
_SHAPED = "\u0590-\u109f\u1780-\u18af\ua800-\uabff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
# Scripts that put no spaces between words, where a zero-width space says where a line may break.
_UNSPACED = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"
_SYMBOLS = (
    "©®\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff"
)
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_MEANINGFUL = (
    "\ufffd",
    f"(?<=[{_SHAPED}])[\u034f\u180b-\u180f\u200c\u200d]",
    f"(?<=[{_UNSPACED}])\u200b(?=[{_UNSPACED}])",
    f"(?<=[{_SYMBOLS}\ufe0f])\u200d(?=[{_SYMBOLS}])",
    f"(?<=[#*0-9{_SYMBOLS}])[\ufe0e\ufe0f]",
    f"(?<=[^\x00-\xff{ZERO_WIDTH}])[\ufe00-\ufe0d]",
    f"(?<=[{_HAN}])[\U000e0100-\U000e01ef]",
    # Only the flags of England, Scotland and Wales are spelt so; elsewhere these letters hide a message.
    "(?<=\U0001f3f4)[\U000e0020-\U000e007e]{2,6}\U000e007f",
)
_DIRECTIONS = "[\u061c\u200e\u200f\u202a-\u202c\u2066-\u2069]"
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def _noise(meaningful: tuple[str, ...]) -> re.Pattern[str]:
    """What is not seen: as the group `noise` where none of the patterns says that it means something."""
    unseen = f"[{CONTROLS}{ZERO_WIDTH}]"
    return re.compile(f"(?={unseen})(?:{'|'.join(meaningful)}|(?P<noise>{unseen}))")


_NOISE = _noise(_MEANINGFUL)
_NOISE_RIGHT_TO_LEFT = _noise((*_MEANINGFUL, _DIRECTIONS))


def remove_invisible(text: str) -> str:
    """`text` without control characters, terminal colours and zero-width characters that mean nothing there."""
    text = _TERMINAL.sub("", _BREAK.sub("\n", text))
    noise = _NOISE_RIGHT_TO_LEFT if _RIGHT_TO_LEFT.search(text) else _NOISE
    return noise.sub(lambda found: "" if found["noise"] else found[0], text)


def invisible_rule() -> Rule:
    """The rule that removes what is not seen and means nothing."""
    return Rule("clean.invisible", f"[{CONTROLS}\x0b\x0c{ZERO_WIDTH}]", remove_invisible)
