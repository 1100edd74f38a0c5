"""From the number of active registers of a Liquid Legions sketch to the number of persons.

A register with probability p is active with probability 1 - e^(-n p) when n persons are in the
sketch. Over all registers, whose probabilities fall exponentially, this sums to a difference of two
exponential integrals. Floating point serves: nothing here carries a promise of privacy.
"""

from math import exp, fsum, log, sqrt

from ipa.errors import ParameterError
from ipa.halo.sketch import SketchParameters

_EULER = 0.57721566490153286
_LARGEST = 1e300


def expected_active(persons: float, parameters: SketchParameters) -> float:
    """How many registers `persons` persons activate, in expectation."""
    return parameters.size - _empty(persons, parameters) if persons else 0.0


def estimate(active: float, parameters: SketchParameters) -> float:
    """The number of persons who in expectation activate `active` registers: the exact inversion.

    Raises: ParameterError unless 0 <= active and fewer than all registers are active.
    """
    _check(active, parameters)
    low, high = 0.0, 1.0
    while expected_active(high, parameters) < active:
        low, high = high, 2 * high
        if high > _LARGEST:
            raise ParameterError("so many registers are active that the reach is boundless")
    for _ in range(100):
        middle = (low + high) / 2
        if expected_active(middle, parameters) < active:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def estimate_upstream(active: int, parameters: SketchParameters, width: float = 1) -> int:
    """What upstream's estimator gives, which its published vectors rest on; biased upwards.

    It truncates the expectation to an integer and searches for an integer, each step past the
    middle: 7 active registers give 8, 30 give 32, and none gives 1. The result is divided by the
    sampling width and truncated.

    Raises: ParameterError like `estimate`.
    """
    _check(active, parameters)
    low, high = 0, 1
    while int(expected_active(high, parameters)) < active:
        low, high = high, 2 * high
        if high > _LARGEST:
            raise ParameterError("so many registers are active that the reach is boundless")
    middle = (low + high) // 2
    while low < high:
        if int(expected_active(middle, parameters)) > active:
            high = middle - 1
        else:
            low = middle + 1
        middle = (low + high) // 2
    return int(middle / width)


def estimator_deviation(persons: float, parameters: SketchParameters) -> float:
    """The standard deviation of `estimate` over random hashes, relative to the number of persons.

    The variance of the number of active registers when n persons each fall into one, sum of
    e^(-np)(1 - e^(-np)) - n (sum of p e^(-np))^2, over the square of the expectation's slope.
    """
    highest, lowest = _probabilities(parameters)
    slope = parameters.size / parameters.decay
    slope *= (exp(-persons * lowest) - exp(-persons * highest)) / persons
    both_empty = _empty(2 * persons, parameters)
    variance = _empty(persons, parameters) - both_empty - persons * slope**2
    return sqrt(max(0.0, variance)) / (slope * persons)


def exponential_integral(x: float) -> float:
    """E1(x): the integral of e^-t / t from x > 0 to infinity, by series or continued fraction."""
    if x > 700:
        return 0.0
    if x <= 1:
        term, terms = 1.0, []
        for k in range(1, 25):
            term *= -x / k
            terms.append(-term / k)
        return fsum([-_EULER, -log(x), *terms])
    fraction = 0.0
    for k in range(200 if x < 3 else 100, 0, -1):
        fraction = k / (1 + k / (x + fraction))
    return exp(-x) / (x + fraction)


def _empty(persons: float, parameters: SketchParameters) -> float:
    """How many registers stay empty, in expectation: the sum of e^(-np) over all of them."""
    highest, lowest = _probabilities(parameters)
    between = exponential_integral(persons * lowest) - exponential_integral(persons * highest)
    return parameters.size / parameters.decay * between


def _probabilities(parameters: SketchParameters) -> tuple[float, float]:
    """The probabilities of the first and of the last register."""
    highest = parameters.decay / (parameters.size * (1 - exp(-parameters.decay)))
    return highest, highest * exp(-parameters.decay)


def _check(active: float, parameters: SketchParameters) -> None:
    if not 0 <= active < parameters.size:
        raise ParameterError(
            f"from 0 to {parameters.size - 1} of {parameters.size} registers can be active for an "
            f"estimate, not {active}: take more registers"
        )
