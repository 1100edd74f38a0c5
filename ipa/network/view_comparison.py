"""Does what a helper sees depend on the secret? Two secrets, many runs of each, and their views compared.

If a protocol is private, a helper's view has the same distribution for both secrets. Each view is a
string of bits. For every bit, and for every XOR of two or three of them, as far as they are looked at,
the runs of either secret in which it is 1 are counted. Two counts of one distribution differ by t or
more with probability at most 2 exp(-t^2 / runs) (Hoeffding 1963, theorem 2), so that a bound for all
counts together follows: the verdict is a false alarm with probability at most `FALSE_ALARM`. That no
difference is found is no proof; that is the protocol's. XORs of three bits are looked at because two
shares that a helper holds and a third that it is sent make the secret.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb, log, sqrt
from typing import TypeVar

from ipa.display.comparisons import comparison_html
from ipa.display.markup import Markup
from ipa.errors import ParameterError
from ipa.network.view import View
from ipa.ranges import check_integer
from ipa.sharing.bits import columns_from_rows

Secret = TypeVar("Secret")

FALSE_ALARM = 1e-6
"""With at most this probability views of one distribution are told apart."""

MOST_IN_PAIRS = 600
"""XORs of two bits are taken among so many bits of a view, the first ones that are not constant."""

MOST_IN_TRIPLES = 150
"""XORs of three, likewise."""


@dataclass(frozen=True)
class ComparedPart:
    """A share or a message in both views, or the XORs of bits from anywhere.

    `first` and `second` are the mean frequencies of ones, `difference` the largest difference in the
    frequency of one bit, `tests` how many bits or XORs were counted: all that are not constant.
    """

    what: str
    tests: int
    first: float
    second: float
    difference: float
    differs: bool


@dataclass(frozen=True)
class ViewComparison:
    """What a helper's views of two secrets have in common, over `runs` runs of each.

    A difference in frequency above `bound` tells the secrets apart. `examples` are a view of each.
    """

    helper: int
    runs: int
    bound: float
    parts: tuple[ComparedPart, ...]
    examples: tuple[View, View] = field(repr=False)
    same_shape: bool = True

    @property
    def differs(self) -> bool:
        """Whether the views tell the two secrets apart."""
        return not self.same_shape or any(part.differs for part in self.parts)

    @property
    def verdict(self) -> str:
        """What was found, in a sentence."""
        if not self.same_shape:
            return f"H{self.helper} can tell the two secrets apart by which messages it receives"
        where = [part.what for part in self.parts if part.differs]
        if where:
            return f"H{self.helper} can tell the two secrets apart: {'; '.join(where[:3])}"
        tests = sum(part.tests for part in self.parts)
        return (
            f"no difference found in what H{self.helper} sees of the two secrets: {tests:,} "
            f"frequencies compared, over {self.runs:,} runs of each"
        )

    def __repr__(self) -> str:
        return f"<ViewComparison: {self.verdict}>"

    def _repr_html_(self) -> Markup:
        return comparison_html(self)


def compare_views(
    run: Callable[[Secret, int], View], first: Secret, second: Secret, *, runs: int = 200
) -> ViewComparison:
    """Compare what a helper sees when the secret is `first` and when it is `second`.

    `run(secret, seed)` makes one run, all of whose randomness comes from the seed, that of the clients too,
    and returns a view: `transcript.seen_by(helper, ...)`. It is called `runs` times for each.

    Cost: that of the runs, and less than a second.
    Raises: ParameterError for fewer than 100 runs, which could not tell anything, and for runs of one
        secret whose messages differ in number or size.
    """
    check_integer("runs", runs, 100)
    views = [[run(first, seed) for seed in range(runs)]]
    views.append([run(second, seed) for seed in range(runs, 2 * runs)])
    shapes = [_shape(some) for some in views]
    examples = (views[0][0], views[1][0])
    helper = examples[0].helper
    if shapes[0] != shapes[1]:
        return ViewComparison(helper, runs, 0.0, (), examples, same_shape=False)
    columns = [_columns(some) for some in views]
    return _compared(helper, runs, shapes[0], columns, examples)


Shape = list[tuple[str, int]]
"""What the parts of a view are, and how many bits each has."""


def _shape(views: Sequence[View]) -> Shape:
    shapes = [[(what, 8 * len(data)) for what, data in view.parts()] for view in views]
    if any(shape != shapes[0] for shape in shapes):
        raise ParameterError(
            "the messages differ in number or size between runs of one secret: such views cannot be "
            "compared bit by bit"
        )
    return shapes[0]


def _columns(views: Sequence[View]) -> list[int]:
    """For each bit of a view one integer, which has a bit for each run."""
    strings = [b"".join(data for _, data in view.parts()) for view in views]
    numbers = [int.from_bytes(string, "little") for string in strings]
    return columns_from_rows(numbers, 8 * len(strings[0]))


def _compared(
    helper: int,
    runs: int,
    shape: Shape,
    columns: Sequence[list[int]],
    examples: tuple[View, View],
) -> ViewComparison:
    pairs = list(zip(*columns, strict=True))
    every = (1 << runs) - 1
    constant = ((0, 0), (every, every))  # in both, such as what fills up a byte
    varying = [pair for pair in pairs if pair not in constant]
    inner, innermost = varying[:MOST_IN_PAIRS], varying[:MOST_IN_TRIPLES]
    tests = len(varying) + comb(len(inner), 2) + comb(len(innermost), 3)
    bound = sqrt(runs * log(2 * max(1, tests) / FALSE_ALARM)) / runs
    parts, start = [], 0
    for what, bits in shape:
        mine = [pair for pair in pairs[start : start + bits] if pair not in constant]
        parts.append(_part(what, runs, bound, mine))
        start += bits
    for count, chosen in ((2, inner), (3, innermost)):
        parts.append(_xors(count, runs, bound, chosen))
    return ViewComparison(helper, runs, bound, tuple(parts), examples)


def _part(what: str, runs: int, bound: float, pairs: Sequence[tuple[int, int]]) -> ComparedPart:
    """The bits of a share or a message."""
    counts = [(a.bit_count(), b.bit_count()) for a, b in pairs]
    largest = max((abs(a - b) for a, b in counts), default=0) / runs
    size = max(1, len(counts)) * runs
    means = sum(a for a, _ in counts) / size, sum(b for _, b in counts) / size
    return ComparedPart(what, len(counts), *means, largest, largest >= bound)


def _xors(count: int, runs: int, bound: float, chosen: Sequence[tuple[int, int]]) -> ComparedPart:
    """The XORs of so many bits each."""
    first = second = tests = largest = 0
    for others in combinations(range(len(chosen)), count - 1):
        a = b = 0
        for place in others:
            a, b = a ^ chosen[place][0], b ^ chosen[place][1]
        for one, other in chosen[others[-1] + 1 :]:
            ones, other_ones = (a ^ one).bit_count(), (b ^ other).bit_count()
            difference = ones - other_ones
            if difference > largest or -difference > largest:
                largest = abs(difference)
            first += ones
            second += other_ones
            tests += 1
    size = max(1, tests) * runs
    what = f"XORs of {count} bits"
    return ComparedPart(
        what, tests, first / size, second / size, largest / runs, largest / runs >= bound
    )
