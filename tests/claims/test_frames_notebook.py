"""The notebook on data frames does in ten lines what it says, and shows what it does."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples/notebooks/frames.ipynb"
CELLS: list[dict[str, Any]] = [
    cell
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    if cell["cell_type"] == "code"
]


def test_a_frame_becomes_a_frame_of_sums_in_ten_lines() -> None:
    (short,) = (cell for cell in CELLS if "EventEncoder(" in "".join(cell["source"]))
    source = "".join(short["source"])
    assert "run_query" in source and source.endswith("result.to_frame(encoder)")
    assert len(source.splitlines()) == 10
    assert "".join(short["outputs"][0]["data"]["text/plain"]).count("\n") == 4


def test_its_outputs_are_current() -> None:
    pandas = pytest.importorskip("pandas")
    pandas.set_option("display.max_columns", 20)  # as in a notebook, and not as on a terminal
    pandas.set_option("display.width", 80)
    names: dict[str, Any] = {}
    for cell in CELLS:
        module = ast.parse("".join(cell["source"]))
        last = module.body[-1]
        value = None
        if isinstance(last, ast.Expr):
            module.body.pop()
        exec(compile(module, NOTEBOOK.name, "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names)
        shown = [out for out in cell["outputs"] if out["output_type"] == "execute_result"]
        for output in shown:
            assert repr(value) == "".join(output["data"]["text/plain"])
    assert len(names["frame"]) == 20_000
