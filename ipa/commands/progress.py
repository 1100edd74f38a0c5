"""Progress of a long run: one line on a terminal that is written over and over."""

from time import perf_counter
from types import TracebackType
from typing import TextIO

from ipa.commands.tables import terminal_width
from ipa.progress import describe_step

_SECONDS_BETWEEN = 0.1
_LONGEST_LINE = 70
_CLEAR_LINE = "\r\x1b[K"


class Progress:
    """A context in which `step` shows which step a query of `rows` reports is at.

    Writes nothing where `stream` is not a terminal, and leaves nothing behind where it is. `rows`
    may be set when it becomes known, before the sort.
    """

    def __init__(self, stream: TextIO, rows: int = 0) -> None:
        self.rows = rows
        self._stream = stream
        self._on_terminal = stream.isatty()
        self._started = self._last_shown = perf_counter()
        self._shown = False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            self._stream.write(_CLEAR_LINE)
            self._stream.flush()

    def say(self, line: str) -> None:
        """Write a line that stays, terminal or not."""
        clear = _CLEAR_LINE if self._shown else ""
        self._stream.write(f"{clear}{line}\n")
        self._stream.flush()

    def step(self, path: str) -> None:
        """The step `path` begins."""
        now = perf_counter()
        if self._on_terminal and now - self._last_shown >= _SECONDS_BETWEEN:
            self._last_shown = now
            self._shown = True
            text = f"{now - self._started:6.1f} s  {describe_step(path, self.rows)}"
            # A line that is wrapped could not be cleared.
            text = text[: min(_LONGEST_LINE, terminal_width(self._stream) - 1)]
            self._stream.write(f"{_CLEAR_LINE}{text}")
            self._stream.flush()
