"""Which of two words an English pronoun stands for: `her` is `him` or `his`, `his` is `her` or `hers`.

The word after it decides, and after some verbs the two are told by what that word can be. Where both readings are
open, as in `made her dinner`, the row is refused.
"""

from __future__ import annotations

import re

from atanor.data.bias.lexicon import lexicon_of
from atanor.data.bias.outcome import Refused, Why
from atanor.data.bias.tokens import Tokens, word_set
from atanor.data.words.vocabulary import DAYS_AND_MONTHS, FUNCTION_WORDS

_BEGINS_NOUN = word_set(
    """
    own first last next one two three four five six seven eight nine ten few many most more less very best better
    other same only little back
    """
)
"""Function words that may begin what is possessed: `her own`, `her two sons`."""
_NO_NOUN = (FUNCTION_WORDS["en"] - _BEGINS_NOUN - word_set("s self like need make love turn use")) | word_set(
    """
    today tomorrow yesterday tonight anyway together forever alive lol x xx haha okay ok please though yet away home
    ago instead often someday everytime everyday whenever til til' cuz cos bcoz wif n d da dat r ur aside apart
    goodbye hello along despite downtown cause except within beside besides
    """
)
"""Words that no possessed thing begins with."""
_TIMES = word_set(
    """
    week weeks night month year years summer winter spring fall weekend morning time day evening
    """
)
_MAKING = word_set(
    """
    make makes made making keep keeps kept keeping find finds found leave left call called calling drive drove
    """
)
_LETTING = word_set(
    """
    let lets letting help helps helped helping make makes made making have had watch watched hear heard see saw
    """
)
_SEEING = word_set(
    """
    see saw seen watch watched watching hear heard notice noticed keep kept find found catch caught left spot spotted
    """
)
_GIVING = word_set(
    """
    give gives gave given giving tell tells told telling ask asks asked asking show shows showed shown send sends sent
    buy buys bought offer offers offered offering teach teaches taught bring brings brought pay pays paid owe lend
    lent hand handed cook cooked wish wished cost get gets got getting grant granted charge charged feed fed serve
    served deny denied sell sold write wrote make makes made promise promised
    """
)
_BARE_VERBS = word_set(
    """
    go cry leave do be feel come know see sleep eat get have take think try win stay become forget remember understand
    sit stand live die grow speak sing learn keep find give tell buy write read pay wait escape suffer pass heal
    succeed choose decide realize believe
    """
)
_NOUN_OR_VERB = word_set(
    """
    smile walk talk play run work laugh look love dance rest move drink drive help shine fight fall change fuck
    """
)
_FEELINGS = word_set(
    """
    happy sad angry mad proud nervous safe alone upset uncomfortable comfortable sick crazy cute pretty beautiful
    attractive company busy awake warm calm jealous stupid smart dead unconscious guilty innocent better stronger weak
    """
)
_ADVERB = re.compile(r"\w{3,}ly")
_LY_ADJECTIVES = word_set(
    "friendly lovely lonely weekly monthly ugly family elderly silly holy lively belly bully early daily only"
)
_MAY_DESCRIBE = word_set("then once ever almost now rather quite")
"""Adverbs that may stand before an adjective: `his once happy home`."""
_KIN = lexicon_of("en").persons | word_set(
    """
    mom mother dad father son daughter sister brother aunt uncle hand hands eyes hair
    """
)


def swapped_her(tokens: Tokens, index: int) -> str:
    """`him` or `his` for a `her`.

    Raises:
        Refused: both readings are open.
    """
    before, after, later = tokens.before(index), tokens.after(index), tokens.at(index + 2)
    if not after:
        _refuse_unknown_thing(tokens, index)
        return "him"
    shown = f"{before} her {after}".strip()
    if after in _BEGINS_NOUN:
        return _before_quantity(tokens, index, shown)
    if _is_no_noun(tokens, index, shown):
        return "him"
    if before in _LETTING and (after in _BARE_VERBS or after in _NOUN_OR_VERB):
        if after in _NOUN_OR_VERB and before not in ("let", "lets", "letting"):
            raise Refused(Why.AGREEMENT, shown)
        return "him"
    if before in _MAKING and after in _FEELINGS:
        if tokens.joined(index + 2) and later not in _NO_NOUN:
            raise Refused(Why.AGREEMENT, shown)
        return "him"
    if before in _GIVING and after not in _KIN:
        raise Refused(Why.AGREEMENT, shown)
    return "his"


def swapped_his(tokens: Tokens, index: int) -> str:
    """`her` or `hers` for a `his`.

    Raises:
        Refused: both readings are open.
    """
    after = tokens.after(index)
    if not after:
        _refuse_unknown_thing(tokens, index)
    return "hers" if not after or after in _NO_NOUN - _MAY_DESCRIBE else "her"


def _refuse_unknown_thing(tokens: Tokens, index: int) -> None:
    """Refuse where a digit, a quotation mark or a sign follows: what is possessed may begin there."""
    follows = tokens.gaps[index + 1]
    if re.match(r"\s*[\d\"“‘'(#$*_]", follows):
        raise Refused(Why.AGREEMENT, f"{tokens.words[index]}{follows}{tokens.at(index + 1)}".strip())


def _is_no_noun(tokens: Tokens, index: int, shown: str) -> bool:
    """Whether the word after `her` cannot begin what is possessed."""
    after, later = tokens.after(index), tokens.after(index + 1)
    if _ADVERB.fullmatch(after) and after not in _LY_ADJECTIVES:
        # `told her quickly` and `her newly painted door`.
        if later and later not in _NO_NOUN and not later.endswith("ing"):
            raise Refused(Why.AGREEMENT, shown)
        return True
    seen = after.endswith("ing") and tokens.before(index) in _SEEING
    return seen or after in _NO_NOUN or after in DAYS_AND_MONTHS


def _before_quantity(tokens: Tokens, index: int, shown: str) -> str:
    """Before `more`, `last`, `one` …: a time (`last week`) or an adverb (`more than`) ends it, else it is possessed."""
    after, later = tokens.at(index + 1), tokens.after(index + 1)
    if after in ("last", "next", "one") and (later in _TIMES or later == "more"):
        return "him"
    if after == "back":
        if later and later not in _NO_NOUN:
            raise Refused(Why.AGREEMENT, shown)
        return "him" if tokens.before(index) not in ("on", "hurt", "hurts", "of", "turned", "behind") else "his"
    if after in ("more", "most", "less", "very", "better", "best", "first", "like") and (
        not later or later in _NO_NOUN or later in ("much", "often", "well")
    ):
        return "him"
    if after == "very" and later != "own":
        raise Refused(Why.AGREEMENT, shown)
    return "his"
