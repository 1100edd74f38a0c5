"""What one helper knows of the noise: nothing of what is made inside the MPC, its own of the other.

A view is every bit that a helper holds or can compute by itself for one sum: both shares of the words
(that is all its keys say), both of the noise, every bit it receives, and each of these with what its
keys let it take off. Every bit of the view is compared with every bit of the noise over many sums.
Whatever the noise, a bit that is fair and independent of it agrees in half of the sums, and by
Hoeffding n of them differ from n / 2 by t or more with probability at most 2 exp(-2 t^2 / n).
"""

from collections.abc import Iterable
from fractions import Fraction
from math import log, sqrt

import pytest
from goodness import REJECT, laplace_masses, misfit
from noise_cases import own_noise

from ipa.network.channel import Message
from ipa.network.interception import Transcript
from ipa.network.simulation import RunOptions, pairwise_keys, simulated_network
from ipa.noise.choice import choose_parameters, noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.noise.width import signed_width
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS
from ipa.protocols.noise import laplace_noise
from ipa.query import run_query
from ipa.sharing.bits import Columns, decode_columns, ones
from ipa.sharing.dealing import reconstruct_columns_for_testing
from ipa.sharing.prss import Prss
from ipa.sharing.shared_bits import SharedBits

SUMS = 16_000
FALSE_ALARM = 1e-9
"""The probability that a right program fails one of the tests here, all of its comparisons together."""

NOISE = choose_parameters(Fraction(1), 3, 1, Fraction(1, 100))
WIDTH = signed_width(0, NOISE.largest)


class Run:
    """The noise of many sums, and what each helper has seen of it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.transcript = Transcript()
        network = simulated_network(seed, [self.transcript])
        self.name = network.name
        self.noise: SharedBits = laplace_noise(network, SUMS, WIDTH, NOISE)
        self.bits: Columns = reconstruct_columns_for_testing(self.noise)

    def keystreams(self, helper: int, step: str, width: int, rows: int) -> tuple[Columns, Columns]:
        """What the helper's two keys give in a step."""
        prss = Prss(*pairwise_keys(self.seed)[helper]).for_session(self.name)
        return prss.random_columns(step, width, rows)

    def words(self, helper: int) -> list[Columns]:
        """Both shares of the words, a list of columns for each, one column for each digit."""
        rows = 2 * NOISE.digits * SUMS
        return [
            by_sum(columns) for columns in self.keystreams(helper, "words", NOISE.precision, rows)
        ]

    def received(self, helper: int) -> Iterable[Columns]:
        """Each message as it came, and without the masks that the helper's keys give."""
        for message in self.transcript.messages:
            if message.receiver == helper:
                columns, rows = decoded(message)
                for mask in self.keystreams(helper, message.step, len(columns), rows):
                    yield by_sum(exclusive_or(columns, mask))
                yield by_sum(columns)

    def view(self, helper: int) -> Columns:
        words, noise = self.words(helper), self.noise.shares_of(helper)
        known = [*words, exclusive_or(*words), *noise, exclusive_or(*noise)]
        return [column for table in (*known, *self.received(helper)) for column in table]


def decoded(message: Message) -> tuple[Columns, int]:
    """The columns of a message, which are of as many rows as there are sums, or coins."""
    rows = 2 * NOISE.digits * SUMS if "/compare/" in f"/{message.step}" else SUMS
    return decode_columns(message.payload, rows), rows


def by_sum(columns: Columns) -> Columns:
    """Columns of coins cut into columns of sums: rows are by variable, then digit, then sum."""
    long = max(columns).bit_length() > SUMS
    runs = 2 * NOISE.digits if long else 1
    return [column >> k * SUMS & ones(SUMS) for column in columns for k in range(runs)]


def exclusive_or(a: Columns, b: Columns) -> Columns:
    return [x ^ y for x, y in zip(a, b, strict=True)]


def predictors(view: Columns, targets: Columns) -> list[tuple[int, int]]:
    """The bits of the view that agree with a bit of the noise too often or too seldom."""
    comparisons = 3 * len(view) * len(targets)  # by three helpers
    far = sqrt(SUMS * log(2 * comparisons / FALSE_ALARM) / 2)
    return [
        (place, target)
        for place, bit in enumerate(view)
        for target, noise in enumerate(targets)
        if abs((bit ^ noise).bit_count() - SUMS / 2) >= far
    ]


def targets(bits: Columns) -> Columns:
    """Each bit of the noise, the last one its sign, and whether it is not 0."""
    anything = 0
    for column in bits:
        anything |= column
    return [*bits, anything]


@pytest.mark.parametrize("helper", HELPERS)
def test_nothing_that_a_helper_holds_predicts_the_noise_made_inside_the_mpc(helper: int) -> None:
    run = Run(helper)
    view = run.view(helper)
    assert len(view) > 3 * 2 * NOISE.digits * NOISE.precision
    assert predictors(view, targets(run.bits)) == []


def test_two_helpers_together_know_everything_and_the_test_sees_it() -> None:
    """The third share of each bit, put to the two that one helper holds."""
    run = Run(4)
    own, right = run.words(1)
    (_, third) = run.words(2)
    words = exclusive_or(exclusive_or(own, right), third)
    found = {target for _, target in predictors(words, targets(run.bits))}
    assert found == set(range(len(run.bits) + 1))
    assert predictors(run.bits, run.bits)


def test_words_that_one_helper_knows_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted error: share 3 of the words is 0, so that helper 1 knows all of them."""
    drawn = Prss.random_columns
    third = pairwise_keys(5)[3][0]

    def without_third(
        self: Prss, step: str, width: int, rows: int, index: int = 0
    ) -> tuple[Columns, Columns]:
        own, right = drawn(self, step, width, rows, index)
        if step == "words":
            own = [0] * width if self._own_key == third else own
            right = [0] * width if self._right_key == third else right
        return own, right

    monkeypatch.setattr(Prss, "random_columns", without_third)
    run = Run(5)
    assert predictors(run.view(1), targets(run.bits))


# Noise per helper


PER_HELPER = QueryParameters(
    breakdowns=2000,
    cap=3,
    epsilon=Fraction(1),
    mechanism="laplace-per-helper",
    match_key_bits=2,
    security="semi-honest",
)


def without_own(helper: int) -> tuple[list[int], list[int]]:
    """The noise that a helper added to a query of no reports, and the result without it."""
    noise = noise_for(PER_HELPER)
    assert isinstance(noise, PerHelperLaplace)
    released = run_query([], PER_HELPER, options=RunOptions(seed=helper)).sums
    own = own_noise(helper, helper, noise, PER_HELPER.breakdowns)
    return own, [a - b for a, b in zip(released, own, strict=True)]


@pytest.mark.parametrize("helper", HELPERS)
def test_a_helper_knows_its_own_noise_and_two_whole_ones_are_left(helper: int) -> None:
    """Its noise is a third of the variance; what is left has the distribution of two noises.

    That these keep the promise is shown in `test_neighbours` and `test_noise_accounting`.
    """
    own, left = without_own(helper)
    rate = Fraction(1, 3)
    assert misfit(left, two_laplace_masses(rate)) < REJECT
    assert misfit(left, laplace_masses(rate, 90)) > REJECT
    count = len(own)
    correlated = sum(x * (x + y) for x, y in zip(own, left, strict=True))
    assert correlated > 5 * sqrt(count) * 18  # 18 is the variance of one
    signs = sum((x > 0) == (y > 0) for x, y in zip(own, left, strict=True) if x and y)
    both = sum(bool(x and y) for x, y in zip(own, left, strict=True))
    assert abs(signs - both / 2) < sqrt(both * log(2 / FALSE_ALARM) / 2)


def two_laplace_masses(rate: Fraction) -> dict[int, Fraction]:
    one = laplace_masses(rate, 60)
    return {
        x: sum((p * one[x - y] for y, p in one.items() if x - y in one), Fraction(0))
        for x in range(-60, 61)
    }


def test_a_helper_of_noise_inside_the_mpc_has_no_noise_of_its_own() -> None:
    """What it draws by itself is not used: another helper's randomness changes nothing."""
    network, other = simulated_network(1), simulated_network(1)
    for party in other.parties.values():
        party.randomness.random_bytes(100)
    assert isinstance(NOISE, DigitwiseLaplace)
    first, second = (laplace_noise(n, 50, WIDTH, NOISE) for n in (network, other))
    assert reconstruct_columns_for_testing(first) == reconstruct_columns_for_testing(second)
