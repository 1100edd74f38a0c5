"""A program under test: a process that is asked one case a line and must answer in time, in one line.

Whatever it does instead is a clear failure: it hangs, dies, answers garbage, too much or too long.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import Any

from ipa.conformance.adapter import CAPABILITIES
from ipa.conformance.json_values import Json
from ipa.conformance.reference import STEPS, Answer
from ipa.errors import ForeignProgramError

MAX_LINE = 1 << 22
"""An answer has at most so many bytes."""

MAX_STARTS = 200
"""A program that dies is started again, but not for ever."""

_CHUNK = 1 << 16


class Program:
    """A foreign implementation: `Program(words)(step, input)` is its answer.

    It is started when it is first asked, and again after it died. Use it as a context, which ends it.

    Raises: ForeignProgramError, from whatever asks it.
    """

    def __init__(self, words: Sequence[str], deadline: float = 10.0) -> None:
        self._words = list(words)
        self._deadline = deadline
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._asked = 0

    def __enter__(self) -> "Program":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def __call__(self, step: str, given: Json) -> Answer:
        """The program's answer to one case.

        Raises: ForeignProgramError when there is none.
        """
        return self._ask(step, given)

    def capabilities(self) -> list[str]:
        """The steps that the program says it implements.

        Raises: ForeignProgramError when it names none, or one that does not exist.
        """
        output = self._ask(CAPABILITIES, {}).get("output")
        steps = output.get("steps") if isinstance(output, dict) else None
        if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
            raise ForeignProgramError("it does not say which steps it implements")
        unknown = [step for step in steps if step not in STEPS]
        if unknown or not steps:
            raise ForeignProgramError(f"it implements no step that exists: {unknown[:3]}")
        return sorted(set(steps))

    def _ask(self, step: str, given: Json) -> Answer:
        self._asked += 1
        request = json.dumps({"id": self._asked, "step": step, "input": given})
        try:
            line = self._exchange(request.encode() + b"\n")
            return _answer_in(line, self._asked)
        except ForeignProgramError:
            # What it might still say belongs to no case.
            self._end()
            raise

    def _exchange(self, request: bytes) -> bytes:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        until, received = monotonic() + self._deadline, b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            selector.register(process.stdin, selectors.EVENT_WRITE)
            while b"\n" not in received:
                ready = selector.select(max(0.0, until - monotonic()))
                if not ready:
                    problem = f"it hangs: no answer within {self._deadline:g} s"
                    raise ForeignProgramError(problem, is_over=True)
                for key, _ in ready:
                    if key.fileobj is process.stdin:
                        request = _written(process.stdin.fileno(), request)
                        if not request:
                            selector.unregister(process.stdin)
                        continue
                    chunk = os.read(process.stdout.fileno(), _CHUNK)
                    if not chunk:
                        raise ForeignProgramError(self._how_it_ended(process))
                    received += chunk
                    if len(received) > MAX_LINE:
                        problem = f"it answers too much: more than {MAX_LINE} bytes"
                        raise ForeignProgramError(problem, is_over=True)
        return received

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._starts += 1
            if self._starts > MAX_STARTS:
                problem = f"it has ended {MAX_STARTS} times"
                raise ForeignProgramError(problem, is_over=True)
            try:
                self._process = subprocess.Popen(
                    self._words,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    start_new_session=True,
                    bufsize=0,
                )
            except OSError as error:
                problem = f"it cannot be started: {error.strerror}"
                raise ForeignProgramError(problem, is_over=True) from error
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
        return self._process

    def _how_it_ended(self, process: "subprocess.Popen[bytes]") -> str:
        try:
            status = process.wait(self._deadline)
        except subprocess.TimeoutExpired:
            return "it closed its standard output"
        return f"it died: exit status {status}"

    def _end(self) -> None:
        """End the program and whatever it started."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _written(descriptor: int, request: bytes) -> bytes:
    """What is left of the request after as much of it was written as there is room for."""
    try:
        return request[os.write(descriptor, request) :]
    except BlockingIOError:
        return request
    except BrokenPipeError:
        # It reads no more: what it still says, or that it is gone, shows when reading.
        return b""


def _answer_in(received: bytes, asked: int) -> Answer:
    """The answer in the bytes received, which must be one line.

    Raises: ForeignProgramError.
    """
    line, _, more = received.partition(b"\n")
    if more:
        raise ForeignProgramError("it answers more than one line")
    try:
        answer: Any = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ForeignProgramError(f"it answers garbage, no JSON: {shown(line)}") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), int):
        raise ForeignProgramError(f"it answers no object with an id: {shown(line)}")
    if answer.pop("id") != asked:
        raise ForeignProgramError(f"it answers another request: {shown(line)}")
    if set(answer) not in ({"output"}, {"reject"}):
        raise ForeignProgramError(f"it gives neither output nor reject: {shown(line)}")
    return answer


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def shown(line: bytes) -> str:
    """A line of a foreign program in few printable characters."""
    text = ascii(line.decode("utf-8", "replace"))[1:-1]
    return text if len(text) <= 80 else f"{text[:77]}..."
