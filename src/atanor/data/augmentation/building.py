"""From a technique's options to the technique with its engines and thesauri, or an error that says what lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from atanor.data.augmentation.apertium import Apertium
from atanor.data.augmentation.back_translation import BackTranslation
from atanor.data.augmentation.eda import Eda, EdaOperation, Synonyms
from atanor.data.augmentation.endpoint import Endpoint
from atanor.data.augmentation.engines import Embedder, Engine, OneByOne, Technique, Translator
from atanor.data.augmentation.marian import Marian
from atanor.data.augmentation.open_wordnet import SpanishThesaurus, find_spanish
from atanor.data.augmentation.options import (
    BackTranslationOptions,
    EdaOptions,
    EndpointOptions,
    ParaphraseOptions,
    SynonymOptions,
    TypoOptions,
    WordNetOptions,
)
from atanor.data.augmentation.paraphrase import ModelTranslator, Paraphrase
from atanor.data.augmentation.protect import Protection
from atanor.data.augmentation.thesaurus import EnglishThesaurus, Thesaurus
from atanor.data.augmentation.typos import Typos
from atanor.data.augmentation.wordnet import WordNet
from atanor.data.words.languages import Identify, language_of
from atanor.errors import ConfigurationError, DataError, Problem
from atanor.progress import Progress

_CODES = {"eng": "en", "en": "en", "spa": "es", "es": "es"}
_NEEDS_SYNONYMS = frozenset((EdaOperation.SYNONYM_REPLACEMENT, EdaOperation.RANDOM_INSERTION))

RewritingOptions = SynonymOptions | EdaOptions | TypoOptions | BackTranslationOptions | ParaphraseOptions


@dataclass(frozen=True)
class Engines:
    """What `augment` is given from outside.

    Attributes:
        root: folder that relative paths in the options start from.
        local: the base model as the inference room runs it, for `engine: local`.
        local_name: what decides its answers besides the prompts: two of one name answer the same.
        embedder: measures meaning in place of the one the options name.
        identify: tells a text's language (ISO 639-1) in place of the small one for English and Spanish.
    """

    root: Path = Path()
    local: Engine | None = None
    local_name: str = ""
    embedder: Embedder | None = None
    identify: Identify = language_of


@dataclass(frozen=True)
class Workbench:
    """What techniques are built from.

    Attributes:
        engines: what came from outside.
        protection: what stays.
        languages: the languages of the rows, None among them where some could not be told.
        progress: told what is missing and can be done without.
    """

    engines: Engines
    protection: Protection
    languages: frozenset[str | None]
    progress: Progress

    def technique(self, options: RewritingOptions) -> tuple[Technique, Endpoint | None]:
        """The technique of these options, and the endpoint it spends money at.

        Raises:
            ConfigurationError, DataError, MissingExtraError: something it needs is not there.
        """
        match options:
            case SynonymOptions():
                return self._eda([EdaOperation.SYNONYM_REPLACEMENT], options.alpha, options), None
            case EdaOptions():
                return self._eda(options.operations, options.alpha, options), None
            case TypoOptions():
                return OneByOne(Typos(options.alpha, self.protection)), None
            case BackTranslationOptions():
                translator, endpoint = self._translator(options)
                source = _CODES.get(options.pair.partition("-")[0])
                return BackTranslation(translator, self.protection, source, self.engines.identify), endpoint
            case ParaphraseOptions():
                engine, endpoint = self.engine(options.engine, options.endpoint, options.method)
                return Paraphrase(engine, self.protection, self.engines.identify), endpoint

    def engine(self, kind: str, endpoint: EndpointOptions | None, method: str) -> tuple[Engine, Endpoint | None]:
        """The engine an option names, and once more as an endpoint where it is one."""
        if kind == "endpoint" and endpoint is not None:
            asked = Endpoint(endpoint)
            return asked, asked
        if self.engines.local is None:
            fix = "Set `engine: endpoint` with an `endpoint`, or run it where a base model is loaded"
            raise ConfigurationError(
                "the technique needs a model",
                [Problem("there is no local model here", field="augment", value=method, fix=fix)],
            )
        return self.engines.local, None

    def _translator(self, options: BackTranslationOptions) -> tuple[Translator, Endpoint | None]:
        match options.engine:
            case "apertium":
                return Apertium(options.pair, options.timeout_s), None
            case "marian":
                models = (options.forward or "", options.backward or "")
                return Marian(*models, self.engines.root, beams=options.beams, progress=self.progress), None
            case kind:
                engine, endpoint = self.engine(kind, options.endpoint, options.method)
                return ModelTranslator(engine, options.pair), endpoint

    def _eda(self, operations: Sequence[EdaOperation], alpha: float, options: WordNetOptions) -> Technique:
        needed = not _NEEDS_SYNONYMS.isdisjoint(operations)
        thesauri = self._thesauri(options) if needed else {}
        return OneByOne(Eda(operations, alpha, Synonyms(thesauri, self.engines.identify), self.protection))

    def _thesauri(self, options: WordNetOptions) -> dict[str, Thesaurus]:
        found: dict[str, Thesaurus] = {}
        if self.languages != {"es"}:
            given = None if options.wordnet is None else (self.engines.root / options.wordnet).expanduser()
            found["en"] = EnglishThesaurus(_wordnet(given))
        if "es" in self.languages:
            spanish = None if options.spanish_wordnet is None else self.engines.root / options.spanish_wordnet
            path = find_spanish(None if spanish is None else spanish.expanduser())
            if path is not None:
                found["es"] = SpanishThesaurus.read(path)
            elif found:
                self.progress.say("augment   no Spanish wordnet: Spanish rows get no synonyms (`spanish_wordnet`)")
            else:
                raise _no_spanish()
        return found


@lru_cache(maxsize=2)
def _wordnet(given: Path | None) -> WordNet:
    return WordNet.find(given)


def _no_spanish() -> DataError:
    fix = "Set `spanish_wordnet` to wn-data-spa.tab of Open Multilingual Wordnet, or NLTK_DATA to a copy that has it"
    return DataError(
        "Spanish synonyms need a Spanish wordnet",
        [Problem("there is none on this machine", field="augment.spanish_wordnet", fix=fix)],
    )
