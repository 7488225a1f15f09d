"""Training and validation loss over steps, with the step whose weights were kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

from atanor.evaluate.report import TrainingSection
from atanor.page import figures
from atanor.page.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Series, axes, drawing, figure, legend
from atanor.page.markup import Markup, join, tag
from atanor.page.scale import Scale, linear

TRAINING = Series("training", "base")
VALIDATION = Series("validation", "tuned")
MOST_POINTS = 400
"""A curve of more points is drawn as means of neighbours: a screen has no more columns."""

Points = Sequence[tuple[int, float]]


def loss_curves(training: TrainingSection) -> Markup:
    """Both curves in one drawing; a sentence where nothing was recorded."""
    train, validation = _finite(training.train_loss), _finite(training.validation_loss)
    if not train and not validation:
        return tag("p", "No loss was recorded.", class_="absent")
    steps = [float(step) for step, _ in [*train, *validation]] + [0.0]
    values = [loss for _, loss in [*train, *validation]]
    x = linear(steps, LEFT, WIDTH - RIGHT)
    y = linear(values, HEIGHT - BOTTOM, TOP, from_zero=True)
    shapes = [
        axes(x, y, "step", "loss (nats a token)"),
        _best(x, training.best_step, validation),
        _curve(x, y, _thinned(train), TRAINING),
        _curve(x, y, validation, VALIDATION),
        *(tag("circle", cx=x(step), cy=y(loss), r=3.5, class_="dot tuned") for step, loss in validation),
    ]
    title = "Training and validation loss over steps; " + _ends(train, validation)
    return figure(
        _caption(training, train, validation), legend(TRAINING, VALIDATION, line=True), drawing("loss", title, shapes)
    )


def _finite(points: Points) -> list[tuple[int, float]]:
    return [(step, loss) for step, loss in points if math.isfinite(loss)]


def _thinned(points: Points) -> Points:
    """Means of runs of neighbours, so that at most `MOST_POINTS` are left."""
    run = math.ceil(len(points) / MOST_POINTS)
    if run <= 1:
        return points
    groups = [points[start : start + run] for start in range(0, len(points), run)]
    return [(group[-1][0], sum(loss for _, loss in group) / len(group)) for group in groups]


def _curve(x: Scale, y: Scale, points: Points, series: Series) -> Markup | None:
    if len(points) == 1:
        return tag("circle", cx=x(points[0][0]), cy=y(points[0][1]), r=3.5, class_=f"dot {series.style}")
    if not points:
        return None
    path = " ".join(f"{x(step):.1f},{y(loss):.1f}" for step, loss in points)
    return tag("polyline", points=path, class_=f"curve {series.style}")


def _best(x: Scale, step: int, validation: Points) -> Markup:
    """A line at the step whose weights were kept, named."""
    at = x(step)
    loss = dict(validation).get(step)
    text = f"best: step {step:,}" + ("" if loss is None else f", {figures.score(loss)}")
    right = at > (LEFT + WIDTH) / 2
    return join(
        tag("line", x1=at, x2=at, y1=TOP, y2=HEIGHT - BOTTOM, class_="best"),
        tag(
            "text",
            text,
            x=at - 7 if right else at + 7,
            y=TOP + 13,
            text_anchor="end" if right else "start",
            class_="label",
        ),
    )


def _ends(train: Points, validation: Points) -> str:
    parts = [
        f"{name} from {figures.score(points[0][1])} to {figures.score(points[-1][1])}"
        for name, points in (("training", train), ("validation", validation))
        if points
    ]
    return "; ".join(parts)


def _caption(training: TrainingSection, train: Points, validation: Points) -> str:
    missing = len(training.train_loss) + len(training.validation_loss) - len(train) - len(validation)
    text = f"Loss on the supervised tokens: {_ends(train, validation)}."
    if validation:
        text += f" The weights of step {training.best_step:,} were kept."
    if missing:
        text += f" {figures.things(missing, 'value')} not finite and not drawn."
    if len(train) > MOST_POINTS:
        text += f" {len(train):,} training steps drawn as means of {math.ceil(len(train) / MOST_POINTS)} neighbours."
    return text
