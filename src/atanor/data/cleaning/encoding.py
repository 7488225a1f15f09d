"""Mojibake: text whose bytes were read in a wrong encoding is read again in the right one (ftfy, Speer 2019).

A text that holds lone surrogates never gets here: Arrow keeps UTF-8, and UTF-8 has no place for them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from atanor.data.cleaning.rule import Rule, Treatment

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

C1 = "\x80-\x9f"
"""What bytes of UTF-8 and Windows-1252 become when they are read as Latin-1: letters and quotes turn into controls."""

_LOWER = "ß-öø-ÿăąćčďđęěēėğģįīķĺľłļœŕśşšťüźżžґﬁﬂā"
_UPPER = "À-ÖØ-ÞĂĀĄĆČĎĐĘĚĒĖĞĢİĪĶĹĽŁĻŃŇŅŒŘŚŞŠŢŤŮŰŸŹŻŽҐŐŌŪŲ"
_OTHER_LETTERS = "ñ-ÿőōūųŐŌŪŲΑ-ωΆΈ-ΏΪΫά-ΰЁ-џ"
_MARKS = "¡-¬®-³µ-»½¼¿¾×÷ƒˆˇ˘˛˜˝΄΅‘‚“”„†‡•‰‹›⁄₧€№™∂-∏∑√∞∩∫≈≠≡≤≥⌐│┌┐┘├┤┬┼═-╬▀▄█▌▐░▒▓◊\uf8ff\ufffd"
_ANY = f"{_LOWER}{_UPPER}{_OTHER_LETTERS}{_MARKS}"
# Nearly all mojibake has a mark beside another character that is not ASCII, or letters in an order no word has.
# ftfy decides; this only spares it the texts that cannot be bad.
_TRACE = (
    f"[{C1}]|[ŒœÃÂ][^A-Za-z]|[{_ANY}][{_MARKS}]|[{_MARKS}][{_ANY}]|[{_LOWER}][{_UPPER}]"
    "|[ÂÃÎÐØÙ][ \xa0\xad·´–—―…’€œŠš¢£Ÿž]|[вВ]Ђ|β€|ā€|[ВГРСΒΓΞΟ][\xa0\xad·´–—―…’]"
)
_CONTROL = re.compile(f"[{C1}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# What ftfy makes of a guillemet and a capital (`»É`), taking both for Mac Roman: letters that no mojibake met in the
# wild stands for. Romanian and Vietnamese letters of these blocks are left out.
_RARE = re.compile("[\u0180-\u019f\u01a2-\u01ae\u01b1-\u0217\u021c-\u02af\u0460-\u058f\u0700-\u08ff\ue000-\uf8ff]")
# Mac Roman and code page 437 put letters where Windows-1252 has these: after a small letter they are a wrong guess.
_WRONG_GUESS = re.compile("[a-zà-ÿ][‚„ƒ†‡ˆ‰Š‹ŒŽŸ˜]")


@lru_cache(maxsize=1)
def _configuration() -> TextFixerConfig:
    from ftfy import TextFixerConfig

    # Only the encoding is ours here; quotes, widths, entities and line ends are other rules or nobody's business.
    return TextFixerConfig(explain=False)


def repair_encoding(text: str) -> str:
    """`text` with each line that holds mojibake repaired; lines that are sound stay as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from ftfy.badness import is_bad

    lines = text.split("\n")
    # A book has many thousand lines, and its dashes and guillemets bring few of them under suspicion.
    suspects = pc.match_substring_regex(pa.array(lines, pa.large_string()), _TRACE).to_pylist() if lines[1:] else [True]
    pairs = zip(lines, suspects, strict=True)
    return "\n".join(_repaired(line) if suspect and is_bad(line) else line for line, suspect in pairs)


def _repaired(line: str) -> str:
    from ftfy import fix_encoding

    repaired = fix_encoding(line, _configuration())
    return repaired if _is_plausible(line, repaired) else line


def _is_plausible(line: str, repaired: str) -> bool:
    """Whether the repair reads like text: what ftfy makes of sound but unusual text does not."""
    if _SURROGATE.search(repaired) or set(_RARE.findall(repaired)) - set(line):
        return False
    return not (_CONTROL.search(line) and _WRONG_GUESS.search(repaired) and not _WRONG_GUESS.search(line))


def encoding_rules(repair: bool) -> list[Rule]:
    """The repair where asked for, and the refusal of what no repair can guess."""
    refusal = Rule(
        "clean.encoding",
        f"[{C1}]",
        lambda text: _CONTROL.sub("", text),
        Treatment.REFUSE,
        "a control character from U+0080 to U+009F stands where a letter was, and the letter cannot be guessed",
        "Convert the file again: UTF-8, Windows-1252 or Mac Roman text was read as Latin-1",
    )
    return [*([Rule("clean.encoding", _TRACE, repair_encoding)] if repair else []), refusal]
