"""What the noise promises: epsilon and delta, against outsiders and one corrupted helper.

Neighbours. How many reports a query has is public, so a person cannot leave without a trace.
Two inputs are neighbours in one of two senses:

- removal: one person's reports become reports of nobody, each with a match key of its own that
  matches nothing. The person gave at most `cap` to all sums together, and now gives nothing: the
  sums move by at most cap, added up over all breakdowns (L1 distance). Sensitivity cap.
- replacement: one person's reports become those of another person. The first one's contribution is
  taken away and the other one's added. Sensitivity 2 cap.

A mechanism made for removal with epsilon keeps the promise for replacement with 2 epsilon: see
`guarantee` at distance 2 cap.

A corrupted helper. Inside the MPC no helper knows any part of the noise, so a helper sees what an
outsider sees, the noisy sums, and the promise is the same. With noise per helper the promise holds
without the noise of any one helper: see `ipa.noise.per_helper_laplace`. Two corrupted helpers see
everything.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ipa.errors import ParameterError
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.exponential import exp_bounds
from ipa.noise.limits import MAX_CAP, MAX_SENSITIVITY
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.parameters import MAX_BREAKDOWNS
from ipa.ranges import check_integer

Neighbours = Literal["removal", "replacement"]

_BITS = 64


@dataclass(frozen=True, kw_only=True)
class Guarantee:
    """(epsilon, delta)-differential privacy.

    For neighbouring inputs and every set S of results, P(result in S) <= e^epsilon P'(result in S) +
    delta.
    """

    epsilon: Fraction
    delta: Fraction


def sensitivity(cap: int, neighbours: Neighbours = "removal") -> int:
    """By how much all sums together differ between neighbours: cap, or 2 cap for a replacement.

    Raises: ParameterError for a cap out of range or an unknown kind of neighbours.
    """
    check_integer("cap", cap, 1, MAX_CAP)
    if neighbours not in ("removal", "replacement"):
        raise ParameterError(f"neighbours must be removal or replacement, not {neighbours!r}")
    return cap if neighbours == "removal" else 2 * cap


def spread(breakdowns: int, distance: int) -> int:
    """How many sums can differ between inputs at the given distance: min(breakdowns, distance).

    Sums are whole numbers, so each that differs takes at least 1 of the distance.
    """
    check_integer("breakdowns", breakdowns, 1, MAX_BREAKDOWNS)
    return min(breakdowns, distance)


def growth_bound(epsilon: Fraction) -> Fraction:
    """At least e^epsilon, and at most 2^-64 above it."""
    _, high = exp_bounds(epsilon, _BITS)
    return high


def delta_bound(noise: DigitwiseLaplace, breakdowns: int, distance: int | None = None) -> Fraction:
    """A proven delta for all breakdowns together, at any size: (1 + e^epsilon) m TV.

    TV is `noise.total_variation_bound`, m the number of sums in which the two inputs can differ, and
    epsilon is `guarantee`'s. The other sums have the same distribution for both and drop out.

    Proof. Let P and P' be the probabilities of a set of results on the two inputs, and R and R' those
    with ideal discrete Laplace noise, which gives R <= e^epsilon R'. The m noises are independent, so
    |P - R| <= m TV and |P' - R'| <= m TV. Hence P <= R + m TV <= e^epsilon R' + m TV
    <= e^epsilon (P' + m TV) + m TV.

    `distance` is the L1 distance of the inputs' sums, by default the sensitivity.

    Raises: ParameterError where breakdowns or distance are out of range.
    """
    distance = _checked_distance(noise, distance)
    differing = spread(breakdowns, distance)
    return (1 + growth_bound(noise.rate * distance)) * differing * noise.total_variation_bound


def guarantee(
    noise: DigitwiseLaplace | PerHelperLaplace, breakdowns: int, distance: int | None = None
) -> Guarantee:
    """What the mechanism promises for inputs whose sums differ by `distance` in all.

    Epsilon is epsilon distance / sensitivity. Delta is `delta_bound` for noise made inside the MPC,
    and 0 for noise per helper. By default the distance is the sensitivity, and epsilon the mechanism's
    own. The promise holds against outsiders and against one corrupted helper.

    Raises: ParameterError where breakdowns or distance are out of range.
    """
    distance = _checked_distance(noise, distance)
    epsilon = noise.rate * distance
    if isinstance(noise, PerHelperLaplace):
        spread(breakdowns, distance)  # for its check of the range
        return Guarantee(epsilon=epsilon, delta=Fraction(0))
    return Guarantee(epsilon=epsilon, delta=delta_bound(noise, breakdowns, distance))


def _checked_distance(noise: DigitwiseLaplace | PerHelperLaplace, distance: int | None) -> int:
    if distance is None:
        return noise.sensitivity
    check_integer("distance", distance, 1, MAX_SENSITIVITY)
    return distance
