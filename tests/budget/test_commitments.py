"""Epsilon and delta as exact numbers, and what a commitment may say."""

from fractions import Fraction
from typing import Any

import pytest
from budget_cases import ATTO, CLOCK, MICRO, NETWORK, PROVIDER, both, commitment, query, share
from hypothesis import given
from hypothesis import strategies as st

from ipa.budget.commitments import BudgetTerms, CollectorShare, check_total
from ipa.budget.delta import delta_text, exact_delta, to_atto
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


@pytest.mark.parametrize(
    ("value", "atto", "text"),
    [
        ("1e-9", 10**9, "1e-9"),
        ("0.000000001", 10**9, "1e-9"),
        ("12.50e-9", 12_500_000_000, "1.25e-8"),
        ("1e-18", 1, "1e-18"),
        ("10e-18", 10, "1e-17"),
        ("0.001", 10**15, "1e-3"),
        ("0.000999999999999999", 10**15 - 1, "9.99999999999999e-4"),
        ("0", 0, "0"),
        ("0e5", 0, "0"),
        (0, 0, "0"),
        (Fraction(1, 10**6), 10**12, "1e-6"),
        (Fraction(1, 1 << 18), 10**18 >> 18, "3.814697265625e-6"),
    ],
)
def test_delta_is_read_exactly(value: str | int | Fraction, atto: int, text: str) -> None:
    assert exact_delta(value) == atto * ATTO
    assert to_atto(exact_delta(value)) == atto
    assert delta_text(exact_delta(value)) == text


@pytest.mark.parametrize(
    "value",
    [
        *("", " 1e-9", "1e-9\n", "\u0661e-9", "1e", "e-9", "1e-", "1e+0", "1E-9", "1e-9.5"),
        *("-1e-9", "+1e-9", ".1e-9", "1.e-9", "1/1000", "nan", "inf", "1e-999", "0." + "0" * 5000),
        *("1e-19", "1.5e-18", "0.0011", "1e0", "1e99", "1.0000000000000001e-3"),
        *(1, -1, False, Fraction(1, 1 << 19), Fraction(1, 3000), Fraction(-1, 10**9)),
        *(Fraction(1, 10**19), Fraction(11, 10**4), 0.0, 1e-9, float("nan"), None, b"0", 1j),
    ],
)
def test_what_is_not_an_exact_delta_is_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match="delta must be"):
        exact_delta(value)
    with pytest.raises(ParameterError, match="delta must be"):
        query("q", delta=value)
    with pytest.raises(ParameterError, match="delta must be"):
        share(delta=value)


@given(st.integers(0, 10**15))
def test_delta_text_is_exact_and_read_back(atto: int) -> None:
    text = delta_text(atto * ATTO)
    assert exact_delta(text) == atto * ATTO
    assert len(text) <= len(f"{atto // 10**18}.{atto % 10**18:018d}".rstrip("0").rstrip("."))


@given(st.integers(0, 10**20))
def test_the_text_of_a_sum_of_deltas_is_exact_also_beyond_the_largest(atto: int) -> None:
    assert Fraction(delta_text(atto * ATTO)) == atto * ATTO


def test_the_total_is_at_most_the_site_s_delta() -> None:
    whole = commitment(share("a", "0.1", delta="4e-7"), share("b", "0.1", delta="6e-7"))
    check_total(whole, both("0.2", "1e-6"))
    problem = r"commits delta 1e-6 for epoch 7.* budget of 9\.99999999999e-7$"
    with pytest.raises(BudgetError, match=problem):
        check_total(whole, both("0.2", "9.99999999999e-7"))


def test_the_deltas_that_nobody_names() -> None:
    """Ten collectors with the default share the default of a site."""
    granted = BudgetTerms(site_epsilon=Fraction(1), clock=CLOCK).site_budget
    assert granted == both("1", "1e-6")
    named = [
        CollectorShare(
            report_collector=f"c{i}",
            network_name=NETWORK,
            match_key_provider=PROVIDER,
            epsilon=Fraction(1, 100),
        )
        for i in range(11)
    ]
    assert named[0].budget == both("0.01", "1e-7")
    check_total(commitment(*named[:10]), granted)
    with pytest.raises(BudgetError, match=r"commits delta 1\.1e-6"):
        check_total(commitment(*named), granted)
