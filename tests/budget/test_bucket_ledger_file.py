"""The rules that a ledger of buckets keeps itself, whichever program writes to its file."""

import re
import sqlite3
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from bucket_cases import grant, ledger_in
from ledger_file_cases import dump, run_sql
from worker_processes import quick_directory

from ipa.budget.append_only import reading, writing
from ipa.budget.bucket_ledger import KIND, Bucket, BucketCharge, BucketLedger
from ipa.errors import BudgetError, InputError

SHOP = Bucket("shop", 3, "everyone", 7)


@pytest.fixture
def path() -> Iterator[Path]:
    """A ledger with one charge of half its budget."""
    with quick_directory() as directory:
        ledger = ledger_in(directory, grant())
        half = BucketCharge(frozenset({SHOP}), Fraction(1, 2), Fraction(1, 2000))
        ledger.charge("m", half)
        yield ledger.path


@pytest.mark.parametrize("table", KIND.tables)
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET {} = 1"])
def test_the_file_itself_refuses_to_forget(path: Path, table: str, change: str) -> None:
    column = {"touched": "day"}.get(table, "epsilon")
    with pytest.raises(sqlite3.IntegrityError, match="a bucket ledger only grows"):
        run_sql(path, change.format(table, column))


HALF_LEFT = (500_000, 5 * 10**14)


def rows(
    number: int = 2,
    reference: str = "n",
    price: tuple[int, int] = HALF_LEFT,
    buckets: int = 1,
    touched: tuple[Any, ...] = (2, 1, "shop", 3, "everyone", 7),
) -> tuple[str, str]:
    """A charge that takes all that is left of one bucket."""
    return (
        f"charge VALUES ({number}, '{reference}', {price[0]}, {price[1]}, {buckets})",
        f"touched VALUES {touched}",
    )


def insert(path: Path, *values: str, how: str = "INSERT") -> None:
    run_sql(path, "BEGIN", *(f"{how} INTO {value}" for value in values), "COMMIT")


def test_what_keeps_the_rules_is_taken(path: Path) -> None:
    insert(path, *rows())
    assert list(BucketLedger(path).charges()) == ["m", "n"]
    assert BucketLedger(path).spent(SHOP) == grant()


ALMOST = "the bucket ledger does not allow this"


@pytest.mark.parametrize("how", ["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"])
@pytest.mark.parametrize(
    "values",
    [
        ("settings VALUES (2000000, 0)",),
        rows(number=3, touched=(3, 1, "shop", 3, "everyone", 7)),
        rows(number=1),
        rows(reference="m"),
        rows(price=(500_001, 5 * 10**14)),
        rows(price=(500_000, 5 * 10**14 + 1)),
        rows(touched=(1, 2, "shop", 3, "everyone", 8)),
        rows(touched=(2, 2, "shop", 3, "everyone", 7)),
        rows(touched=(2, 0, "shop", 3, "everyone", 7)),
        (*rows(), "touched VALUES (2, 2, 'shop', 3, 'everyone', 8)"),
        (*rows(price=(1, 1), buckets=2), "touched VALUES (2, 2, 'shop', 3, 'everyone', 7)"),
        (*rows(price=(1, 1), buckets=2), "charge VALUES (3, 'o', 1, 1, 1)"),
        (rows()[0], "charge VALUES (3, 'o', 1, 1, 1)"),
    ],
)
def test_what_breaks_them_is_not(path: Path, values: tuple[str, ...], how: str) -> None:
    before = dump(path)
    with pytest.raises(sqlite3.IntegrityError, match=ALMOST):
        insert(path, *values, how=how)
    assert dump(path) == before


@pytest.mark.parametrize("wrong", [(0, 0, 1), (-1, 0, 1), (1, -1, 1), (1, 0, 0)])
def test_nothing_is_charged_backwards(path: Path, wrong: tuple[int, int, int]) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint"):
        insert(path, rows(price=wrong[:2], buckets=wrong[2])[0])


@pytest.mark.parametrize("name", KIND.statements())
def test_a_file_with_other_tables_or_triggers_is_not_used(path: Path, name: str) -> None:
    kind = re.match(r"CREATE (\w+)", KIND.statements()[name])
    assert kind
    run_sql(path, f"DROP {kind[1]} {name}")
    for use in (BucketLedger(path).charges, lambda: BucketLedger(path).granted):
        with pytest.raises(InputError, match="damaged: its tables or triggers were changed"):
            use()


@pytest.mark.parametrize("way", [reading, writing])
def test_this_program_only_reads_and_inserts(path: Path, way: Any) -> None:
    with (
        pytest.raises(BudgetError, match="the bucket ledger only takes new rows"),
        way(path, KIND) as file,
    ):
        file.execute("DELETE FROM charge")


def test_the_file_says_what_it_is(path: Path) -> None:
    header = path.read_bytes()
    assert header[68:72] == b"IPAK" and header[60:64] == bytes([0, 0, 0, 1])
    other = path.with_name("other")
    other.write_bytes(header[:60] + bytes([0, 0, 0, 2]) + header[64:])
    with pytest.raises(InputError, match="a bucket ledger of version 2; only version 1"):
        BucketLedger(other).charges()
