"""CoinPress: how much a person contributes on average, estimated privately in two queries.

Run it with `python examples/coinpress.py`; `--help` lists the options. It repeats the step for a mean
in one dimension of Biswas, Dong, Kamath and Ullman, CoinPress (NeurIPS 2020, arXiv 2006.06618). An
interval is known to hold the mean. The data are clipped to it, widened by the tail of the data; noise
in proportion to that width is added to their mean; what comes out lies in a narrower interval.

Here a step is a moments query. The first has a cap that is generous, so it is noisy, but tells roughly
how much people contribute. The second has a cap that follows from this, and far less noise.

It differs from the paper. The cap clips from above alone, so noise is in proportion to the cap, not to
the width of the interval, and a further step would gain little. The noise is discrete Laplace, not
Gaussian, and epsilon is split equally over the two queries: basic composition, not zero-concentrated
differential privacy. The number of people is not known, so each query releases it with noise, and the
squares of the totals as well, which this estimate does not use: a third of its epsilon goes to each of
the three. The mean is that of the very people who took part, not of a distribution that they are drawn
from. The deviation of the data is known, as in the paper.

The seed makes the run repeatable, and the noise predictable: where people are to be protected there
must be none.
"""

import argparse
import random
import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, hypot, log, sqrt

from ipa import QueryParameters
from ipa.commands.options import exact_number
from ipa.errors import ParameterError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.moments import MomentsResult, run_moments_query, statistics
from ipa.network.simulation import RunOptions
from ipa.oracle import moments_in_steps
from ipa.ranges import check_integer
from ipa.result import NoiseInResult, noise_in

TRIGGERS = 2
"""How many triggers each person has."""

LARGEST_VALUE = 40
"""The value of a trigger is uniform from 1 to this."""

DEVIATION = sqrt(TRIGGERS * (LARGEST_VALUE**2 - 1) / 12)
"""The standard deviation of a person's total. Tails of sums of uniform values are below Gaussian ones."""

FAILURE = 0.05
"""The probability that the tail of the data is allowed to be longer than assumed."""


@dataclass(frozen=True)
class Estimate:
    """What a query tells of the mean: its value, its standard error, and an interval that holds it.

    The interval holds the mean, of totals up to the cap, with a probability of at least 90 %: the
    total and the number of people are each within the interval of their noise with 95 %. There are at
    most `most_people`, if so.
    """

    cap: int
    people: int
    most_people: int
    mean: float
    error: float
    low: float
    high: float


def main() -> int:
    """Ask both queries, and say whether the second tells the mean better."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--people", type=int, default=600, help="how many there are (default: %(default)s)"
    )
    parser.add_argument(
        "--cap", type=int, default=1000, help="of the first query (default: %(default)s)"
    )
    parser.add_argument(
        "--epsilon", type=exact_number, default=Fraction(1), help="of both queries (default: 1)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of people and noise (default: %(default)s)"
    )
    options = parser.parse_args()
    try:
        generous = QueryParameters(
            breakdowns=1,
            cap=options.cap,
            epsilon=options.epsilon / 2,
            match_key_bits=32,
            value_bits=LARGEST_VALUE.bit_length(),
        )
        return 0 if show_estimates(options.people, generous, options.seed) else 1
    except ParameterError as error:
        print(f"coinpress.py: {error}", file=sys.stderr)
        return 2


def show_estimates(people: int, generous: QueryParameters, seed: int) -> bool:
    """Print both estimates beside the exact mean; true if the second is right and the nearer one.

    By its own error bars: its interval holds the exact mean, and its standard error is the smaller.
    """
    check_integer("people", people, 1)
    check_integer("seed", seed, 0)
    events = events_of(people, seed)
    # Two queries with one seed would have the same noise, which a reader of both could subtract.
    first = estimate(events, generous, 2 * seed)
    narrow = replace(generous, cap=next_cap(first))
    second = estimate(events, narrow, 2 * seed + 1)
    exact = exact_mean(events, generous)
    print(f"{people} people, {len(events)} reports, epsilon {generous.epsilon} for each query")
    print(f"{'':>8} {'cap':>6} {'people':>7} {'mean':>8} {'standard error':>15} {'interval':>18}")
    for name, found in (("first", first), ("second", second)):
        interval = f"{found.low:.2f} to {found.high:.2f}"
        print(f"{name:>8} {found.cap:>6} {found.people:>7} {found.mean:>8.2f} ", end="")
        print(f"{found.error:>15.2f} {interval:>18}")
    print(f"{'exact':>8} {'':>6} {people:>7} {exact:>8.2f}")
    right = second.low <= exact <= second.high and second.error < first.error
    print(f"the second query tells the mean better: {right}")
    return right


def events_of(people: int, seed: int) -> list[Event]:
    """An impression and some purchases of each person, all in one breakdown key."""
    rng = random.Random(seed)
    events: list[Event] = []
    for person in range(people):
        events.append(SourceEvent(person, 1, 0, 0))
        for time in range(1, TRIGGERS + 1):
            value = 1 + int(rng.random() * LARGEST_VALUE)
            events.append(TriggerEvent(person, 1, time, value))
    return events


def estimate(events: list[Event], parameters: QueryParameters, seed: int) -> Estimate:
    """What a moments query tells of the mean, and how well.

    Raises: ParameterError where the noise leaves open whether there are any people.
    """
    result = run_moments_query(events, parameters, options=RunOptions(seed=seed))
    people, total = result.people[0], result.totals[0]
    of_people, of_total = noises(result)
    mean = result.mean(0)
    if mean is None or people <= of_people.interval_95:
        raise ParameterError(
            "the noise hides how many people there are: take more of them, or more epsilon"
        )
    error = hypot(of_total.standard_deviation, mean * of_people.standard_deviation) / people
    least_people, most_people = people - of_people.interval_95, people + of_people.interval_95
    return Estimate(
        parameters.cap,
        people,
        most_people,
        mean,
        error,
        max(0, total - of_total.interval_95) / most_people,
        max(0, total + of_total.interval_95) / least_people,
    )


def noises(result: MomentsResult) -> tuple[NoiseInResult, NoiseInResult]:
    """The noise in the number of people, and that in their total."""
    asked = statistics(result.parameters, covariance=False)
    of_people, of_total = noise_in(asked["people"]), noise_in(asked["totals"])
    assert of_people and of_total
    return of_people, of_total


def next_cap(first: Estimate) -> int:
    """The upper end of the interval, and the tail that no total of so many people is likely to pass.

    It is made of what the first query released alone, so it reveals nothing further.

    The paper's bound for the largest of n Gaussian deviations, with failure probability beta, is
    sqrt(2 log(2 n / beta)) standard deviations.
    """
    tail = DEVIATION * sqrt(2 * log(2 * first.most_people / FAILURE))
    return max(1, min(first.cap, ceil(first.high + tail)))


def exact_mean(events: list[Event], parameters: QueryParameters) -> float:
    """The mean total of a person without cap or noise, which only the oracle sees."""
    uncapped = replace(parameters, cap=TRIGGERS * LARGEST_VALUE)
    moments = moments_in_steps(events, uncapped)
    return moments["totals"][0] / moments["people"][0]


if __name__ == "__main__":
    sys.exit(main())
