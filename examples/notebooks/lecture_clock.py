"""The lecture plan by the clock: when each notebook begins, and how long its cells take.

    python examples/notebooks/lecture_clock.py          # from the texts alone
    python examples/notebooks/lecture_clock.py --run    # and run them, to add their running times

Text is spoken at 150 words a minute; each cell of code is shown for 15 seconds; each notebook has a
minute for a question to the class. Exercises are left for afterwards.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import nbformat

from execute import FOLDER, LESSONS, executed

WORDS_PER_MINUTE = 150
SECONDS_PER_CODE_CELL = 15
SECONDS_FOR_A_QUESTION = 60
OPENING, CLOSING = 120, 60
"""Seconds before the first notebook and after the last one."""


@dataclass(frozen=True)
class Lesson:
    """A notebook of the lecture: its title, and what of it takes time."""

    title: str
    words: int
    code_cells: int
    running: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it takes to show, with a question to the class."""
        spoken = 60 * self.words / WORDS_PER_MINUTE
        shown = SECONDS_PER_CODE_CELL * self.code_cells
        return spoken + shown + SECONDS_FOR_A_QUESTION + self.running


def main() -> None:
    """Print the plan."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--run", action="store_true", help="run the notebooks and time them"
    )
    options = parser.parse_args()
    print("from   words  code cells  run      notebook")
    clock: float = OPENING
    for lesson in lessons(options.run):
        print(
            f"{clock_text(clock)} {lesson.words:>6} {lesson.code_cells:>11} "
            f"{lesson.running:>4.1f} s    {lesson.title}"
        )
        clock += lesson.seconds
    print(f"{clock_text(clock)} {'':>24}    the end of the last notebook")
    print(f"{clock_text(clock + CLOSING)} {'':>24}    the end")


def lessons(run: bool = False) -> list[Lesson]:
    """The ten notebooks of the lecture, in order."""
    return [lesson_of(path, run) for path in sorted(FOLDER.glob(LESSONS))]


def lesson_of(path: Path, run: bool) -> Lesson:
    """What is spoken and shown of a notebook: all before its exercises."""
    text = path.read_text(encoding="utf-8")
    words = code_cells = 0
    title = ""
    for cell in nbformat.reads(text, as_version=4).cells:
        shown, found, _ = cell.source.partition("## Exercises")
        if cell.cell_type == "code":
            code_cells += 1
        else:
            title = title or shown.splitlines()[0].removeprefix("# ")
            words += len(re.findall(r"\w[\w'-]*", shown))
        if found:
            break
    started = perf_counter()
    if run:
        executed(text)
    return Lesson(title, words, code_cells, perf_counter() - started if run else 0.0)


def clock_text(seconds: float) -> str:
    """Minutes and seconds since the beginning, to ten seconds."""
    tens = round(seconds / 10)
    return f"{tens // 6:>2}:{tens % 6}0"


if __name__ == "__main__":
    main()
