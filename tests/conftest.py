"""What all tests have: Hypothesis profiles, `quick` for every run, `thorough` for a long one by hand.

`HYPOTHESIS_PROFILE=thorough python -m pytest` draws ten times as many examples, also where a test
sets its own number with `strategies.examples`. Deadlines are off: a shared machine would make them
fail at random.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=50, deadline=None, print_blob=True)
settings.register_profile("thorough", max_examples=500, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[..., str]:
    """Writes an events file of the lines that it is given, and tells its path."""

    def write(*lines: str) -> str:
        path = tmp_path / "events.csv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return str(path)

    return write
