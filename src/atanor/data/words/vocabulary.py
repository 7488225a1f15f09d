"""Closed classes of English and Spanish words that the techniques ask for: function words, negations, units, days."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTION_WORDS = {
    "en": _words(
        "a about above after again against all almost also although always am an and another any anybody anyone "
        "anything are around as at away back be because become became been before behind being below between both "
        "but by can cannot could did do does doing done down due during each either else enough even ever every "
        "everyone everything few for from further get gets getting got had has have having he hence her here hers "
        "herself him himself his how however i if in instead into is it its itself just know less let like likely "
        "lot lots made make makes making many may maybe me might mine more most much must my myself near need "
        "neither never no nobody none nor not nothing now of off often on once one only onto or other others ought "
        "our ours ourselves out over own per perhaps please quite rather really s same shall she should since so "
        "some somebody someone something sometimes somewhere soon still such t take taken than thank thanks that the "
        "their theirs them themselves then there therefore these they thing things this those though through thus "
        "till to together too toward towards two under until up upon us use used very via was way we well were what "
        "whatever when whenever where whether which whichever while who whoever whom whose why will with within "
        "without would yes yet you your yours yourself cant dont wont didnt doesnt isnt wasnt im ive whats hows "
        "according regarding concerning ones going"
    ),
    "es": _words(
        "a al algo alguien algún alguna algunas alguno algunos allí ante antes aquel aquella aquí así aún aunque "
        "bajo bien cada casi como cómo con contra cual cuál cuales cuáles cualquier cuando cuándo cuanto cuánto cuya "
        "cuyo de del desde donde dónde durante e el él ella ellas ello ellos en entonces entre era eran eres es esa "
        "esas ese eso esos esta está estaba estado estamos están estar estas este esto estos estoy fue fueron fui "
        "gracias ha había habla hace hacer hacia han has hasta hay he incluso jamás la las le les lo los luego más "
        "me mi mí mientras mis mismo mucha mucho muchos muy nada nadie ni ningún ninguna ninguno no nos nosotros "
        "nuestra nuestro nunca o os otra otro otros para pero poco por porque puede pueden puedo pues que qué quién "
        "quien quienes se sea según ser si sí sido siempre sin sino sobre sois solo sólo somos son soy su sus "
        "también tampoco tan tanto te tener tengo ti tiene tienen toda todas todavía todo todos tras tu tú tus u un "
        "una unas uno unos usted ustedes va vamos vosotros voy y ya yo"
    ),
}
"""Words that carry the grammar: never replaced, and what a language is recognised by."""

NEGATIONS = _words(
    "no not never none nor neither nobody nothing nowhere cannot without unless except only few little less least "
    "hardly cant dont wont didnt doesnt isnt wasnt nunca jamás nada nadie ningún ninguna ninguno ni sin tampoco sino "
    "salvo excepto solo sólo menos"
)
"""Words whose loss turns the meaning around: they are never deleted, and the one after them is never moved."""

INTERROGATIVES = _words(
    "what who whom whose which when where why how qué quién quiénes cuál cuáles cuándo dónde cómo cuánto cuánta "
    "cuántos cuántas"
)
"""Words that say what is asked for: they stay in their place."""

NUMBER_WORDS = _words(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half twice "
    "double triple dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince veinte treinta "
    "cuarenta cincuenta sesenta setenta ochenta noventa cien ciento mil millón millones docena doble triple"
) - {"once"}
"""Numbers in letters. Spanish `once` is not among them: English has the word too."""

UNITS = _words(
    "mm cm m km ft yd mi mile miles metre metres meter meters inch inches foot feet mg g kg lb lbs oz gram grams ml l "
    "litre litres liter liters s sec secs second seconds min mins minute minutes h hr hrs hour hours day days week "
    "weeks month months year years decade decades century centuries am pm a.m. p.m. kb mb gb tb bit bits byte bytes "
    "hz khz mhz ghz w kw v mph km/h percent dollar dollars euro euros pound pounds pence cent cents usd eur gbp yen "
    "segundo segundos minuto minutos hora horas día días semana semanas mes meses año años kilo kilos gramo gramos "
    "metro metros litro litros kilómetro kilómetros peso pesos"
)
"""Units of measure, protected together with the number before them."""

DAYS_AND_MONTHS = _words(
    "monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday january february april june "
    "july august september october november december lunes martes miércoles jueves viernes sábado domingo ayer enero "
    "febrero abril junio julio agosto septiembre octubre noviembre diciembre"
)
"""Parts of dates. `may` and `march` are words of their own; with a capital the rule for names finds them."""

MONTHS = _words(
    "january february march april may june july august september october november december enero febrero marzo abril "
    "mayo junio julio agosto septiembre setiembre octubre noviembre diciembre"
)
"""Months beside a number."""

CONNECTORS = _words("of the de del la las los von van der da di du le el for")
"""Small words inside a name."""

SENTENCE_STARTERS = (
    FUNCTION_WORDS["en"]
    | FUNCTION_WORDS["es"]
    | _words(
        "answer ask calculate choose classify compare compose convert create define describe design discuss do draft "
        "edit explain extract find generate give hello help hey hi identify list name okay ok order outline pick "
        "provide read rewrite say select sort suggest summarise summarize tell translate write today yesterday "
        "tomorrow additionally also currently finally first generally hola lastly next recently second usually "
        "calcula clasifica compara convierte crea define describe di dime escribe explica extrae genera haz "
        "identifica lista nombra responde resume traduce"
    )
)
"""Words that have their capital from the sentence they begin."""

SPEAKING_OF_ONE = _words(
    "is was has had were are won wrote said says became lives lived played plays died founded invented released es "
    "era fue ha había son tiene dijo escribió nació murió ganó"
)
"""A capitalised first word before one of these is taken for a name."""

PARTICLES = _words("up out off in on down away back over through along around about into onto apart by forth")
"""After a verb these make a phrasal verb, whose meaning is not the verb's."""

BEFORE_NOUN = _words(
    "a an the my your his her its our their this that these those some any no each every another of in on for with "
    "which what"
)
"""After one of these stands a noun or an adjective."""

BEFORE_VERB = _words(
    "to i you we they he she it who can could will would shall should may might must do does did don't doesn't didn't "
    "can't couldn't won't wouldn't cannot not please let's"
)
"""After one of these stands a verb or an adverb."""

AUXILIARIES = _words("is are was were be been being am i'm it's isn't aren't wasn't has have had haven't hasn't")
"""After one of these stands a participle, an adjective or an adverb."""
