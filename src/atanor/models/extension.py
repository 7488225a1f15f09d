"""New tokens for characters a base's tokenizer lacks, and embeddings to go with them.

A character the tokenizer never learned falls apart into bytes, or becomes the unknown token. Whole tokens for such
characters, and for the pieces of words that are frequent in a corpus, make texts with them short again. Each new token
holds a character that the tokenizer lacks, so that every other text is tokenized exactly as before.

The new rows of the embedding and of the head are the mean of the rows of the tokens they replace (Hewitt 2021,
"Initializing new word embeddings for pretrained language models"; Gee et al. 2022, "Fast Vocabulary Transfer"). By
Jensen's inequality a new token then gets no more of the distribution than its pieces have on average, and the logits of
the old vocabulary do not change at all.
"""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from atanor.errors import BaseModelError, Problem
from atanor.store.files import writing_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SAMPLE = 2_000_000
"""Characters of the corpus that the numbers before and after are measured on."""
VOCABULARY_ROOM, VOCABULARY_ROOM_EACH = 4096, 8
"""Tokens that merges are looked for among: some for the alphabet, and some for each piece that is kept."""
ANCHOR = "a"


@dataclass(frozen=True)
class Extension:
    """What extending a tokenizer did.

    Attributes:
        added: the new tokens, in the order of their ids.
        replaced: the ids of the old tokens that each of them replaces.
        vocabulary: tokens of the tokenizer afterwards.
        characters: characters of the texts that were measured.
        tokens_before: tokens they took.
        tokens_after: tokens they take.
    """

    added: tuple[str, ...]
    replaced: tuple[tuple[int, ...], ...]
    vocabulary: int
    characters: int
    tokens_before: int
    tokens_after: int

    @property
    def before(self) -> float:
        """Tokens per character before; 0 where there was no text to measure."""
        return self.tokens_before / self.characters if self.characters else 0.0

    @property
    def after(self) -> float:
        """Tokens per character afterwards."""
        return self.tokens_after / self.characters if self.characters else 0.0


def lacking_characters(tokenizer: PreTrainedTokenizerBase, characters: Iterable[str]) -> list[str]:
    """Those of the characters that take more than one token, or become the unknown token; sorted."""
    asked = sorted({character for character in characters if not character.isspace()})
    if not asked:
        return []
    alone = _encoded(tokenizer, asked)
    # What one more of it costs: alone, some tokenizers put a mark before it.
    double = _encoded(tokenizer, [character * 2 for character in asked])
    unknown = tokenizer.unk_token_id
    return [
        character
        for character, one, two in zip(asked, alone, double, strict=True)
        if len(two) - len(one) > 1 or (unknown is not None and unknown in one)
    ]


def extend_tokenizer(
    tokenizer: PreTrainedTokenizerBase,
    model: PreTrainedModel,
    *,
    characters: Iterable[str] | None = None,
    corpus: Sequence[str] = (),
    pieces: int = 0,
    minimum: int = 2,
) -> Extension:
    """Add tokens for lacking characters, and resize the model to them. Tokenizer and model are changed in place.

    Args:
        tokenizer: the base's.
        model: the base's; its embedding and head grow, tied or not.
        characters: what to learn; those the tokenizer has already are passed over. None: every character of the corpus
            that it lacks.
        corpus: texts to count in, and to measure the gain on. Without one only the given characters are learned.
        pieces: how many longer tokens to learn besides, by byte-pair merges in the corpus; each holds a lacking
            character.
        minimum: how often a character or piece has to occur in the corpus.

    Raises:
        BaseModelError: nothing is lacking, or the tokenizer would not give a text with the new tokens back.
    """
    counts = Counter(character for text in corpus for character in text)
    wanted = counts if characters is None else set(characters)
    lacking = lacking_characters(tokenizer, wanted)
    if corpus:
        lacking = [character for character in lacking if counts[character] >= minimum]
    if not lacking:
        raise _nothing_lacking(minimum if corpus else None)
    new = [*lacking, *_pieces(lacking, corpus, pieces, minimum)]
    replaced = [_inside(tokenizer, token) for token in new]
    sample = _sample(corpus)
    before = sum(map(len, _encoded(tokenizer, sample)))
    _require_round_trip(tokenizer, new)
    _add(tokenizer, new)
    _resize(model, tokenizer, new, replaced)
    after = sum(map(len, _encoded(tokenizer, sample)))
    return Extension(tuple(new), tuple(replaced), len(tokenizer), sum(map(len, sample)), before, after)


def save_extended(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, folder: Path) -> None:
    """Write both as a Transformers folder, whole or not at all; it can be named as a base with `path:`.

    Raises:
        StoreError: the folder cannot be written.
    """
    with writing_folder(folder) as at:
        model.save_pretrained(at)
        tokenizer.save_pretrained(at)


def _encoded(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    if not texts:
        return []
    encoded = tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False)
    return [list(ids) for ids in encoded["input_ids"]]


def _decoded(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[str]:
    """What is left of the texts after encoding and decoding them."""
    return [
        str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))
        for ids in _encoded(tokenizer, texts)
    ]


def _inside(tokenizer: PreTrainedTokenizerBase, token: str) -> tuple[int, ...]:
    """The old tokens that stand for a new one inside a text, without a mark that begins a text."""
    (alone,), (after,) = _encoded(tokenizer, [token]), _encoded(tokenizer, [ANCHOR + token])
    (anchor,) = _encoded(tokenizer, [ANCHOR])
    return tuple(after[len(anchor) :] if after[: len(anchor)] == anchor and len(after) > len(anchor) else alone)


def _pieces(lacking: Sequence[str], corpus: Sequence[str], most: int, minimum: int) -> list[str]:
    """The first merges that byte-pair encoding makes of the words with a lacking character, and that hold one."""
    if most == 0 or not corpus:
        return []
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    known = "".join(f"\\x{{{ord(character):X}}}" for character in lacking)
    word = f"(?:[[^\\x00-\\x7F]&&[\\p{{L}}\\p{{M}}]]|[{known}])+"
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(word), "removed", invert=True)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_ROOM + VOCABULARY_ROOM_EACH * most, min_frequency=minimum, show_progress=False
    )
    holders = set(lacking)
    inner.train_from_iterator((text for text in corpus if not holders.isdisjoint(text)), trainer)
    vocabulary = inner.get_vocab()
    merged = (token for token in sorted(vocabulary, key=vocabulary.__getitem__) if len(token) > 1)
    return list(itertools.islice((token for token in merged if not holders.isdisjoint(token)), most))


def _add(tokenizer: PreTrainedTokenizerBase, new: Sequence[str]) -> None:
    from tokenizers import AddedToken

    # Not normalised: the token is what stands in the text. Not stripped: the spaces around it stay.
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in new])


def _require_round_trip(tokenizer: PreTrainedTokenizerBase, new: Sequence[str]) -> None:
    """Try the new tokens on a copy: a text that holds one has to come back as well as it did before."""
    texts = [f"{ANCHOR}{token}{ANCHOR} {token}" for token in new]
    trial = copy.deepcopy(tokenizer)
    _add(trial, new)
    exact = _keeps_spaces(tokenizer)
    for token, text, before, now in zip(new, texts, _decoded(tokenizer, texts), _decoded(trial, texts), strict=True):
        if now in {text, before} or (not exact and "".join(now.split()) == "".join(text.split())):
            continue
        problem = Problem(
            f"with the new token {token!r} it gives {text!r} back as {now!r}",
            field="characters",
            fix="Leave these characters out, or use a base whose tokenizer works on bytes",
        )
        raise BaseModelError("the tokenizer of this base cannot be extended", [problem])


def _keeps_spaces(tokenizer: PreTrainedTokenizerBase) -> bool:
    spaced = f"{ANCHOR}{ANCHOR} {ANCHOR}"
    return _decoded(tokenizer, [spaced]) == [spaced]


def _resize(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, new: Sequence[str], replaced: Sequence[Sequence[int]]
) -> None:
    """Make room for the new ids, and set their rows to the mean of the rows they replace."""
    ids = tokenizer.convert_tokens_to_ids(list(new))
    rows = model.get_input_embeddings().weight.shape[0]
    if max(ids) >= rows:  # some bases have spare rows already
        model.resize_token_embeddings(max(ids) + 1, mean_resizing=False)
    with torch.no_grad():
        for table in _tables(model):
            for number, old in zip(ids, replaced, strict=True):
                table[number] = table[list(old)].float().mean(dim=0).to(table.dtype)


def _tables(model: PreTrainedModel) -> list[Any]:
    """What has a row for each token: the embedding, and head and bias where they are not the embedding itself."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    tables = [embedding.weight]
    if head is not None:
        tables += [] if head.weight is embedding.weight else [head.weight]
        tables += [] if getattr(head, "bias", None) is None else [head.bias]
    return tables


def _sample(corpus: Sequence[str]) -> list[str]:
    """The first texts of the corpus, up to a size that is measured in seconds."""
    sample: list[str] = []
    left = SAMPLE
    for text in corpus:
        if left <= 0:
            break
        sample.append(text[:left])
        left -= len(text)
    return sample


def _nothing_lacking(minimum: int | None) -> BaseModelError:
    often = "" if minimum is None else f" and occurs at least {minimum} times"
    reason = f"no character asked for takes more than one token{often}"
    fix = "Train on the texts as they are; the tokenizer knows their characters"
    return BaseModelError("there is nothing to extend", [Problem(reason, field="characters", fix=fix)])
