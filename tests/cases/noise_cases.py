"""What the tests of noise share: noise drawn alone, the words behind it, its exact distribution.

A statement that two things are independent is tested with an exact bound of the false alarm: products
of two centred indicators, one of which has mean 0 whatever came before, add up to a martingale, so by
Azuma and Hoeffding their sum S over n draws has P(|S| >= t) <= 2 exp(-t^2 / (2 n c^2)), where c bounds
one product.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from math import log, sqrt

from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import own_randomness, pairwise_keys, simulated_network
from ipa.noise.choice import noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace, noise_from_words
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.noise.width import signed_width
from ipa.parameters import Mechanism, QueryParameters, Security
from ipa.parties import HELPERS
from ipa.protocols.noise import laplace_noise
from ipa.protocols.verification.product_check import check_products
from ipa.release import combine_at_collector
from ipa.sharing.bits import rows_from_columns
from ipa.sharing.prss import Prss, ReproducibleKey
from ipa.sharing.shared_bits import ColumnPair, SharedBits

FALSE_ALARM = 1e-12
"""The probability that one test of independence fails although there is independence."""

TIMEOUT = 60

SECURITIES: list[Security] = ["semi-honest", "malicious"]
MECHANISMS: list[Mechanism] = ["laplace", "laplace-per-helper"]


def parameters_of(mechanism: Mechanism, breakdowns: int = 3, **others: object) -> QueryParameters:
    parameters = QueryParameters(
        breakdowns=breakdowns, cap=2, epsilon=Fraction(1), mechanism=mechanism
    )
    return replace(parameters, **others)  # type: ignore[arg-type]


def in_mpc(parameters: QueryParameters) -> DigitwiseLaplace:
    """The noise of a query whose mechanism is `laplace`."""
    noise = noise_for(parameters)
    assert isinstance(noise, DigitwiseLaplace)
    return noise


def opened(shared: SharedBits) -> list[int]:
    """The signed rows, as the report collector reads them."""
    pairs = {helper: shared.shares_of(helper) for helper in HELPERS}
    return combine_at_collector(pairs, shared.rows, signed=True)


def draw(
    noise: DigitwiseLaplace, count: int, seed: int, security: Security = "semi-honest"
) -> list[int]:
    """`count` noises made inside the MPC, their products checked where security is malicious."""
    return drawn_in(simulated_network(seed, security=security), noise, count)


def drawn_in(network: HelperPartyNetwork, noise: DigitwiseLaplace, count: int) -> list[int]:
    shared = laplace_noise(network, count, signed_width(0, noise.largest), noise)
    check_products(network)
    return opened(shared)


def network_with_keys(keys: Sequence[bytes], name: str) -> HelperPartyNetwork:
    """A simulation with pairwise keys k_1, k_2, k_3."""
    pairs = {1: (keys[0], keys[1]), 2: (keys[1], keys[2]), 3: (keys[2], keys[0])}
    channels = in_memory_channels()
    again = {h: [ReproducibleKey(key) for key in pair] for h, pair in pairs.items()}
    parties = [HelperParty(h, Prss(*again[h]), channels[h]) for h in HELPERS]
    return HelperPartyNetwork(name, parties)


def words_behind(
    seed: int, noise: DigitwiseLaplace, count: int, step: str = "words"
) -> list[list[int]]:
    """The words that each noise of a simulation is made of, put together from all three keys."""
    rows = 2 * noise.digits * count
    keys = pairwise_keys(seed)
    shares = [
        Prss(*keys[helper])
        .for_session(f"simulation-{seed}")
        .random_columns(step, noise.precision, rows)[0]
        for helper in HELPERS
    ]
    table = rows_from_columns([a ^ b ^ c for a, b, c in zip(*shares, strict=True)], rows)
    return [table[number::count] for number in range(count)]


def expected_noise(
    seed: int,
    noise: DigitwiseLaplace | PerHelperLaplace | None,
    count: int,
    path: str = "query/noise",
) -> list[int]:
    """The oracle: the noise of each sum, in the clear, from the same bits."""
    if noise is None:
        return [0] * count
    if isinstance(noise, DigitwiseLaplace):
        words = words_behind(seed, noise, count, f"{path}/words")
        return [noise_from_words(of_one, noise) for of_one in words]
    own = [own_noise(seed, helper, noise, count) for helper in HELPERS]
    return [sum(of_one) for of_one in zip(*own, strict=True)]


def own_noise(seed: int, helper: int, noise: PerHelperLaplace, count: int) -> list[int]:
    """What one helper of a simulation adds to each sum."""
    draw_below = own_randomness(helper, seed).random_below
    return [noise.sample(draw_below) for _ in range(count)]


def probabilities(noise: DigitwiseLaplace) -> dict[int, Fraction]:
    values = range(-noise.largest, noise.largest + 1)
    return {
        x: Fraction(mass, noise.denominator) for x, mass in zip(values, noise.masses, strict=True)
    }


def in_threads(
    seed: int, security: Security, run: Callable[[HelperPartyNetwork], SharedBits]
) -> dict[int, ColumnPair]:
    """What each helper holds of the result when it runs in a thread of its own."""
    channels, keys = in_memory_channels(TIMEOUT), pairwise_keys(seed)

    def run_one(helper: int) -> ColumnPair:
        party = HelperParty(
            helper, Prss(*keys[helper]), channels[helper], own_randomness(helper, seed)
        )
        network = HelperPartyNetwork(f"simulation-{seed}", [party], security=security)
        result = run(network)
        check_products(network)
        assert channels[helper].is_drained()
        return result.shares_of(helper)

    with ThreadPoolExecutor(3) as pool:
        running = {helper: pool.submit(run_one, helper) for helper in HELPERS}
        return {helper: future.result() for helper, future in running.items()}


Indicator = Callable[[int], bool]


def indicators(noise: DigitwiseLaplace) -> dict[str, Indicator]:
    """Yes or no questions about one noise: its sign, its lowest digits, its size."""
    middle = noise.standard_deviation / 2
    return {
        "positive": lambda x: x > 0,
        "odd": lambda x: x % 2 == 1,
        "second digit": lambda x: x % 4 >= 2,
        "small": lambda x: abs(x) <= middle,
    }


def probability_of(indicator: Indicator, noise: DigitwiseLaplace) -> Fraction:
    return sum((p for x, p in probabilities(noise).items() if indicator(x)), Fraction(0))


def alarm(
    both: int, first: int, second: int, count: int, p: Fraction, q: Fraction, false_alarm: float
) -> bool:
    """Whether two indicators of probabilities p and q are found dependent.

    `both` counts the draws where both hold, `first` and `second` those where each does.
    """
    total = both - q * first - p * second + count * p * q
    one = float(max(p, 1 - p) * max(q, 1 - q))
    return abs(total) >= one * sqrt(2 * count * log(2 / false_alarm))


def dependent(
    xs: Sequence[int], ys: Sequence[int], noise: DigitwiseLaplace
) -> list[tuple[str, str]]:
    """The pairs of questions whose answers for x and for y are not independent."""
    asked: Mapping[str, Indicator] = indicators(noise)
    chances = {name: probability_of(question, noise) for name, question in asked.items()}
    answers = [
        {name: [question(x) for x in of] for name, question in asked.items()} for of in (xs, ys)
    ]
    found = []
    for one, a in answers[0].items():
        for other, b in answers[1].items():
            both = sum(x and y for x, y in zip(a, b, strict=True))
            counts = (both, sum(a), sum(b), len(a))
            if alarm(*counts, chances[one], chances[other], FALSE_ALARM):
                found.append((one, other))
    return found
