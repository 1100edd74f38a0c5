"""Noise: what it looks like, and what one helper party knows of it, under each mechanism.

Run it with `python examples/noise.py`; `--help` lists the options. A query of many breakdown keys and
no events releases nothing but noise, so its result can be laid beside the exact distribution.
"""

import argparse
import sys
from collections import Counter
from fractions import Fraction
from math import sqrt

from ipa import QueryParameters, run_query, simulated_network
from ipa.commands.options import exact_number
from ipa.errors import ParameterError
from ipa.network.simulation import RunOptions, own_randomness
from ipa.noise.accounting import guarantee
from ipa.noise.choice import noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.divergence import composed_delta
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.parties import HELPERS
from ipa.protocols.noise import laplace_noise
from ipa.sharing.bits import rows_from_columns
from ipa.sharing.dealing import reconstruct_for_testing

BARS = 40
"""The length of the longest bar."""

LINES = 21
"""The most lines of a histogram."""


def main() -> int:
    """Show both mechanisms for the cap and the epsilon of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--cap", type=int, default=3, help="what a person adds at most (default: %(default)s)"
    )
    parser.add_argument("--epsilon", type=exact_number, default=Fraction(1), help="such as 1/2")
    parser.add_argument(
        "--draws", type=int, default=4000, help="how many breakdown keys (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of the simulation (default: %(default)s)"
    )
    options = parser.parse_args()
    try:
        parameters = QueryParameters(
            breakdowns=options.draws,
            cap=options.cap,
            epsilon=options.epsilon,
            security="semi-honest",
            match_key_bits=1,
        )
        show_noise_inside_the_mpc(parameters, options.seed)
        show_noise_per_helper(parameters, options.seed)
    except ParameterError as error:
        print(f"noise.py: {error}", file=sys.stderr)
        return 2
    return 0


def show_noise_inside_the_mpc(parameters: QueryParameters, seed: int) -> None:
    """The promise, the histogram of a query, and what a helper holds of one noise."""
    noise = noise_for(parameters)
    assert isinstance(noise, DigitwiseLaplace)
    promise = guarantee(noise, parameters.breakdowns)
    print(f"1. Noise made inside the MPC: {noise.digits} digits of {noise.precision} random bits.")
    print(f"   delta: asked for {float(parameters.delta):.2g}, proven {float(promise.delta):.2g},")
    try:
        exact = float(composed_delta(noise, parameters.breakdowns))
        print(f"   from the exact distribution at most {exact:.2g}")
    except ParameterError:
        print("   and the exact distribution is too large to add up")
    sums = run_query([], parameters, options=RunOptions(seed=seed)).sums
    show_histogram(sums, noise)
    show_view(noise, seed)


def show_histogram(draws: list[int], noise: DigitwiseLaplace) -> None:
    """Bars of what was drawn; beside them how many draws were to be expected, and how many came."""
    reach = min(noise.largest, 2 * noise.interval_95)
    width = -(-(2 * reach + 1) // LINES) | 1  # odd, so that bars lie symmetrically around 0
    half = -(-(reach - width // 2) // width)
    counts = Counter((x + width // 2) // width for x in draws)
    masses = dict(zip(range(-noise.largest, noise.largest + 1), noise.masses, strict=True))
    longest = max(counts.values())
    print(f"   {'noise':>12} {'expected':>9} {'drawn':>6}")
    for bar in range(-half, half + 1):
        low = bar * width - width // 2
        mass = sum(masses.get(x, 0) for x in range(low, low + width))
        expected = float(len(draws) * Fraction(mass, noise.denominator))
        name = f"{low}" if width == 1 else f"{low} to {low + width - 1}"
        bars = "#" * (counts[bar] * BARS // longest)
        print(f"   {name:>12} {expected:>9.1f} {counts[bar]:>6} {bars}".rstrip())
    print()


def show_view(noise: DigitwiseLaplace, seed: int) -> None:
    """What each helper holds of the noise of one sum, and what nobody sees."""
    network = simulated_network(seed)
    width = noise.digits + 1
    shared = laplace_noise(network, 1, width, noise)
    print("   What one helper knows of the noise of one sum: two shares, random bits.")
    for helper in HELPERS:
        own, right = (rows_from_columns(share, 1)[0] for share in shared.shares_of(helper))
        print(f"     H{helper} holds {own:0{width}b} and {right:0{width}b}")
    (row,) = reconstruct_for_testing(shared)
    value = row - (1 << width) if row >> (width - 1) else row
    print(f"     put together, as nobody can: {row:0{width}b}, the noise {value}")
    print()


def show_noise_per_helper(parameters: QueryParameters, seed: int) -> None:
    """What each helper added to the first sums, and what is left when it takes that away."""
    per_helper = QueryParameters(
        breakdowns=parameters.breakdowns,
        cap=parameters.cap,
        epsilon=parameters.epsilon,
        mechanism="laplace-per-helper",
        security="semi-honest",
        match_key_bits=1,
    )
    noise = noise_for(per_helper)
    assert isinstance(noise, PerHelperLaplace)
    sums = run_query([], per_helper, options=RunOptions(seed=seed)).sums
    print("2. Noise that each helper samples by itself: delta 0, three times the variance.")
    print("   The first five sums, without events, are", *sums[:5])
    for helper in HELPERS:
        draw = own_randomness(helper, seed).random_below
        own = [noise.sample(draw) for _ in sums]
        left = [a - b for a, b in zip(sums, own, strict=True)]
        print(f"     H{helper} knows that it added", *own[:5])
        print("        and without that there remain", *left[:5])
        print(
            f"        standard deviation: {deviation(sums):.2f} before, {deviation(left):.2f} after"
        )
    print(
        "   What two helpers added keeps the promise by itself. Two that collude can read everything."
    )


def deviation(values: list[int]) -> float:
    """The root of the mean square: the noise has mean 0."""
    return sqrt(sum(x * x for x in values) / len(values))


if __name__ == "__main__":
    sys.exit(main())
