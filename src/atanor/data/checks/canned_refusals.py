"""Refusals and disclaimers that chat models put into data they wrote ("As an AI language model, I cannot …").

A specialist trained on them learns to refuse. Two rules: `identity`, where the answer says that it is a machine and
what a machine cannot do, anywhere in the text; and `refusal`, where the answer opens by refusing. "I cannot find my
keys" is neither: a refusal needs a verb of helping ("assist with", "fulfil", "provide") or an apology before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.findings import Finding
from atanor.errors import shorten

RULE = "canned_refusals"

_OPENING = 200
"""Characters in which a refusal has to begin: later ones are mostly about something else."""

_IDENTITY = (
    # English.
    r"as an? (?:ai|artificial intelligence|(?:large )?language model|llm|virtual assistant|ai-\w+)\b"
    r"(?: (?:language )?model| assistant| chatbot| system)?"
    r"(?:,? (?:developed|trained|created) by \w+)?(?:,|\s+(?:i|my)\b)",
    r"i(?:'m| am) (?:just |only |merely )?an? (?:ai|artificial intelligence|(?:large )?language model"
    r"|virtual assistant)\b"
    r"[^.!?\n]{0,60}\b(?:cannot|can not|can't|don't|do not|unable|not able|not capable)",
    r"my (?:knowledge cut-?off|training data (?:only )?(?:goes|ends|extends|was last))",
    r"as of my (?:last|latest) (?:knowledge |training )?(?:update|cut-?off)",
    # Spanish.
    r"como (?:un |una )?(?:ia|inteligencia artificial|modelo de lenguaje|asistente virtual|modelo de ia)\b",
    r"soy (?:sólo |solo |solamente )?(?:un |una )(?:ia|inteligencia artificial|modelo de lenguaje)\b"
    r"[^.!?\n]{0,60}\bno\b",
    # French, German, Portuguese, Italian, Russian, Chinese.
    r"en tant qu'(?:ia|intelligence artificielle|assistant virtuel)\b",
    r"en tant que modèle (?:de langage|linguistique|d'ia)",
    r"als (?:ki|künstliche intelligenz|(?:ki-|großes )?sprachmodell|ki-sprachmodell|ki-modell|virtueller assistent)\b",
    r"como (?:um |uma )?(?:modelo de linguagem|assistente virtual|inteligência artificial)\b",
    r"(?:come|in quanto|essendo) (?:un'?\s?)?(?:modello (?:di linguaggio|linguistico)|intelligenza artificiale|ia)\b",
    r"как (?:языковая модель|искусственный интеллект|ии)",
    r"(?:作为|作為)(?:一个|一個|一名)?(?:ai|人工智能|人工智慧|语言模型|語言模型)",
)

_APOLOGY = (
    r"(?:(?:i(?:'m| am)|we(?:'re| are)) (?:very |so |really |truly )?sorry|sorry|i apologi[sz]e|unfortunately"
    r"|my apologies)"
)
_CANNOT = (
    r"(?:i|we) (?:cannot|can not|can't|am unable to|'m unable to|am not able to|'m not able to|will not|won't"
    r"|won't be able to|do not feel comfortable|don't feel comfortable|must decline|have to decline)"
)
_HELP = (
    r"(?:help(?: you)?|assist|fulfil|fulfill|comply|provide|generate|create|write|answer|respond|engage|complete"
    r"|support|discuss|offer|produce|do that|share|access|browse|give (?:you )?(?:advice|instructions|information))"
)
_REFUSAL = (
    # English.
    rf"{_APOLOGY}[,.]?(?: but)? (?:as an|{_CANNOT}|i(?:'m| am) (?:not able|unable))",
    rf"{_CANNOT}(?: to)? (?:assist|comply|fulfil|fulfill|help (?:you )?with (?:that|this)|provide (?:you )?with"
    r"|engage in|participate in|generate (?:that|this|content)|create (?:content|explicit))",
    rf"it (?:is|would be) (?:not appropriate|inappropriate|unethical|against my (?:programming|guidelines))"
    rf" (?:for me )?to {_HELP}",
    r"(?:this|that|your) request (?:goes against|violates) (?:my|our|openai)",
    # Spanish.
    r"(?:lo siento|lo lamento|perdón?|disculpa|lamentablemente|me temo)[,.]?(?: pero)?(?: que)?"
    r" (?:como|no (?:puedo|podemos|me es posible|tengo (?:acceso|la capacidad)|estoy (?:autorizad|capacitad)))",
    r"no puedo (?:ayudarte con (?:eso|esto|esa|ese)|ayudarle con|cumplir con|proporcionar(?:te|le)?"
    r"|generar (?:ese|este|contenido)|asistirte|responder a esa|participar en)",
    # French, German, Portuguese, Italian, Russian, Chinese.
    r"(?:je suis désolée?|désolée?|je m'excuse|malheureusement)[,.]?(?: mais)? (?:je ne (?:peux|suis|puis)|en tant)",
    r"(?:es tut mir leid|tut mir leid|leider|entschuldigung)[,.]?(?: aber)?(?: ich kann| kann ich| als)\b"
    r"[^.!?\n]{0,60}\bnicht",
    r"(?:desculpe|sinto muito|lamento|infelizmente)[,.]?(?: mas)?(?: eu)? (?:não (?:posso|consigo)|como um)",
    r"(?:mi dispiace|spiacente|purtroppo)[,.]?(?: ma)? (?:non (?:posso|sono in grado)|come)",
    r"(?:извините|простите|к сожалению)[,.]?(?: но)? (?:я не (?:могу|в состоянии)|как языковая)",
    r"(?:对不起|抱歉|很抱歉)[,，]?(?:但)?我(?:不能|无法|無法)",
)


@dataclass(frozen=True)
class _Rule:
    """One rule: where it looks and what it says."""

    name: str
    patterns: tuple[str, ...]
    reason: str
    opening_only: bool

    @property
    def pattern(self) -> str:
        """One expression that both RE2 and `re` read alike."""
        return rf"(?:{'|'.join(self.patterns)})".replace("'", "['’]").replace(" ", r"\s+")


_RULES = (
    _Rule("identity", _IDENTITY, "the answer speaks of itself as a language model", opening_only=False),
    _Rule("refusal", _REFUSAL, "the answer refuses in the words of a chat model", opening_only=True),
)
_COMPILED = {rule.name: re.compile(rf"(?<!\w){rule.pattern}", re.IGNORECASE) for rule in _RULES}


def find_canned_refusals(texts: pa.StringArray) -> list[Finding]:
    """Find refusals and disclaimers of chat models, in English, Spanish and six more languages.

    Args:
        texts: what assistants say; a null counts as an empty one. Other texts quote such sentences innocently.

    Returns:
        At most one finding a text and rule: the first place.
    """
    texts = pc.fill_null(texts, "")
    return sorted(
        (found for rule in _RULES for found in _by_rule(texts, rule)),
        key=lambda found: (found.text, found.start, found.rule),
    )


def _by_rule(texts: pa.StringArray, rule: _Rule) -> list[Finding]:
    read = pc.utf8_slice_codeunits(texts, 0, 2 * _OPENING) if rule.opening_only else texts
    suspects = np.flatnonzero(pc.match_substring_regex(read, f"(?i){rule.pattern}").to_numpy(zero_copy_only=False))
    findings = []
    for text in suspects:
        place = _COMPILED[rule.name].search(read[int(text)].as_py())
        if place is None or (rule.opening_only and place.start() > _OPENING):
            continue
        findings.append(
            Finding(
                text=int(text),
                rule=f"{RULE}.{rule.name}",
                start=place.start(),
                end=place.end(),
                shown=shorten(place.group()),
                reason=rule.reason,
                fix="Remove the row, or write the answer the specialist should give",
            )
        )
    return findings
