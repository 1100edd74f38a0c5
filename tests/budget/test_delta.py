"""Delta as an exact number, and the sums of it that commitments may say and boards take."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from budget_cases import (
    ATTO,
    CLOCK,
    NETWORK,
    PROVIDER,
    both,
    commitment,
    during,
    query,
    share,
    terms,
)
from hypothesis import given
from hypothesis import strategies as st
from worker_processes import quick_directory

from ipa.budget.board import CommitmentBoard, FileBoard, MemoryBoard
from ipa.budget.commitments import BudgetTerms, CollectorShare, check_total
from ipa.budget.delta import delta_text, exact_delta, to_atto
from ipa.errors import BudgetError, InputError, ParameterError


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory: nothing here needs a disk."""
    with quick_directory() as directory:
        yield directory


def in_file(directory: Path) -> FileBoard:
    return FileBoard.create(directory / "board", terms())


@pytest.fixture(params=["file", "memory"])
def board(request: pytest.FixtureRequest, tmp_path: Path) -> CommitmentBoard:
    return in_file(tmp_path) if request.param == "file" else MemoryBoard(terms())


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
    with pytest.raises(ParameterError, match="delta must be"):
        terms(site_delta=value)


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


def test_the_shares_are_at_most_the_site_s_delta(board: CommitmentBoard) -> None:
    first, second = share("a", "0.4", delta="4e-7"), share("b", "0.6", delta="6e-7")
    beyond = replace(second, delta=second.delta + ATTO)
    with pytest.raises(BudgetError, match=r"commits delta .*, more than its budget of 1e-6$"):
        board.commit(commitment(first, beyond), now=during(7))
    whole = commitment(first, second)
    board.commit(whole, now=during(7))
    assert board.in_force("shop.example", 7) == whole
    with pytest.raises(BudgetError, match="cannot change"):
        board.commit(commitment(first, replace(second, delta=second.delta - ATTO)), now=during(7))


def test_the_file_itself_keeps_to_the_site_s_delta(tmp_path: Path) -> None:
    in_file(tmp_path)
    row = "INSERT INTO share VALUES ('a', 7, 'c', 'n', 'p', 1, {})"
    with closing(sqlite3.connect(tmp_path / "board", isolation_level=None)) as file:
        file.execute(f"INSERT INTO commitment VALUES ('a', 7, {during(7)}, 1)")
        for wrong in (-1, 10**12 + 1):
            with pytest.raises(sqlite3.IntegrityError):
                file.execute(row.format(wrong))
        file.execute(row.format(10**12))


def test_a_board_of_the_version_without_delta_is_refused(tmp_path: Path) -> None:
    board = in_file(tmp_path)
    with closing(sqlite3.connect(tmp_path / "board", isolation_level=None)) as file:
        file.execute("PRAGMA user_version = 1")
    with pytest.raises(InputError, match="commitment board of version 1; only version 2 can be"):
        board.sites()
    with pytest.raises(InputError, match="commitment board of version 1; only version 2 can be"):
        in_file(tmp_path)


@pytest.mark.parametrize("text", ["1e-100", "1e999", "1e999999999", "1" * 21, "0." + "1" * 21])
def test_text_of_many_digits_is_refused_before_it_is_made_a_number(text: str) -> None:
    """An exponent of nine digits would be a number of a billion."""
    with pytest.raises(ParameterError, match="delta must be a decimal such as 1e-9, not '"):
        exact_delta(text)
