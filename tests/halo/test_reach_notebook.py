"""The notebook on reach and frequency runs without Jupyter, prints what is committed, and checks answers."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebooks" / "reach_and_frequency.ipynb"
CELLS = [
    cell
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    if cell["cell_type"] == "code"
]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def committed(cell: dict[str, Any]) -> str:
    return "".join(
        "".join(out["text"]) for out in cell["outputs"] if out["output_type"] == "stream"
    )


def printed(code: str, names: dict[str, Any]) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(code, "cell", "exec"), names)
    return out.getvalue()


@pytest.fixture(scope="module")
def ran() -> Iterator[dict[str, Any]]:
    """The names after all cells, each of which has printed what is committed."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(CELLS):
        assert printed(source(cell), names) == committed(cell), f"code cell {number}"
    yield names


def test_every_cell_is_short_and_its_output_is_committed(ran: dict[str, Any]) -> None:
    assert len(CELLS) > 15
    assert all(source(cell).count("\n") < 40 for cell in CELLS)
    assert all(cell["execution_count"] is None for cell in CELLS)  # as execute.py writes them
    pictures = [out["data"] for cell in CELLS for out in cell["outputs"] if "data" in out]
    assert len(pictures) == 4
    for picture in pictures:
        assert "".join(picture["image/svg+xml"]).startswith("<svg")
        assert "".join(picture["text/plain"]).startswith("<Bars of ")


def test_what_it_says_in_numbers(ran: dict[str, Any]) -> None:
    assert list(ran["shuffled"].frequency) == list(ran["checked"].frequency) == ran["truth"]
    assert sum(ran["naive"]) > 1.3 * sum(ran["truth"])
    assert len(ran["everybody"]) - sum(ran["truth"]) == 239  # as the second exercise has it


@pytest.mark.parametrize(("change", "said"), [(0, "right"), (1, "wrong")])
def test_exercises_are_checked(ran: dict[str, Any], change: int, said: str) -> None:
    reach_of, deviation = ran["reach_of"], ran["deviation"]
    both = reach_of("tv") + reach_of("video") - reach_of("tv", "video")
    epsilon = Fraction("0.1")
    while 1.96 * deviation(epsilon) > 20:
        epsilon += Fraction("0.1")
    given = {"both": both, "amount": round(50 * 2000 / 239), "epsilon": epsilon}
    names = ran | {name: answer + change for name, answer in given.items()}
    lines = printed(source(CELLS[-1]), names).splitlines()
    assert lines == [f"exercise {number}: {said}" for number in (1, 2, 3)]


def test_an_exercise_that_was_not_done_is_not_wrong(ran: dict[str, Any]) -> None:
    lines = printed(source(CELLS[-1]), dict(ran)).splitlines()
    assert lines == [f"exercise {number}: not answered yet" for number in (1, 2, 3)]
