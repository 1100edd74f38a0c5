"""The noise step: equal to its oracle, its cost, oblivious and local."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from noise_cases import (
    MECHANISMS,
    SECURITIES,
    expected_noise,
    in_threads,
    opened,
    own_noise,
    parameters_of,
    words_behind,
)
from strategies import ROWS, SEEDS, Simulation, below, examples

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.noise.choice import noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace, noise_from_words
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.noise.width import signed_width
from ipa.parameters import Mechanism, QueryParameters, Security
from ipa.parties import HELPERS
from ipa.protocols.circuits.addition import add_gates
from ipa.protocols.circuits.comparison import first_difference_gates
from ipa.protocols.circuits.constants import public_number
from ipa.protocols.noise import add_noise, laplace_noise, laplace_noise_per_helper
from ipa.protocols.verification.product_check import check_products
from ipa.sharing.bits import bytes_per_column
from ipa.sharing.dealing import only_helper, reconstruct_for_testing
from ipa.sharing.shared_bits import SharedBits

SECURITY = st.sampled_from(SECURITIES)
PER_HELPER = PerHelperLaplace(epsilon=Fraction(1), sensitivity=2)
MADE = st.builds(
    DigitwiseLaplace,
    epsilon=st.fractions(Fraction(1, 100), 8),
    sensitivity=st.integers(1, 40),
    digits=st.integers(1, 9),
    precision=st.sampled_from([1, 2, 3]) | st.integers(1, 64),
)
SAMPLED = st.builds(
    PerHelperLaplace,
    epsilon=st.sampled_from([Fraction(1, 7), Fraction(1), Fraction(5, 2)]),
    sensitivity=st.integers(1, 40),
)


# Equal to the oracle


@examples(60)
@given(SEEDS, ROWS, MADE, SECURITY, st.integers(0, 3))
def test_noise_inside_the_mpc_is_that_of_its_words(
    seed: int, count: int, noise: DigitwiseLaplace, security: Security, wider: int
) -> None:
    simulation = Simulation(seed, security)
    width = signed_width(0, noise.largest) + wider
    drawn = laplace_noise(simulation.network, count, width, noise)
    check_products(simulation.network)
    assert (drawn.rows, drawn.width) == (count, width)
    assert opened(drawn) == [noise_from_words(w, noise) for w in words_behind(seed, noise, count)]


@examples(40)
@given(SEEDS, ROWS, SAMPLED, SECURITY)
def test_noise_per_helper_is_the_sum_of_what_each_samples(
    seed: int, count: int, noise: PerHelperLaplace, security: Security
) -> None:
    simulation = Simulation(seed, security)
    width = signed_width(0, noise.largest)
    drawn = laplace_noise_per_helper(simulation.network, count, width, noise)
    check_products(simulation.network)
    assert opened(drawn) == expected_noise(seed, noise, count)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_noise_per_helper_wraps_and_is_not_clamped(width: int) -> None:
    noise = PerHelperLaplace(epsilon=Fraction(1), sensitivity=9)
    simulation = Simulation(5)
    drawn = laplace_noise_per_helper(simulation.network, 200, width, noise)
    expected = expected_noise(5, noise, 200)
    assert max(map(abs, expected)) > 1 << 4
    assert reconstruct_for_testing(drawn) == [x % (1 << width) for x in expected]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@examples(40)
@given(data=st.data(), seed=SEEDS, security=SECURITY, bits=st.integers(1, 12))
def test_noise_is_added_to_the_sums(
    mechanism: Mechanism, data: st.DataObject, seed: int, security: Security, bits: int
) -> None:
    count = data.draw(st.sampled_from([1, 2, 3, 8]) | st.integers(1, 20))
    sums = data.draw(st.lists(below(1 << bits), min_size=count, max_size=count))
    parameters = parameters_of(
        mechanism,
        count,
        cap=data.draw(st.integers(1, 300)),
        match_keys_can_collide=data.draw(st.booleans()),
        delta=data.draw(st.sampled_from([Fraction(1, 4), Fraction(1, 10**9)])),
    )
    noise = noise_for(parameters)
    assert noise is not None
    simulation = Simulation(seed, security)
    noisy = add_noise(simulation.network, simulation.bits(sums, bits), parameters)
    check_products(simulation.network)
    assert noisy.width == signed_width((1 << bits) - 1, noise.largest)
    drawn = expected_noise(seed, noise, count, "noise")
    assert opened(noisy) == [a + b for a, b in zip(sums, drawn, strict=True)]


def test_without_epsilon_the_sums_are_left_as_they_are() -> None:
    simulation = Simulation(1)
    sums = simulation.bits([5, 6], 3)
    parameters = QueryParameters(breakdowns=2, cap=2)
    assert add_noise(simulation.network, sums, parameters) is sums
    assert simulation.transcript.messages == []
    assert simulation.network.costs == {}


# Cost


def addition_rounds(width: int) -> int:
    """1 + ceil(log2 (width - 1)), none for one column."""
    return 0 if width < 2 else 1 + (width - 2).bit_length()


def check_cost(simulation: Simulation, rounds: int, gates: int, size: int) -> None:
    cost = simulation.cost
    assert (cost.rounds, cost.and_gates, cost.bytes_sent) == (rounds, gates, 3 * size)
    assert cost.ring_products == 0


@examples(40)
@given(ROWS, MADE, st.integers(0, 3))
def test_the_cost_of_noise_inside_the_mpc(count: int, noise: DigitwiseLaplace, wider: int) -> None:
    simulation = Simulation(1)
    width = signed_width(0, noise.largest) + wider
    laplace_noise(simulation.network, count, width, noise)
    coins = 2 * noise.digits * count
    a_coin = first_difference_gates(noise.precision + 1)
    check_cost(
        simulation,
        noise.precision.bit_length() + addition_rounds(width),
        coins * a_coin + count * add_gates(width),
        a_coin * bytes_per_column(coins) + add_gates(width) * bytes_per_column(count),
    )
    assert coins * a_coin <= 4 * noise.digits * noise.precision * count
    assert not any(
        path.endswith("words") and c.rounds for path, c in simulation.network.costs.items()
    )


@examples(20)
@given(ROWS, st.integers(1, 40))
def test_the_cost_of_noise_per_helper(count: int, width: int) -> None:
    simulation = Simulation(1)
    laplace_noise_per_helper(simulation.network, count, width, PER_HELPER)
    columns = 2 * width + add_gates(width)  # the inputs, one gate a bit, and an addition
    check_cost(
        simulation,
        2 + addition_rounds(width),
        count * (width + add_gates(width)),
        columns * bytes_per_column(count),
    )


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("count", [1, 3, 300])
def test_adding_noise_costs_the_noise_and_one_addition(mechanism: Mechanism, count: int) -> None:
    parameters = parameters_of(mechanism, count)
    alone, added = Simulation(1), Simulation(1)
    noisy = add_noise(added.network, added.bits([9] * count, 4), parameters)
    noise = noise_for(parameters)
    if isinstance(noise, DigitwiseLaplace):
        laplace_noise(alone.network, count, noisy.width, noise)
    else:
        assert noise is not None
        laplace_noise_per_helper(alone.network, count, noisy.width, noise)
    gates = add_gates(noisy.width)
    check_cost(
        added,
        alone.cost.rounds + addition_rounds(noisy.width),
        alone.cost.and_gates + count * gates,
        alone.cost.bytes_sent // 3 + gates * bytes_per_column(count),
    )
    assert all(path.startswith("noise/") for path, c in added.network.costs.items() if c.messages)


# Oblivious and local


@pytest.mark.parametrize("mechanism", MECHANISMS)
@examples(25)
@given(data=st.data(), seed=SEEDS, count=st.integers(1, 20), bits=st.integers(1, 12))
def test_the_shape_of_the_transcript_depends_on_sizes_and_parameters_alone(
    mechanism: Mechanism, data: st.DataObject, seed: int, count: int, bits: int
) -> None:
    parameters = parameters_of(mechanism, count, cap=data.draw(st.integers(1, 40)))
    shapes = []
    for number in (seed, seed + 1):
        sums = data.draw(st.lists(below(1 << bits), min_size=count, max_size=count))
        simulation = Simulation(number)
        add_noise(simulation.network, simulation.bits(sums, bits), parameters)
        shapes.append((simulation.transcript.shape(), simulation.cost.and_gates))
    assert shapes[0] == shapes[1]
    assert shapes[0][0]


def test_what_is_sent_differs_between_runs() -> None:
    for mechanism in MECHANISMS:
        payloads = []
        for seed in (1, 2):
            simulation = Simulation(seed)
            sums = simulation.bits([3] * 200, 4)
            add_noise(simulation.network, sums, parameters_of(mechanism, 200))
            payloads.append([message.payload for message in simulation.transcript.messages])
        assert all(a != b for a, b in zip(*payloads, strict=True))


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize("count", [1, 3, 64])
def test_a_helper_alone_holds_what_it_holds_in_the_simulation(
    mechanism: Mechanism, security: Security, count: int
) -> None:
    parameters = parameters_of(mechanism, count, cap=20)
    simulation = Simulation(count, security)
    sums = simulation.bits([count - row for row in range(count)], 7)
    together = add_noise(simulation.network, sums, parameters)

    def run(network: HelperPartyNetwork) -> SharedBits:
        (helper,) = network.helpers
        return add_noise(network, only_helper(sums, helper), parameters)

    apart = in_threads(count, security, run)
    assert apart == {helper: together.shares_of(helper) for helper in HELPERS}


# Who knows what, in one run


def test_no_two_runs_and_no_two_steps_have_the_same_noise() -> None:
    first, second = Simulation(1).network, Simulation(2).network
    for mechanism in MECHANISMS:
        parameters = parameters_of(mechanism, 200, cap=9)
        drawn = [
            opened(add_noise(network, public_number(network, 200, 0, 1), parameters))
            for network in (first, first, second)
        ]
        assert len(set(map(tuple, drawn))) == 3


def test_every_helper_samples_its_own() -> None:
    """The noise per helper is three noises, not one three times."""
    own = [own_noise(1, helper, PER_HELPER, 200) for helper in HELPERS]
    assert len(set(map(tuple, own))) == 3
