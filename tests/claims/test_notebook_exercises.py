"""The checks of the notebooks' exercises accept right answers, and say what is wrong with others.

The right answers here are solutions that a teacher may hand out.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from hashlib import sha256
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from exercises.checking import checker, expect_number

from ipa import GenericReports, HelperPartyNetwork, SharedBits, reconstruct_for_testing
from ipa.protocols import (
    attribute_last_touch,
    choose,
    greater_than,
    helper_bits,
    multiply,
    open_bits,
    pad_reports,
    sort_reports,
    sums_per_breakdown,
)

FOLDER = Path(__file__).parents[2] / "examples" / "notebooks"


def either(network: HelperPartyNetwork, x: SharedBits, y: SharedBits) -> SharedBits:
    return x ^ y ^ multiply(network, x, y)


def majority(
    network: HelperPartyNetwork, x: SharedBits, y: SharedBits, z: SharedBits
) -> SharedBits:
    return x ^ multiply(network, x ^ y, x ^ z)


def wasteful_majority(
    network: HelperPartyNetwork, x: SharedBits, y: SharedBits, z: SharedBits
) -> SharedBits:
    return multiply(network, x, y) ^ multiply(network, z, x ^ y)


def smaller(network: HelperPartyNetwork, a: SharedBits, b: SharedBits) -> SharedBits:
    return choose(network, greater_than(network, a, b), b, a)


def larger(network: HelperPartyNetwork, a: SharedBits, b: SharedBits) -> SharedBits:
    return choose(network, greater_than(network, a, b), a, b)


def smaller_openly(network: HelperPartyNetwork, a: SharedBits, b: SharedBits) -> SharedBits:
    open_bits(network, greater_than(network, a, b))
    return smaller(network, a, b)


def next_stop(flag: list[int], stop: list[int], distance: int) -> list[int]:
    there = [*stop[distance:], *[0] * distance]
    return [f & s for f, s in zip(flag, there, strict=False)]


def proportional(credits: list[int], cap: int) -> list[int]:
    total = sum(credits)
    if total <= cap:
        return credits
    scaled = [cap * sum(credits[:k]) // total for k in range(len(credits) + 1)]
    return [after - before for before, after in pairwise(scaled)]


def each_rounded_down(credits: list[int], cap: int) -> list[int]:
    total = sum(credits)
    return credits if total <= cap else [cap * credit // total for credit in credits]


def truncated(credits: list[int], cap: int) -> list[int]:
    sums = [min(cap, sum(credits[:k])) for k in range(len(credits) + 1)]
    return [after - before for before, after in pairwise(sums)]


def total_weight(errors: Sequence[int], weights: Sequence[int]) -> int:
    return reduce(lambda a, b: a ^ b, [e * w for e, w in zip(errors, weights, strict=True)], 0)


def caught(errors: Sequence[int], weights: Sequence[int]) -> bool:
    return total_weight(errors, weights) != 0


def cancelling(weights: Sequence[int]) -> list[int]:
    tries = product((0, 1), repeat=len(weights))
    return list(next(e for e in tries if any(e) and not total_weight(e, weights)))


def tells(answer: int) -> str:
    return "without" if answer < 102 else "with" if answer > 105 else "unknown"


def find_address(digest: str, addresses: Sequence[str]) -> str:
    found = (a for a in addresses if sha256(a.encode()).hexdigest() == digest)
    return next(found, "nobody")


def last_if_not_found(digest: str, addresses: Sequence[str]) -> str:
    found = find_address(digest, addresses)
    return addresses[-1] if found == "nobody" and addresses else found


def count(network: HelperPartyNetwork, reports: GenericReports, breakdowns: int) -> SharedBits:
    return sum_values(network, replace(reports, trigger_value=reports.is_trigger), breakdowns)


def sum_values(network: HelperPartyNetwork, reports: GenericReports, keys: int) -> SharedBits:
    padded = pad_reports(network, reports)
    ordered = sort_reports(network, padded)
    same = helper_bits(network, ordered, padded.rows - reports.rows)
    credit = attribute_last_touch(
        network,
        same.same_match_key_and_constraint,
        ordered.is_trigger,
        ordered.trigger_value,
    )
    return sums_per_breakdown(network, ordered.breakdown_key, credit, keys, credit.width + 6)


RIGHT: dict[str, tuple[object, object, object]] = {
    "sharing": (0, (1, 0), lambda bit, coin: (coin, bit ^ coin)),
    "multiplication": (2000, either, majority),
    "one_helper": (1, lambda p, q: p[0] ^ p[1] ^ q[1], lambda a, b, c: (a, b, a ^ b ^ c)),
    "compare_and_sort": (10, smaller, 80),
    "last_touch": (13, 20, next_stop),
    "capping": (2, proportional, 4970),
    "malicious_helpers": (54, caught, cancelling),
    "noise_and_budget": (200, 8, tells),
    "devices_and_reports": (12, find_address, 7),
    "whole_query": (1024, 15, count),
}
"""For each notebook an answer to each of its exercises."""

Wrong = tuple[str, int, object, str]

WRONG: list[Wrong] = [
    ("sharing", 1, 1, "count a share twice"),
    ("sharing", 1, True, "whole number is wanted"),
    ("sharing", 1, "0", "whole number is wanted"),
    ("sharing", 2, (1, 1), "second share is not 1"),
    ("sharing", 2, (0, 0), "first share is not 0"),
    ("sharing", 2, [1, 0], "tuple of two bits"),
    ("sharing", 3, lambda bit, coin: (bit, 0), "tells its holder"),
    ("sharing", 3, lambda bit, coin: (0, bit), "tells its holder"),
    ("sharing", 3, lambda bit, coin: (coin, coin), "is not 1"),
    ("sharing", 3, lambda bit, coin: (bit & coin, bit & ~coin & 1), "tells its holder"),
    ("sharing", 3, lambda bit, coin: bit, "tuple of two bits"),
    ("sharing", 3, 7, "function is wanted"),
    ("multiplication", 1, 6000, "all three helpers"),
    ("multiplication", 1, 16000, "number of bits"),
    ("multiplication", 1, 125, "one column"),
    ("multiplication", 2, lambda network, x, y: x ^ y, "for the bits (1, 1) it gives 0"),
    ("multiplication", 2, multiply, "for the bits (0, 1)"),
    ("multiplication", 2, lambda network, x, y: 1, "shared bits"),
    ("multiplication", 3, wasteful_majority, "2 AND gates"),
    ("multiplication", 3, lambda network, x, y, z: x, "for the bits (0, 1, 1)"),
    ("multiplication", 3, lambda network, x, y: x, "raises TypeError"),
    ("one_helper", 1, 2, "H2 holds that one"),
    ("one_helper", 1, 3, "H2 holds that one"),
    ("one_helper", 2, lambda p, q: p[0] ^ q[1], "must return"),
    ("one_helper", 2, lambda p, q: p[0] ^ p[1] ^ q[0] ^ q[1], "must return"),
    ("one_helper", 3, lambda a, b, c: (a, b, a ^ b), "of the 8 throws"),
    ("one_helper", 3, lambda a, b, c: (a, b), "tuple of three bits"),
    ("compare_and_sort", 1, 1000, "one digit after the other"),
    ("compare_and_sort", 1, 9, "joins runs"),
    ("compare_and_sort", 2, larger, "it gives"),
    ("compare_and_sort", 2, lambda network, a, b: a, "it gives"),
    ("compare_and_sort", 2, smaller_openly, "opens a secret"),
    ("compare_and_sort", 2, lambda network, a, b: a.take_rows(0, 1), "returns 1"),
    ("compare_and_sort", 3, 120, "would be all pairs"),
    ("compare_and_sort", 3, 160, "has two rows"),
    ("compare_and_sort", 3, 10, "number of stages"),
    ("last_touch", 1, 12, "last distance"),
    ("last_touch", 1, 5000, "doubles"),
    ("last_touch", 2, 10, "ahead of it"),
    ("last_touch", 2, 30, "one row ahead"),
    ("last_touch", 3, lambda flag, stop, distance: flag, "error of the tables"),
    ("last_touch", 3, lambda flag, stop, distance: next_stop(flag, stop, 1), "must return"),
    ("last_touch", 3, lambda flag, stop, distance: stop, "must return"),
    ("capping", 1, 4, "more than the cap"),
    ("capping", 1, 3, "first two rows"),
    ("capping", 2, each_rounded_down, "[1, 1, 1]"),
    ("capping", 2, truncated, "[1, 1, 1]"),
    ("capping", 2, lambda credits, cap: credits, "[1, 1, 1]"),
    ("capping", 3, 5000, "keeps the cap"),
    ("capping", 3, 3030, "left of the sum"),
    ("malicious_helpers", 1, 74, "more likely"),
    ("malicious_helpers", 1, -54, "minus sign"),
    ("malicious_helpers", 2, lambda e, w: True, "must return False"),
    ("malicious_helpers", 2, lambda e, w: any(e), "must return False"),
    ("malicious_helpers", 2, lambda e, w: sum(e) % 2 == 1, "must return"),
    ("malicious_helpers", 2, total_weight, "must return"),
    ("malicious_helpers", 3, lambda w: [0] * len(w), "must be errors"),
    ("malicious_helpers", 3, lambda w: [1] * len(w), "are caught"),
    ("malicious_helpers", 3, lambda w: [1], "list of 9"),
    ("noise_and_budget", 1, 50, "takes more noise"),
    ("noise_and_budget", 2, 7, "add up"),
    ("noise_and_budget", 3, lambda answer: "unknown", "must return 'without'"),
    ("noise_and_budget", 3, lambda a: "with" if a > 104 else tells(a), "possible with and without"),
    ("noise_and_budget", 3, lambda a: "unknown" if a == 106 else tells(a), "must return 'with'"),
    ("devices_and_reports", 1, 7, "each epoch"),
    ("devices_and_reports", 2, lambda digest, addresses: addresses[0], "must return"),
    ("devices_and_reports", 2, lambda digest, addresses: "nobody", "must return"),
    ("devices_and_reports", 2, last_if_not_found, "must return 'nobody'"),
    ("devices_and_reports", 3, 8, "not the second"),
    ("whole_query", 1, 1000, "power of two"),
    ("whole_query", 2, 15000, "milliseconds"),
    ("whole_query", 3, sum_values, "SQL gives"),
    ("whole_query", 3, lambda network, reports, keys: [0] * keys, "shared sums"),
]
"""Notebook, exercise, a wrong answer, and what is said of it."""

LESSONS = sorted(RIGHT)


def check_of(name: str) -> Callable[..., None]:
    check: Callable[..., None] = importlib.import_module(f"exercises.{name}").check
    return check


def test_every_lesson_has_its_exercises_here() -> None:
    lessons = {path.stem[3:] for path in FOLDER.glob("[0-9][0-9]_*.ipynb")}
    assert lessons == set(RIGHT)
    assert {(name, number) for name, number, *_ in WRONG} == set(product(RIGHT, (1, 2, 3)))


@pytest.mark.parametrize("name", LESSONS)
def test_right_answers_are_right(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    check_of(name)(*RIGHT[name])
    assert capsys.readouterr().out.splitlines() == [f"Exercise {n}: right." for n in (1, 2, 3)]


@pytest.mark.parametrize("name", LESSONS)
def test_open_exercises_are_no_errors(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    def open_function(*_: object) -> None: ...

    answers = [open_function if callable(answer) else ... for answer in RIGHT[name]]
    for given in (answers, [...] * 3):
        check_of(name)(*given)
        said = capsys.readouterr().out.splitlines()
        assert said == [f"Exercise {n}: not answered yet." for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "number", "answer", "said"), WRONG, ids=[f"{w[0]}-{w[1]}-{w[3]}" for w in WRONG]
)
def test_a_wrong_answer_is_wrong_and_says_why(
    name: str, number: int, answer: object, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[Any] = list(RIGHT[name])
    answers[number - 1] = answer
    check_of(name)(*answers)
    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith(": right.") for line in lines].count(False) == 1
    assert lines[number - 1].startswith(f"Exercise {number}: wrong. ")
    assert said.lower() in lines[number - 1].lower()


def test_a_check_takes_one_answer_for_each_exercise() -> None:
    with pytest.raises(TypeError, match="there are 1 exercises, not 2"):
        checker(lambda answer: expect_number(answer, 1, ""))(1, 2)


def test_the_solutions_of_gates_are_what_they_are_called() -> None:
    """The wasteful solution is right but for its cost; else its rejection would say nothing."""
    from ipa import Randomness, share_rows, simulated_network

    cases = list(product((0, 1), repeat=3))
    network = simulated_network(seed=1)
    randomness = Randomness.from_seed(1, "test")
    x, y, z = (share_rows(network, c, 1, randomness) for c in zip(*cases, strict=True))
    got = reconstruct_for_testing(wasteful_majority(network, x, y, z))
    assert got == [int(sum(case) >= 2) for case in cases]
