"""Digits and precision of the noise for a promise: chosen here, or checked where the caller chose."""

from fractions import Fraction
from math import ceil

from ipa.errors import ParameterError
from ipa.noise.accounting import Neighbours, growth_bound, sensitivity, spread
from ipa.noise.digitwise_laplace import DigitwiseLaplace, truncation_bound
from ipa.noise.limits import MAX_DIGITS, MAX_PRECISION
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.parameters import DEFAULT_DELTA, MAX_EPSILON, MIN_DELTA, MIN_EPSILON, QueryParameters
from ipa.ranges import check_integer, exact_fraction


def noise_for(parameters: QueryParameters) -> DigitwiseLaplace | PerHelperLaplace | None:
    """The noise of each sum of a query; None for a query without epsilon.

    Raises: ParameterError where no noise keeps the promise that the parameters make.
    """
    if parameters.epsilon is None:
        return None
    epsilon = Fraction(parameters.epsilon)
    if parameters.mechanism == "laplace-per-helper":
        return PerHelperLaplace(epsilon=epsilon, sensitivity=parameters.sensitivity)
    return choose_parameters(
        epsilon,
        parameters.cap,
        parameters.breakdowns,
        parameters.delta,
        neighbours="replacement" if parameters.match_keys_can_collide else "removal",
    )


def choose_parameters(
    epsilon: Fraction,
    cap: int,
    breakdowns: int,
    delta: Fraction = DEFAULT_DELTA,
    *,
    neighbours: Neighbours = "removal",
    digits: int | None = None,
    precision: int | None = None,
) -> DigitwiseLaplace:
    """The cheapest noise that is proven to be (epsilon, delta)-differentially private.

    Cheapest means the fewest random bits, digits * precision, to which the gates are proportional; of
    equals, the fewest digits. A caller may fix digits, precision or both. What is proven is
    `ipa.noise.accounting.delta_bound`, which every party computes alike from public numbers, at any
    size.

    Raises: ParameterError where a value is out of range, or where no noise with the digits and precision
    that the caller fixed keeps the promise.
    """
    epsilon = exact_fraction("epsilon", epsilon, MIN_EPSILON, MAX_EPSILON)
    delta = exact_fraction("delta", delta, MIN_DELTA, 1)
    if digits is not None:
        check_integer("digits", digits, 1, MAX_DIGITS)
    if precision is not None:
        check_integer("precision", precision, 1, MAX_PRECISION)
    reach = sensitivity(cap, neighbours)
    # What the total variation distance of the noise on one sum may be: delta_bound, solved for TV.
    allowed = delta / ((1 + growth_bound(epsilon)) * spread(breakdowns, reach))
    most = MAX_PRECISION if precision is None else precision
    pairs = [
        (count, least if precision is None else precision)
        for count in (range(1, MAX_DIGITS + 1) if digits is None else (digits,))
        if (least := _least_precision(epsilon / reach, count, allowed)) <= most
    ]
    if not pairs:
        enough = choose_parameters(epsilon, cap, breakdowns, delta, neighbours=neighbours)
        raise ParameterError(_refusal(digits, precision, delta, enough))
    count, bits = min(pairs, key=lambda pair: (pair[0] * pair[1], pair[0]))
    return DigitwiseLaplace(epsilon=epsilon, sensitivity=reach, digits=count, precision=bits)


def _refusal(
    digits: int | None, precision: int | None, delta: Fraction, enough: DigitwiseLaplace
) -> str:
    fixed = (("digits", digits), ("precision", precision))
    named = " and ".join(f"{name} {value}" for name, value in fixed if value is not None)
    return (
        f"noise with {named} is not proven to keep delta {float(delta):.3g}; "
        f"with digits {enough.digits} and precision {enough.precision} it is"
    )


def _least_precision(rate: Fraction, digits: int, allowed: Fraction) -> int:
    """The least precision with digits 2^-precision + truncation <= allowed; if none, out of range."""
    room = allowed - truncation_bound(rate, digits)
    if room <= 0:
        return MAX_PRECISION + 1
    return max(1, (ceil(digits / room) - 1).bit_length())
