"""Epsilon as an exact number, and what a commitment may say."""

from fractions import Fraction
from typing import Any

import pytest
from budget_cases import MICRO, both, commitment, query, share
from hypothesis import given
from hypothesis import strategies as st

from ipa.budget.commitments import check_total
from ipa.budget.epsilon import MAX_EPSILON, decimal_text, exact_epsilon, to_micro
from ipa.errors import BudgetError, ParameterError


@pytest.mark.parametrize(
    ("value", "micro"),
    [
        ("0.1", 100_000),
        ("0.000001", 1),
        ("2.50000000", 2_500_000),
        ("007", 7_000_000),
        (3, 3_000_000),
        (Fraction(1, 8), 125_000),
        ("1000000", MAX_EPSILON * 1_000_000),
    ],
)
def test_epsilon_is_read_exactly(value: str | int | Fraction, micro: int) -> None:
    assert to_micro(exact_epsilon(value)) == micro
    assert exact_epsilon(value) == Fraction(micro, 1_000_000)


@pytest.mark.parametrize(
    "value",
    [
        *("", " 1", "1\n", "\u0661", "9" * 5000, "0." + "1" * 5000),
        *("0", "0.0", "-1", "+1", ".5", "1.", "1_0", "0x1", "1e-3", "1/3", "1/2"),
        *("nan", "NaN", "inf", "-inf", "Infinity", "0.0000001", "1000000.000001"),
        *(0, -1, True, MAX_EPSILON + 1, 1 << 100, Fraction(0), Fraction(-1, 2), Fraction(1, 3)),
        *(Fraction(1, 1 << 100), 0.5, 0.1, float("nan"), float("inf"), None, b"1", 1j),
    ],
)
def test_what_is_not_an_exact_epsilon_is_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match="epsilon must be"):
        exact_epsilon(value)
    with pytest.raises(ParameterError, match="epsilon must be"):
        query("q", value)


@given(st.integers(1, MAX_EPSILON * 1_000_000))
def test_decimal_text_is_exact_and_read_back(micro: int) -> None:
    text = decimal_text(Fraction(micro, 1_000_000))
    assert Fraction(text) == Fraction(micro, 1_000_000)
    assert exact_epsilon(text) == micro * MICRO
    assert len(text) == 1 or (not text.startswith("00") and not text.endswith("."))


def test_numbers_too_long_to_print_are_refused_like_any_other() -> None:
    for value in (10**5000, Fraction(1, 10**5000)):
        with pytest.raises(ParameterError, match="epsilon must be"):
            exact_epsilon(value)
    with pytest.raises(ParameterError, match="cap must be"):
        query("q", cap=10**5000)


@pytest.mark.parametrize(
    "changed",
    [
        {"shares": ()},
        {"shares": (share("a", "0.1"), share("a", "0.2"))},
        {"shares": (share("a", "0.1"), share("a", "0.1"))},
        *({"epoch": epoch} for epoch in (-1, 1 << 32, True, 1.0, None)),
        {"site": ""},
    ],
)
def test_malformed_commitments_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        commitment(**changed)


def test_the_total_is_at_most_the_site_s_epsilon() -> None:
    whole = commitment(share("a", "0.4"), share("b", "0.6"))
    check_total(whole, whole.total)
    assert whole.total == both("1", "2e-7")
    with pytest.raises(BudgetError, match=r"commits epsilon 1 for epoch 7.* budget of 0\.999999$"):
        check_total(whole, both("0.999999", "2e-7"))


@pytest.mark.parametrize("place", [0, 2, 3])
def test_malformed_shares_are_refused(place: int) -> None:
    words = ["a", "1", "n", "p"]
    words[place] = "A"
    field = ("report_collector", "", "network_name", "match_key_provider")[place]
    with pytest.raises(ParameterError, match=f"^{field} must be"):
        share(*words)
    with pytest.raises(ParameterError, match="epsilon must be"):
        share("a", "1.0000001")


@pytest.mark.parametrize(
    "name", ["", "a b", "a\n", "\ud800", "=1+1", "-x", "a\x00", "x" * 256, "\u00e9" * 128, 5]
)
def test_malformed_names_are_refused(name: Any) -> None:
    for change in ("query_id", "network_name", "site", "report_collector", "match_key_provider"):
        with pytest.raises(ParameterError, match=f"^{change} must be 1 to 255 bytes of printable"):
            query(**{change: name})
