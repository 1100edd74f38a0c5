"""What COSTS.md says of the gates of a row is what the formulas say that steps are tested against."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cost_formulas import (
    attribution,
    capping,
    copies,
    division,
    excess,
    one_hot,
    several,
    totals,
)

from ipa.parameters import bits_for

TEXT = (Path(__file__).parents[2] / "COSTS.md").read_text(encoding="utf-8")
ROWS, BOUND, CAP = 1 << 16, 64, 300
BREAKDOWNS, KEY, CONSTRAINT, TIME, VALUE = 16, 64, 16, 32, 16


def figures(most: int | None) -> Iterator[tuple[str, float]]:
    """Gates per row of each line of the table but the sum."""
    longest = most or ROWS
    width, cap_bits = bits_for(longest * ((1 << VALUE) - 1)), bits_for(CAP)
    yield "helper-bits", KEY + CONSTRAINT - 1
    bound = bits_for(BOUND - 1) + TIME + 2 + VALUE + copies(ROWS, 2 * BOUND, 1)[1] / ROWS
    yield "report-bound", bound if most else 0
    yield "attribution", attribution(ROWS, VALUE, longest)[1] / ROWS
    yield "capping: running totals", totals(ROWS, longest, width, width)[1] / ROWS
    yield "capping: total", copies(ROWS, longest, width)[1] / ROWS
    yield "capping: times the cap", several(CAP.bit_count(), width + cap_bits, ROWS)[1]
    yield "capping: division", division(cap_bits, width, ROWS)[1]
    yield "capping: over the cap", excess(width, CAP)[1]
    yield "capping: differences", 3 * cap_bits - 1
    routing = (BREAKDOWNS - 1) * cap_bits
    yield "aggregation: routing", routing
    wide = bits_for(ROWS * ((1 << VALUE) - 1))
    whole = one_hot(ROWS, BREAKDOWNS, bits_for(BREAKDOWNS - 1), cap_bits, wide)[1]
    yield "aggregation: sums", whole / ROWS - routing


@pytest.mark.parametrize(("column", "most"), [(2, BOUND), (3, None)])
def test_the_gates_of_a_row(column: int, most: int | None) -> None:
    section = TEXT.partition("## What the gates of a row are for")[2]
    lines = [re.split(r" *\| *", line) for line in section.splitlines() if line.startswith("| ")]
    table = {cells[1]: cells[column] for cells in lines[1:]}
    expected = dict(figures(most))
    shown = {step: f"{gates:.1f}" for step, gates in expected.items()}
    width = bits_for((most or ROWS) * ((1 << VALUE) - 1))
    shown["all"] = f"{sum(expected.values()):.1f}"
    shown["capping: truncate instead"] = (
        f"{capping(ROWS, most or ROWS, width, CAP, False)[1] / ROWS:.1f}"
    )
    assert table == shown
    parts = sum(gates for step, gates in expected.items() if step.startswith("capping"))
    assert parts == pytest.approx(capping(ROWS, most or ROWS, width, CAP, True)[1] / ROWS)
