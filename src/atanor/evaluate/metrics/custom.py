"""A metric of one's own: a Python function in the project's folder.

    from atanor.evaluate import Item

    def names_the_place(answer: str, item: Item) -> bool:
        return item.fields["place"] in answer

The function is called once an answer and returns a number, or a bool; the score is the mean over items and higher is
better. A function annotated `-> bool` makes a yes/no metric, decided by McNemar's test as the built-in ones are.

An installed package can offer such functions under the entry points `atanor.metrics`; they are named without a file.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import inspect
import math
import numbers
import re
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from atanor.errors import ConfigurationError, MetricError, Problem, shorten
from atanor.evaluate.items import Item
from atanor.evaluate.metrics.base import MARGIN_OF_A_SHARE, MeanOverItems

CONTRACT = "def name(answer: str, item: Item) -> float | bool"
ENTRY_POINTS = "atanor.metrics"
_FORM = "Write `custom: metrics.py:function`"
_IDENTIFIER = re.compile(r"[\w-]+")


class Custom(MeanOverItems):
    """The mean over items of what a function of the project returns."""

    name = "custom"
    decimals = 3

    def __init__(self, argument: str, root: Path, margin: float | None = None) -> None:
        """Load the function.

        Args:
            argument: `path/to/file.py:function`, the path relative to `root`, or the name of an entry point.
            root: the project's folder.
            margin: smallest change of interest in the function's own unit; None for 0.05.

        Raises:
            ConfigurationError: the file or the function is missing, cannot be loaded, or does not take an answer and
                an item.
        """
        super().__init__(margin)
        if _IDENTIFIER.fullmatch(argument):
            self._file, name = f"entry point {argument}", argument
            self._function = _entry_point(argument)
            self._path = Path(inspect.getsourcefile(self._function) or argument)
        else:
            self._file, separator, name = argument.rpartition(":")
            if not separator or not self._file or not name:
                raise _refused("what `custom` needs is a file and a function", value=argument, fix=_FORM)
            self._path = root / self._file
            self._function = _function(_load(self._path, self._file), name, self._file)
        self.label = name.replace("_", " ")
        self.yes_no = inspect.signature(self._function).return_annotation in (bool, "bool")
        self.bounds = (0.0, 1.0) if self.yes_no else None
        self.unit = "share" if self.yes_no else ""

    def value(self, item: Item, answer: str) -> float:
        try:
            result = self._function(answer, item)
        except Exception as error:
            line = _line_in(error, self._path)
            raise self._failed(item, answer, f"raised {type(error).__name__}: {error}", line) from error
        if self.yes_no and not isinstance(result, bool | np.bool_):
            raise self._failed(item, answer, f"is annotated `-> bool` and returned {shorten(result)}")
        if not isinstance(result, numbers.Real | np.bool_) or not math.isfinite(result):
            raise self._failed(item, answer, f"returned {shorten(result)}, which is no finite number")
        return float(result)

    def default_margin(self, baseline: float) -> float:
        """0.05 in the function's own unit: right for shares, the project's to set for anything else."""
        del baseline
        return MARGIN_OF_A_SHARE

    def _failed(self, item: Item, answer: str, what: str, line: int | None = None) -> MetricError:
        name = self._function.__name__
        problem = Problem(
            f"item {item.id}: `{name}` {what}",
            file=self._file,
            line=line,
            field=self.name,
            value=f"answer {shorten(answer)}",
            fix="Mend the function: it must give a finite number for every answer, also for an empty one",
        )
        return MetricError(f"the metric `custom` ({self._file}:{name}) failed on an item", [problem])


def _load(path: Path, shown: str) -> ModuleType:
    """Run the file as a module. It stays in `sys.modules`, where dataclasses and pickle look for it."""
    if not path.is_file():
        near = difflib.get_close_matches(path.name, [found.name for found in path.parent.glob("*.py")], n=1)
        fix = f"Did you mean `{Path(shown).with_name(near[0])}`?" if near else _FORM
        raise _refused("the file does not exist", file=shown, fix=fix)
    name = f"atanor_custom_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise _refused("the file is no Python file", file=shown, fix="Its name must end in `.py`")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        line = error.lineno if isinstance(error, SyntaxError) else _line_in(error, path)
        reason = f"running the file raised {type(error).__name__}: {error}"
        raise _refused(reason, file=shown, line=line, fix="Mend the file") from error
    return module


def _function(module: ModuleType, name: str, shown: str) -> Callable[[str, Item], Any]:
    known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
    function = getattr(module, name, None)
    if not inspect.isfunction(function):
        near = difflib.get_close_matches(name, known, n=3) or sorted(known)
        fix = f"Did you mean {' or '.join(f'`{found}`' for found in near)}?" if near else f"Write {CONTRACT}"
        raise _refused(f"there is no function `{name}`", file=shown, fix=fix)
    _check_call(function, name, shown)
    return function


def _entry_point(name: str) -> Callable[[str, Item], Any]:
    """The function an installed package offers under this name."""
    offered = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name not in offered:
        near = difflib.get_close_matches(name, offered, n=1)
        fix = f"Did you mean `{near[0]}`?" if near else _FORM
        raise _refused(f"no installed package offers `{name}` among its entry points `{ENTRY_POINTS}`", fix=fix)
    try:
        function = offered[name].load()
    except (ImportError, AttributeError) as error:
        raise _refused(f"the entry point `{name}` cannot be loaded: {error}", fix="Install its package anew") from error
    if not inspect.isfunction(function):
        raise _refused(f"the entry point `{name}` is no function", fix=f"It has to be {CONTRACT}")
    _check_call(function, name, f"entry point {name}")
    found: Callable[[str, Item], Any] = function
    return found


def _check_call(function: FunctionType, name: str, shown: str) -> None:
    try:
        inspect.signature(function).bind("", None)
    except TypeError as error:
        reason = f"`{name}` cannot be called with an answer and an item: {error}"
        line = function.__code__.co_firstlineno
        raise _refused(reason, file=shown, line=line, fix=f"Write {CONTRACT}") from error


def _line_in(error: Exception, path: Path) -> int | None:
    """The last line of the project's own file that the error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] if lines else None


def _refused(
    reason: str, *, file: str | None = None, line: int | None = None, value: str | None = None, fix: str
) -> ConfigurationError:
    return ConfigurationError("`custom` cannot be used", [Problem(reason, file, line, "custom", value, fix)])
