"""Progress as a person sees it: on a terminal, in a log, nested, stopped, and out of a program's way."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from atanor.cli import live
from atanor.cli.live import TerminalProgress
from tests.cli.screens import printed


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(live, "time", made)
    return made


def log() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=80)


def terminal(width: int = 80) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)


def frames(console: Console) -> list[str]:
    """Every line that was ever on the terminal, without cursor commands."""
    return re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", printed(console)))


def test_a_log_has_rate_and_remaining_time(clock: Clock) -> None:
    console = log()
    with TerminalProgress(console).start("training", 40, "step") as activity:
        for _ in range(40):
            clock.now += 0.5
            activity.advance(1, **{"loss": 0.3123, "tok/s": 1180.0})
    lines = printed(console).splitlines()
    assert lines[0] == "training: 40 steps"
    assert lines[1] == "training 4/40 steps  loss 0.312  tok/s 1,180  2 steps/s  0:02  left 0:18"
    assert lines[-1] == "training 40/40 steps  loss 0.312  tok/s 1,180  2 steps/s  0:20  done"
    assert len(lines) == 11, "one line a tenth"


def test_slow_work_speaks_every_ten_seconds_and_fast_work_once(clock: Clock) -> None:
    slow = log()
    with TerminalProgress(slow).start("training", 1000, "step") as activity:
        for _ in range(30):
            clock.now += 1
            activity.advance()
    assert len(printed(slow).splitlines()) == 1 + 3 + 1
    fast = log()
    with TerminalProgress(fast).start("reading", 1000, "row") as activity:
        for _ in range(1000):
            clock.now += 0.0005
            activity.advance()
    assert len(printed(fast).splitlines()) == 2


def test_a_resumed_run_counts_only_what_it_did_itself(clock: Clock) -> None:
    console = log()
    with TerminalProgress(console).start("training", 24, "step", done=13) as activity:
        clock.now += 11
        activity.advance(1)
    lines = printed(console).splitlines()
    assert lines[0] == "training: 11 steps"
    assert "training 14/24 steps  0.0909 steps/s  0:11  left 1:50" in lines[1]


def test_a_log_line_is_never_folded(clock: Clock) -> None:
    console = log()
    with TerminalProgress(console).start("answering (general text)", 24, "item") as activity:
        activity.advance(24, **{f"figure_{number}": 0.5 for number in range(8)})
    assert len(printed(console).splitlines()) == 2


@pytest.mark.parametrize("make", [log, terminal])
def test_stopped_work_says_how_far_it_got(make: type[Console]) -> None:
    console = make()
    progress = TerminalProgress(console)
    with pytest.raises(KeyboardInterrupt), progress.start("training", 24, "step") as activity:
        activity.advance(13)
        raise KeyboardInterrupt
    last = [line for line in frames(console) if line.strip()][-1]
    assert last.startswith("training 13/24 steps") and last.rstrip().endswith("stopped")
    with progress.start("answering", 2, "item") as activity:
        activity.advance(2)
    assert "2/2" in printed(console), "the next activity has a display again"


def test_a_terminal_has_a_bar_with_figures_that_fits() -> None:
    console = terminal()
    with TerminalProgress(console).start("training", 24, "step") as activity:
        for _ in range(3):
            activity.advance(4, **{"loss": 0.31, "val": 0.29, "tok/s": 1180.0})
            time.sleep(0.12)
    assert all(len(line) <= 80 for line in frames(console))
    assert any(
        "━" in line and "12/24 steps" in line and "loss 0.31  val 0.29  tok/s 1,180" in line for line in frames(console)
    )
    assert any("left" in line for line in frames(console))


def test_work_within_work_shares_the_screen() -> None:
    console = terminal(120)
    progress = TerminalProgress(console)
    with progress.start("training", 24, "step") as outer:
        outer.advance(6)
        with progress.start("validation", 3, "row") as inner:
            inner.advance(3)
            time.sleep(0.15)
        progress.say("kept step 6")
        outer.advance(18)
    text = "\n".join(frames(console))
    assert "24/24" in text and "3/3" in text and "kept step 6" in text


def test_quiet_is_plain_lines_on_a_terminal_too(capsys: pytest.CaptureFixture[str]) -> None:
    console = terminal()
    with TerminalProgress(console, quiet=True).start("training", 2, "step") as activity:
        activity.advance(2)
    assert printed(console).splitlines()[0] == "training: 2 steps" and "\x1b" not in printed(console)
    progress = TerminalProgress(quiet=True)
    progress.say("a [bold]notice[/bold]")
    with progress.start("training", 1, "step") as activity:
        activity.advance(1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "a [bold]notice[/bold]" in err and "training: 1 step\n" in err
