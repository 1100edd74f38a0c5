"""Processes that are killed, and what they said before, for the tests of what survives a kill.

A worker is a forked process. It writes to a pipe what was acknowledged to it, one word per line, in one
unbuffered write each; SIGKILL, which no process can catch, ends it.
"""

import itertools
import multiprocessing
import os
import random
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from unittest import mock

# Newer Pythons warn of a fork beside threads; ours have none, but the test runner may.
FORK_WARNING = "ignore:.*fork:DeprecationWarning"

FORK = multiprocessing.get_context("fork")

MEMORY = Path("/dev/shm")
"""A file system in memory, where there is one: a kill needs no disk, and syncing one takes long."""

Work = Callable[[Callable[[str], None]], object]
"""What a worker does; it is given a function that acknowledges."""


@contextmanager
def quick_directory() -> Iterator[Path]:
    """An empty directory, in memory if possible."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


@dataclass
class Worker:
    """A running process and the end of the pipe on which its acknowledgements arrive."""

    process: BaseProcess
    pipe: int
    started: float
    said: str = ""

    def kill_after(self, words: int, draw: random.Random) -> None:
        """Kill it once it has said so many words, at some moment of what it does for the next."""
        while self.said.count("\n") < words:
            self.said += os.read(self.pipe, 1 << 16).decode()
        time.sleep(draw.random() * (time.monotonic() - self.started) / max(1, words))
        self.kill()

    def kill(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()

    def acknowledged(self) -> list[str]:
        """Everything said until the pipe's last writer is gone."""
        with os.fdopen(self.pipe, "rb") as pipe:
            return (self.said + pipe.read().decode()).split()


def start(work: Work) -> Worker:
    """Run `work(acknowledge)` in a process of its own."""
    here, there = os.pipe()

    def acknowledge(said: str) -> None:
        os.write(there, f"{said}\n".encode())

    def run() -> None:
        os.close(here)
        work(acknowledge)

    process = FORK.Process(target=run)
    process.start()
    os.close(there)
    return Worker(process, here, time.monotonic())


def kills_at_every_statement(
    work: Callable[[int], object], kinds: tuple[str, ...] = ("",)
) -> Iterator[Worker]:
    """A worker for each number n that does `work(n)` and dies when sqlite3 starts statement n.

    Only statements of the `kinds` that are given are counted, by their first words. Random kills
    seldom fall between two given statements. The last worker, which has fewer statements than that,
    ends well.
    """
    for statements in itertools.count():

        def die_there(acknowledge: Callable[[str], None], statements: int = statements) -> None:
            with mock.patch.object(sqlite3, "connect", connect_to_die(statements, kinds)):
                work(statements)
            acknowledge("done")

        worker = start(die_there)
        worker.process.join()
        said = worker.acknowledged()
        ended_well = worker.process.exitcode == 0
        assert ended_well or worker.process.exitcode == -signal.SIGKILL
        assert said == (["done"] if ended_well else [])
        yield worker
        if ended_well:
            return


def connect_to_die(statements: int, kinds: tuple[str, ...]) -> Callable[..., sqlite3.Connection]:
    """A way to connect that ends the process at one more than this number of statements of the kinds."""
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    started = itertools.count()

    def die(statement: str) -> None:
        if statement.startswith(kinds) and next(started) == statements:
            os.kill(os.getpid(), signal.SIGKILL)

    def connected(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(die)
        return connection

    return connected
