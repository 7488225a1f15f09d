"""Control tokens of chat templates inside text, which could end a turn, forge one or stop a generation.

A token is found in disguise too: written with full-width or other compatibility characters, or split by characters of
no width. Some tokenizers normalise those away (NFKC), and so do other rules of cleaning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from atanor.data.cleaning.invisible import CONTROLS, ZERO_WIDTH
from atanor.data.cleaning.options import ControlTokenPolicy
from atanor.data.cleaning.rule import Rule, Treatment

WELL_KNOWN = (
    *("<s>", "</s>", "<pad>", "<bos>", "<eos>", "<BOS_TOKEN>", "<EOS_TOKEN>", "<eot>", "<eoh>", "<eoa>"),
    *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CALLS]"),
    *("[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[gMASK]", "<sop>", "<eop>"),
    *("<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<|endoftext|>", "<|im_start|>"),
)
"""Tokens of Llama 2, Mistral, Gemma, Command R, GLM and InternLM. `<unk>` and `<mask>` are none: texts use
them for a missing word, and a base that has them names them itself."""


# ChatML, Llama 3 and 4, Phi, Granite, Zephyr, DeepSeek, EXAONE and whatever comes next write their tokens so.
_NAME = r"[\w▁.:/-]{2,60}"
_PIPED = rf"<\|{_NAME}\|?>|<{_NAME}\|>|\[\|{_NAME}\|\]|<extra_id_\d{{1,3}}>"
_PIPED_PARTS = ("<|", "|>", "[|", "<ex")
_STRUCK_OUT = re.compile(r"<s>[^<>\n]+</s>")
_PREFIX = 3
"""Characters of a token that its trace looks for: a base may have thousands, and few beginnings."""

_UNSEEN = re.compile(f"[{CONTROLS}{ZERO_WIDTH}]")
_MAY_DISGUISE = re.compile(f"[{CONTROLS}\x80-\U0010ffff]")
_EDGES = re.compile(r"(?P<open>\W*)(?P<name>.*?)(?P<close>\W*)", re.DOTALL)
_MOST_ROUNDS = 4

Find = Callable[[str], list[tuple[int, int]]]
"""The places (start, end) of control tokens in a text."""


def control_token_rules(policy: ControlTokenPolicy, tokens: Sequence[str]) -> list[Rule]:
    """Escaping where asked for, and always the refusal of what is left.

    Args:
        policy: what happens to a token inside text.
        tokens: the control tokens of the base; the well-known ones are found besides. Tokens of nothing but
            whitespace are left out, for every text has them.
    """
    return list(_rules(policy, tuple(sorted({token for token in tokens if token.strip()}))))


@lru_cache(maxsize=8)
def _rules(policy: ControlTokenPolicy, tokens: tuple[str, ...]) -> tuple[Rule, ...]:
    listed = sorted({_folded(token)[0] for token in (*WELL_KNOWN, *tokens)}, key=lambda token: (-len(token), token))
    # `<s>` is also how HTML strikes words out, which is harmless where the base is known and has no such token.
    find = _finder(listed, struck_out=bool(tokens) and not {"<s>", "</s>"} & set(tokens))
    trace = _trace([*_PIPED_PARTS, *listed])
    refusal = Rule(
        "clean.control_tokens",
        trace,
        lambda text: _over(text, find(text), _nothing),
        Treatment.REFUSE,
        "the text holds a control token of a chat template, which could end a turn or forge one",
        "Take the token out of the text, or set `control_tokens: escape`",
    )
    if policy is ControlTokenPolicy.REFUSE:
        return (refusal,)
    return Rule("clean.control_tokens", trace, lambda text: _escaped(text, find)), refusal


def _finder(listed: Sequence[str], *, struck_out: bool) -> Find:
    pattern = re.compile(f"{_PIPED}|{'|'.join(map(re.escape, listed))}")

    def find(text: str) -> list[tuple[int, int]]:
        folded, places = _folded(text)
        harmless = [found.span() for found in _STRUCK_OUT.finditer(folded)] if struck_out else []
        spans = [
            found.span()
            for found in pattern.finditer(folded)
            if found[0] not in ("<s>", "</s>") or not any(start <= found.start() < end for start, end in harmless)
        ]
        return [(places[start], places[end - 1] + 1) for start, end in spans] if places else spans

    return find


def _escaped(text: str, find: Find) -> str:
    """`text` with every token spaced out, again until none is left: what is rewritten may stand beside its like."""
    for _ in range(_MOST_ROUNDS):
        spans = find(text)
        if not spans:
            break
        text = _over(text, spans, spaced_out)
    return text


def spaced_out(token: str) -> str:
    """A token that no tokenizer reads as one and a person still does: `<| im_start |>`, `</ s >`, `[ INST ]`."""
    edges = _EDGES.fullmatch(token)
    if edges is None or not edges["name"] or not (edges["open"] or edges["close"]):
        return f"{token[:1]} {token[1:]}" if len(token) > 1 else token
    return " ".join(part for part in (edges["open"], edges["name"], edges["close"]) if part)


def _nothing(_: str) -> str:
    return ""


def _over(text: str, spans: Sequence[tuple[int, int]], rewrite: Callable[[str], str]) -> str:
    parts: list[str] = []
    done = 0
    for start, end in spans:
        parts += [text[done:start], rewrite(text[start:end])]
        done = end
    return "".join([*parts, text[done:]])


@lru_cache(maxsize=1)
def _disguises() -> dict[str, str]:
    """Characters that NFKC makes one ASCII character of, and which: full-width, mathematical, circled and so on."""
    codes = (*range(0x80, 0xD800), *range(0xF900, 0x10000), *range(0x1D400, 0x1D800), *range(0x1F100, 0x1F200))
    folded = {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in codes}
    return {character: plain for character, plain in folded.items() if len(plain) == 1 and "!" <= plain <= "~"}


def _folded(text: str) -> tuple[str, list[int]]:
    """`text` without disguises, and where each of its characters stood; no places where it has none."""
    parts: list[str] = []
    places: list[int] = []
    done = 0
    for found in _MAY_DISGUISE.finditer(text):
        plain = "" if _UNSEEN.match(found[0]) else _disguises().get(found[0])
        if plain is None:
            continue
        start = found.start()
        parts += [text[done:start], plain]
        places += [*range(done, start), *([start] if plain else [])]
        done = found.end()
    if not done:
        return text, []
    return "".join([*parts, text[done:]]), [*places, *range(done, len(text))]


def _trace(tokens: Sequence[str]) -> str:
    """What every text with one of these tokens matches: how a token begins, in any disguise."""
    variants: dict[str, str] = {}
    for character, plain in _disguises().items():
        variants[plain] = variants.get(plain, "") + character
    beginnings = sorted({token[:_PREFIX] for token in tokens})
    return "|".join(
        f"{_UNSEEN.pattern}*".join(f"[{re.escape(one)}{variants.get(one, '')}]" for one in beginning)
        for beginning in beginnings
    )
