"""Numbers from text: exact, and nothing that is none."""

import argparse
from fractions import Fraction

import pytest

from ipa.commands.options import exact_number, whole_number
from ipa.errors import ParameterError
from ipa.ranges import fraction_from_text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", Fraction(0)),
        ("0.1", Fraction(1, 10)),
        ("1e-9", Fraction(1, 10**9)),
        ("2.5e-3", Fraction(1, 400)),
        ("1/3", Fraction(1, 3)),
        ("4/010", Fraction(2, 5)),
        ("0/7", Fraction(0)),
    ],
)
def test_a_decimal_or_a_fraction_is_exact(text: str, number: Fraction) -> None:
    assert fraction_from_text("epsilon", text) == exact_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", "1/0", "1/00", "-1", "+1", "1e9", "1e-100", ".5", "1.", "nan", "1/2/3", "1 / 2"),
        *("\u0661", "1" * 21, "1/" + "1" * 41, "0." + "1" * 41, "1\n"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(
        ParameterError, match=r"^epsilon must be a decimal such as 0\.5 or 1e-9, or"
    ):
        fraction_from_text("epsilon", text)
    with pytest.raises(argparse.ArgumentTypeError, match="the number must be a decimal"):
        exact_number(text)


def test_whole_numbers_have_a_least_one() -> None:
    assert [whole_number(1)(text) for text in ("1", "007", "9" * 18)] == [1, 7, 10**18 - 1]
    assert whole_number(0)("0") == 0
    for text in ("0", "-1", "x", "", "1.0", "1" * 19, "1\n"):
        with pytest.raises(argparse.ArgumentTypeError, match="must be an integer of at least 1"):
            whole_number(1)(text)
