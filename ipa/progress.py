"""Progress of a long run, wherever it runs: a notebook, a terminal, or a file of plain lines."""

import re
import sys
from importlib import import_module
from time import perf_counter
from types import TracebackType
from typing import Any

_SECONDS_BETWEEN = 0.2
_LONGEST_LINE = 70
_CLEAR_LINE = "\r\x1b[K"


class StepDisplay:
    """Shows which step a run over `rows` reports is at; it is the `on_step` of `RunOptions`.

        with StepDisplay(len(events)) as display:
            run_query(events, parameters, options=RunOptions(on_step=display))

    In a notebook one output is written over and over. On a terminal it is one line, which is written
    over and over too. Anywhere else each kind of step is a line when it first comes. All but the
    notebook's go to standard error. The end of the context says how long it took, but not in a notebook.
    """

    def __init__(self, rows: int = 0) -> None:
        self._rows = rows
        self._display = _notebook_display()
        self._output: Any = None
        self._started = perf_counter()
        self._last_shown = float("-inf")
        self._said: set[str] = set()

    def __enter__(self) -> "StepDisplay":
        self._started = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        how = "done" if error is None else f"ended by {type(error).__name__}"
        if self._display is not None:
            self._show_in_notebook(how)  # without the time: a notebook is kept, and run again
            return
        self._show(how)
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def __call__(self, path: str) -> None:
        """The step `path` begins."""
        text = describe_step(path, self._rows)
        if self._display is None and not sys.stderr.isatty():
            text = text.partition(":")[0]  # a line for a step, and not for each of its parts
            if text not in self._said:
                self._said.add(text)
                self._show(text)
        elif perf_counter() - self._last_shown >= _SECONDS_BETWEEN:
            self._show(text)

    def _show(self, text: str) -> None:
        self._last_shown = perf_counter()
        line = f"{self._last_shown - self._started:6.1f} s  {text}"[:_LONGEST_LINE]
        if self._display is not None:
            self._show_in_notebook(line)
        elif sys.stderr.isatty():
            print(f"{_CLEAR_LINE}{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def _show_in_notebook(self, line: str) -> None:
        content = {"text/plain": line}
        if self._output is None:
            self._output = self._display(content, raw=True, display_id=True)
        else:
            self._output.update(content, raw=True)


def _notebook_display() -> Any:
    """What shows an object in the notebook that this runs in; None where it runs in none.

    Whoever runs in a notebook has imported IPython; nobody else needs it here.
    """
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if getattr(shell, "kernel", None) is None:  # no IPython, or one in a terminal
        return None
    return import_module("IPython.display").display


def describe_step(path: str, rows: int) -> str:
    """What to call the step `path` of a query over `rows` reports, with how far it is if known."""
    depth = max(0, rows - 1).bit_length()
    stage = re.match(r"query/sort/stage-(\d+)", path)
    if stage:
        stages = depth * (depth + 1) // 2
        done = int(stage[1])
        return f"sort: stage {done + 1} of {stages} ({100 * done // stages} %)"
    if level := re.match(r"query/sort/compare(?:#(\d+))?", path):
        return f"sort: comparisons, level {level[1] or 1}"
    parts = path.removeprefix("query/").split("/")
    return ": ".join(part.partition("#")[0] for part in parts[:2])
