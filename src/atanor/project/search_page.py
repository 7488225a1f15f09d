"""The page of a search: its history, what each option does to the loss, all trials side by side and in a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from atanor.page import Markup, figures, framed, join, tag
from atanor.page.bars import counted_bars
from atanor.page.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Series, axes, dot, drawing, figure, legend
from atanor.page.layout import Section, laid_out, scrolling
from atanor.page.scale import Scale, linear, logarithmic
from atanor.store.files import write_text
from atanor.train.search.outcome import Search, TrialState, Tried
from atanor.train.search.space import Parameter, plain

GENERATOR = "Atanor tune"
TRIAL = Series("finished", "base")
BEST = Series("best so far", "tuned")


def write_page(found: Search, folder: Path) -> Path:
    """Write the page of a search into a folder; returns its path."""
    path = folder / f"{found.study.rpartition('/')[2]}.html"
    write_text(path, search_page(found))
    return path


def search_page(found: Search) -> str:
    """One self-contained HTML file."""
    sections = [Section("trials", "Trials", _table(found))]
    if found.ranking:
        sections = [
            Section("history", "How the search went", _history(found)),
            Section("options", "What each option does to the loss", join([_slice(found, one) for one in found.space])),
            Section("together", "The options together", _parallel(found)),
            *sections,
        ]
    if found.importance:
        shares = [(_named(name), round(1000 * share)) for name, share in found.importance.items()]
        bars = counted_bars("Share of a thousand, by PED-ANOVA: what decides whether a trial is among the best", shares)
        sections.insert(2, Section("importance", "Which option matters", bars))
    body = tag(
        "main",
        tag("h1", f"Search of {found.method} for {found.role}"),
        tag("p", verdict_of(found)),
        tag("ul", [tag("li", warning) for warning in found.warnings]),
        [laid_out(section) for section in sections],
    )
    return framed(f"Search of {found.method} for {found.role}", [body], generator=GENERATOR)


def verdict_of(found: Search) -> str:
    """What came of it, in a sentence or two."""
    best = found.best
    if best is None:
        return "No trial has finished."
    told = ", ".join(f"{_named(name)} {plain(value)}" for name, value in best.values.items())
    if best.default:
        return f"Of {len(found.ranking)} finished trials none is better than the values of the project: {told}."
    default = next((one for one in found.ranking if one.default), None)
    beside = "" if default is None else f"; the values of the project reach {default.loss:.4f}"
    return f"The lowest validation loss, {best.loss:.4f}, is that of trial {best.number + 1}: {told}{beside}."


def _history(found: Search) -> Markup:
    finished = _finished(found)
    x = linear([0.0, float(len(found.trials))], LEFT, WIDTH - RIGHT)
    y = _losses(found)
    lowest, steps = float("inf"), []
    for one in finished:
        lowest = min(lowest, one.loss or lowest)
        steps.append(f"{x(one.number + 1):.1f},{y(lowest):.1f}")
    shapes = [
        axes(x, y, "trial", "validation loss"),
        tag("polyline", points=" ".join(steps), class_="curve tuned"),
        [dot(x(one.number + 1), y(one.loss or 0), TRIAL) for one in finished],
    ]
    caption = (
        f"{len(finished)} finished trials, each a whole training; {found.count(TrialState.PRUNED)} were given up. "
        f"Every loss is of the same {figures.things(found.validation_rows, 'validation row')}."
    )
    return join(legend(TRIAL, BEST), figure(caption, drawing("history", "Validation loss of each trial", shapes)))


def _slice(found: Search, parameter: Parameter) -> Markup:
    """Loss against one option, whatever the others were."""
    name, finished, y = parameter.name, _finished(found), _losses(found)
    x = _axis(parameter, LEFT, WIDTH - RIGHT)
    shapes = [
        axes(x, y, f"{_named(name)}{_categories(parameter)}", "validation loss"),
        [
            dot(
                x(_along(parameter, one)),
                y(one.loss or 0),
                BEST if one == found.best else TRIAL,
                6 if one == found.best else 4,
            )
            for one in finished
        ],
    ]
    title = f"Validation loss against {_named(name)}"
    return figure(f"{title}; the larger dot is the best.", drawing(f"slice-{name}", title, shapes))


def _parallel(found: Search) -> Markup:
    """A line a trial across the options, each from its lowest to its highest value; the best in the other colour."""
    columns = [*found.space]
    places = [LEFT + (WIDTH - LEFT - RIGHT) * index / max(1, len(columns)) for index in range(len(columns) + 1)]
    y, bottom = _losses(found), HEIGHT - BOTTOM
    lines = []
    for one in sorted(_finished(found), key=lambda one: one == found.best):
        heights = [bottom - parameter.place(one.values[parameter.name]) * (bottom - TOP) for parameter in columns]
        points = [*zip(places, [*heights, y(one.loss or 0)], strict=True)]
        text = " ".join(f"{across:.1f},{up:.1f}" for across, up in points)
        lines.append(tag("polyline", points=text, class_=f"curve {'tuned' if one == found.best else 'base'}"))
    names = [*(_named(parameter.name) for parameter in columns), "loss"]
    bars = [
        join(
            tag("line", x1=place, x2=place, y1=TOP, y2=bottom, class_="axis"),
            tag("text", name, x=place, y=HEIGHT - 8, text_anchor="middle", class_="name"),
        )
        for place, name in zip(places, names, strict=True)
    ]
    ends = [
        join(
            tag("text", low, x=place, y=bottom + 16, text_anchor="middle", class_="tick"),
            tag("text", high, x=place, y=TOP - 2, text_anchor="middle", class_="tick"),
        )
        for place, (low, high) in zip(places, [*(_ends(one) for one in columns), _ends_of(y)], strict=True)
    ]
    title = "Each trial as a line across its options to its validation loss"
    return figure(f"{title}; the best in the other colour.", drawing("parallel", title, [bars, ends, lines]))


def _table(found: Search) -> Markup:
    names = [parameter.name for parameter in found.space]
    head = [tag("th", name, scope="col") for name in ("trial", *map(_named, names), "validation loss", "time", "")]
    rows = [_row(found, one, names) for one in found.trials]
    return scrolling("Trials", "In the order they began.", head, rows)


def _row(found: Search, one: Tried, names: Sequence[str]) -> Markup:
    words = [*(["default"] if one.default else []), *(["best"] if one == found.best else []), one.state.value, one.note]
    cells = [
        str(one.number + 1),
        *(plain(one.values[name]) for name in names),
        "–" if one.loss is None else f"{one.loss:.4f}",
        figures.duration(one.seconds),
        ", ".join(word for word in words if word),
    ]
    return tag("tr", [tag("td", cell) for cell in cells])


def _finished(found: Search) -> list[Tried]:
    return sorted(found.ranking, key=lambda one: one.number)


def _losses(found: Search) -> Scale:
    return linear([one.loss for one in found.ranking if one.loss is not None], HEIGHT - BOTTOM, TOP)


def _axis(parameter: Parameter, start: float, end: float) -> Scale:
    """Of a list its places, of a range its values."""
    if parameter.choices:
        last = len(parameter.choices) - 1
        return Scale(-0.5, last + 0.5, start, end, ()) if not parameter.ordered else _of_numbers(parameter, start, end)
    ends = [parameter.low, parameter.high]
    return logarithmic(ends, start, end) if parameter.logarithmic else linear(ends, start, end)


def _of_numbers(parameter: Parameter, start: float, end: float) -> Scale:
    values = [float(choice) for choice in parameter.choices]
    return linear(values, start, end)


def _along(parameter: Parameter, one: Tried) -> float:
    value = one.values[parameter.name]
    return float(value) if parameter.ordered else float(parameter.choices.index(value))


def _categories(parameter: Parameter) -> str:
    return "" if parameter.ordered else f": {', '.join(map(plain, parameter.choices))}"


def _ends(parameter: Parameter) -> tuple[str, str]:
    if parameter.choices:
        return plain(parameter.choices[0]), plain(parameter.choices[-1])
    return f"{parameter.low:g}", f"{parameter.high:g}"


def _ends_of(y: Scale) -> tuple[str, str]:
    return f"{y.low:.4g}", f"{y.high:.4g}"


def _named(name: str) -> str:
    return name.replace("_", " ")
