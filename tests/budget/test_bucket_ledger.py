"""A privacy budget per consumer and bucket: charges are all or nothing, and never forgotten."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from bucket_cases import THOUSANDTH, grant, ledger_in
from hypothesis import given
from hypothesis import strategies as st
from worker_processes import FORK_WARNING, kills_at_every_statement, quick_directory

from ipa.budget.bucket_ledger import MAX_NUMBER, Bucket, BucketCharge, BucketLedger
from ipa.budget.composition import EpsilonDelta
from ipa.errors import BudgetError, InputError, ParameterError

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
TINY = Fraction(1, 10**6)
NOTHING = EpsilonDelta(epsilon=Fraction(0), delta=Fraction(0))
SHOP = Bucket("shop", 3, "everyone", 7)
DIFFERENT = [
    replace(SHOP, consumer="other"),
    replace(SHOP, day=4),
    replace(SHOP, people="women"),
    replace(SHOP, slice=8),
]


def charge(*buckets: Bucket, epsilon: Fraction = HALF, delta: Fraction = TINY) -> BucketCharge:
    return BucketCharge(frozenset(buckets), epsilon, delta)


@pytest.fixture
def ledger() -> Iterator[BucketLedger]:
    with quick_directory() as directory:
        yield ledger_in(directory, grant())


def test_a_charge_is_all_or_nothing(ledger: BucketLedger) -> None:
    ledger.charge("first", charge(SHOP, epsilon=3 * QUARTER))
    both = charge(SHOP, *DIFFERENT, epsilon=HALF)
    said = "second asks for more epsilon than shop has left on day 3 for people everyone, slice 7"
    with pytest.raises(BudgetError, match=said):
        ledger.charge("second", both)
    assert all(ledger.spent(bucket) == NOTHING for bucket in DIFFERENT)
    assert ledger.spent(SHOP) == EpsilonDelta(epsilon=3 * QUARTER, delta=TINY)
    assert list(ledger.charges()) == ["first"]
    ledger.charge("third", replace(both, epsilon=QUARTER))
    assert ledger.spent(SHOP) == EpsilonDelta(epsilon=Fraction(1), delta=2 * TINY)
    assert all(ledger.spent(bucket).epsilon == QUARTER for bucket in DIFFERENT)
    assert ledger.charges() == {
        "first": charge(SHOP, epsilon=3 * QUARTER),
        "third": replace(both, epsilon=QUARTER),
    }


@pytest.mark.parametrize("bucket", DIFFERENT)
def test_a_bucket_s_budget_is_its_own(ledger: BucketLedger, bucket: Bucket) -> None:
    ledger.charge("all", charge(SHOP, epsilon=Fraction(1)))
    ledger.charge("another", charge(bucket, epsilon=Fraction(1)))
    for full in (SHOP, bucket):
        with pytest.raises(BudgetError, match="asks for more epsilon than"):
            ledger.charge("more", charge(full, epsilon=TINY))


def test_delta_is_a_budget_too_and_a_reference_is_charged_once(ledger: BucketLedger) -> None:
    ledger.charge("a", charge(SHOP, epsilon=TINY, delta=THOUSANDTH))
    with pytest.raises(BudgetError, match="b asks for more delta than shop has left"):
        ledger.charge("b", charge(SHOP, epsilon=TINY, delta=Fraction(1, 10**18)))
    with pytest.raises(BudgetError, match="a was charged already; another run needs another"):
        ledger.charge("a", charge(DIFFERENT[0], epsilon=TINY))
    assert ledger.spent(DIFFERENT[0]) == NOTHING


@given(
    st.lists(st.tuples(st.frozensets(st.integers(0, 3), min_size=1), st.integers(1, 5)), max_size=8)
)
def test_what_is_accepted_is_what_a_model_accepts(asked: list[tuple[frozenset[int], int]]) -> None:
    spent = dict.fromkeys(range(4), 0)
    with quick_directory() as directory:
        ledger = ledger_in(directory, grant(Fraction(7, 10**6)))
        for number, (slices, micro) in enumerate(asked):
            wanted = charge(
                *(replace(SHOP, slice=one) for one in slices), epsilon=Fraction(micro, 10**6)
            )
            if any(spent[one] + micro > 7 for one in slices):
                with pytest.raises(BudgetError):
                    ledger.charge(f"m{number}", wanted)
            else:
                ledger.charge(f"m{number}", wanted)
                for one in slices:
                    spent[one] += micro
        for one, micro in spent.items():
            assert ledger.spent(replace(SHOP, slice=one)).epsilon == Fraction(micro, 10**6)


def test_the_same_file_is_the_same_ledger(ledger: BucketLedger) -> None:
    ledger.charge("a", charge(SHOP))
    again = BucketLedger.create(ledger.path, grant())
    assert again == ledger == BucketLedger(ledger.path)
    assert list(again.charges()) == ["a"] and again.granted == grant()
    for other in (grant(2), grant(1, TINY)):
        with pytest.raises(BudgetError, match="a bucket ledger that grants something else"):
            BucketLedger.create(ledger.path, other)
    with pytest.raises(InputError, match="there is no bucket ledger here"):
        BucketLedger(ledger.path.with_name("gone")).charge("b", charge(SHOP))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"consumer": "My Shop"}, "consumer must be 1 to 255 bytes"),
        ({"consumer": "\ud800"}, "consumer must be 1 to 255 bytes"),
        ({"people": ""}, "people must be 1 to 255 bytes"),
        ({"day": -1}, "day must be an integer from 0 to 2147483647"),
        ({"day": MAX_NUMBER + 1}, "day must be an integer from 0 to 2147483647"),
        ({"slice": -1}, "slice must be an integer from 0 to 2147483647"),
        ({"slice": True}, "slice must be an integer from 0 to 2147483647"),
    ],
)
def test_what_is_no_bucket(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        replace(SHOP, **changed)


def test_what_is_no_charge(ledger: BucketLedger) -> None:
    with pytest.raises(ParameterError, match="at least one bucket"):
        charge()
    with pytest.raises(ParameterError, match="at most 6 decimals"):
        charge(SHOP, epsilon=Fraction(1, 3))
    with pytest.raises(ParameterError, match="whole multiples of 1e-18"):
        charge(SHOP, delta=Fraction(1, 10**19))
    for reference in ("", "a b", "\ud800"):
        with pytest.raises(ParameterError, match="reference must be 1 to 255 bytes"):
            ledger.charge(reference, charge(SHOP))
    for granted in (grant(0), grant(1, Fraction(1))):
        with pytest.raises(ParameterError):
            BucketLedger.create(ledger.path.with_name("new"), granted)
    assert not ledger.path.with_name("new").exists()


@pytest.mark.filterwarnings(FORK_WARNING)
def test_a_kill_before_any_statement_leaves_all_of_a_charge_or_nothing(
    ledger: BucketLedger,
) -> None:
    ledger.charge("before", charge(SHOP, epsilon=QUARTER))

    def work(number: int) -> None:
        ledger.charge(f"m{number}", charge(SHOP, *DIFFERENT, epsilon=HALF))

    for number, worker in enumerate(kills_at_every_statement(work)):
        whole = worker.process.exitcode == 0
        expected = ["before", f"m{number}"] if whole else ["before"]
        assert list(ledger.charges()) == expected
        spent = {ledger.spent(bucket).epsilon for bucket in DIFFERENT}
        assert spent == {HALF if whole else Fraction(0)}
    assert number > 15  # from the first pragma to COMMIT, with a row for each bucket
