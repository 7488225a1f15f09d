"""What a model is told, in English and Spanish: paraphrase this, translate this, write more like these."""

from __future__ import annotations

import json
from collections.abc import Sequence

MANNERS = {
    "en": (
        "in plain everyday words",
        "a little more formally",
        "more briefly",
        "with the sentence built in another order",
        "as someone in a hurry would write it",
        "as a careful writer would put it",
    ),
    "es": (
        "con palabras sencillas de cada día",
        "de manera un poco más formal",
        "con más brevedad",
        "con la frase construida en otro orden",
        "como lo escribiría alguien con prisa",
        "como lo diría una persona cuidadosa",
    ),
}
"""How a paraphrase is to be said; one is drawn for each, so that several of one text differ."""

LANGUAGE_NAMES = {
    "eng": "English",
    "spa": "Spanish",
    "fra": "French",
    "deu": "German",
    "ita": "Italian",
    "por": "Portuguese",
    "cat": "Catalan",
}
"""The ISO 639-3 codes a pair is written with, as a model is told them."""

_PARAPHRASE = {
    "en": (
        "Rewrite the text {manner}. Keep its meaning, its language, and every name, number, date, quotation, address, "
        "placeholder and piece of code exactly as written.{kept} If it is a question or a request, do not answer it: "
        "rewrite it. Reply with the rewritten text only.\n\nText:\n{text}"
    ),
    "es": (
        "Reescribe el texto {manner}. Conserva su significado, su idioma y todos los nombres, números, fechas, citas, "
        "direcciones, marcadores y fragmentos de código tal como están.{kept} Si es una pregunta o una petición, no la "
        "respondas: reescríbela. Responde solo con el texto reescrito.\n\nTexto:\n{text}"
    ),
}
_KEPT = {"en": " Copy these unchanged: {spans}.", "es": " Copia esto sin cambios: {spans}."}
_TRANSLATE = (
    "Translate the text from {source} into {target}. Keep every name, number, address, placeholder and piece of code "
    "as written. Do not answer it. Reply with the translation only.\n\nText:\n{text}"
)
_NEW_TEXTS = {
    "en": (
        'Below are messages that all belong to the class "{label}". Write {count} new messages of the same class. Each '
        "must be something a different person could really write, differ from the others in wording and in situation, "
        "and not mention the name of the class.\n\nMessages:\n{examples}\n\n"
        "Reply with a JSON array of {count} strings and nothing else."
    ),
    "es": (
        'Estos mensajes pertenecen a la clase "{label}". Escribe {count} mensajes nuevos de la misma clase. Cada uno '
        "debe "
        "ser algo que otra persona podría escribir de verdad, diferir de los demás en las palabras y en la "
        "situación, y no mencionar el nombre de la clase.\n\nMensajes:\n{examples}\n\n"
        "Responde con una lista JSON de {count} cadenas y nada más."
    ),
}
_NEW_PAIRS = {
    "en": (
        "Below are examples of a task: what a person asks and how it is answered. Write {count} new examples of the "
        "same kind, with other subjects, answered correctly and in the same manner and "
        "length.\n\nExamples:\n{examples}\n\n"
        'Reply with a JSON array of {count} objects with the keys "prompt" and "answer" and nothing else.'
    ),
    "es": (
        "Estos son ejemplos de una tarea: lo que alguien pide y cómo se responde. Escribe {count} ejemplos nuevos "
        "del mismo tipo, con otros temas, respondidos correctamente y con el mismo estilo y "
        "longitud.\n\nEjemplos:\n{examples}\n\n"
        'Responde con una lista JSON de {count} objetos con las claves "prompt" y "answer" y nada más.'
    ),
}


def paraphrase(text: str, *, language: str, manner: str, spans: Sequence[str]) -> str:
    """Ask for another wording of a text.

    Args:
        text: what is rewritten.
        language: `en` or `es`, the language of the instructions.
        manner: one of `MANNERS[language]`.
        spans: protected spans of the text, named to the model one by one.
    """
    listed = ", ".join(json.dumps(span, ensure_ascii=False) for span in dict.fromkeys(spans))
    kept = _KEPT[language].format(spans=listed) if listed else ""
    return _PARAPHRASE[language].format(manner=manner, kept=kept, text=text)


def translate(text: str, source: str, target: str) -> str:
    """Ask for a translation; `source` and `target` are ISO 639-3 codes or names of languages."""
    names = [LANGUAGE_NAMES.get(code, code) for code in (source, target)]
    return _TRANSLATE.format(source=names[0], target=names[1], text=text)


def new_texts(examples: Sequence[str], *, label: str, count: int, language: str) -> str:
    """Ask for new messages of a class, as a JSON array of strings."""
    listed = "\n".join(f"- {json.dumps(text, ensure_ascii=False)}" for text in examples)
    return _NEW_TEXTS[language].format(label=label, count=count, examples=listed)


def new_pairs(examples: Sequence[tuple[str, str]], *, count: int, language: str) -> str:
    """Ask for new questions with their answers, as a JSON array of objects."""
    listed = json.dumps(
        [{"prompt": prompt, "answer": answer} for prompt, answer in examples], ensure_ascii=False, indent=1
    )
    return _NEW_PAIRS[language].format(count=count, examples=listed)
