"""The exact distribution of the noise made inside the MPC, and what was drawn beside it."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from ipa.display.drawing import box, dot, line, words
from ipa.display.markup import Markup
from ipa.display.numbers import decimal
from ipa.display.picture import Picture
from ipa.display.style import BLUE, ORANGE
from ipa.noise.digitwise_laplace import DigitwiseLaplace

_MOST_BARS = 81
_LEFT, _TOP, _WIDTH, _HEIGHT = 50, 20, 640, 220


def picture_of_noise(noise: DigitwiseLaplace, draws: Sequence[int] = ()) -> Picture:
    """A bar for the probability of each value of the noise, or of some neighbouring ones together.

    Computed from `noise.masses`, exact integers. `draws`, such as the sums of a query without events,
    are shown as dots: how many of them fell where the bar is.

    Raises: ParameterError for noise whose distribution is too large to be written down.
    """
    reach = min(noise.largest, 2 * noise.interval_95)
    together = -(-(2 * reach + 1) // _MOST_BARS) | 1  # odd, so that the bars lie around 0
    bars = range(-(reach // together), reach // together + 1)
    masses = dict(zip(range(-noise.largest, noise.largest + 1), noise.masses, strict=True))
    heights = [_probability(noise, masses, bar, together) for bar in bars]
    drawn = Counter((draw + together // 2) // together for draw in draws)
    counted = [drawn[bar] / len(draws) if draws else 0.0 for bar in bars]
    parts = _axes(max(heights + counted), bars, together)
    parts += _bars(heights, counted if draws else [], max(heights + counted))
    parts += _interval(noise.interval_95, bars, together)
    width = "" if together == 1 else f" A bar is {together} values together."
    dots = f" Dots: {len(draws):,} draws." if draws else ""
    says = (
        f"epsilon {decimal(noise.epsilon)}, sensitivity {noise.sensitivity:,}: bars are exact "
        f"probabilities; between the dashed lines it is 95 % of the time.{width}{dots}"
    )
    size = (_LEFT + _WIDTH + 20, _TOP + _HEIGHT + 40)
    return Picture("The noise in a sum", size, *parts, says=says)


def _probability(noise: DigitwiseLaplace, masses: dict[int, int], bar: int, together: int) -> float:
    first = bar * together - together // 2
    mass = sum(masses.get(value, 0) for value in range(first, first + together))
    return float(Fraction(mass, noise.denominator))


def _bars(heights: Sequence[float], counted: Sequence[float], most: float) -> list[Markup]:
    step, scale = _WIDTH / len(heights), _HEIGHT / most
    parts = [
        box(
            _LEFT + place * step + step * 0.1,
            _TOP + _HEIGHT - height * scale,
            step * 0.8,
            height * scale,
            fill=BLUE,
            border=None,
        )
        for place, height in enumerate(heights)
    ]
    parts += [
        dot(_LEFT + (place + 0.5) * step, _TOP + _HEIGHT - share * scale, 3, ORANGE)
        for place, share in enumerate(counted)
    ]
    return parts


def _axes(most: float, bars: range, together: int) -> list[Markup]:
    bottom = _TOP + _HEIGHT
    parts = [line((_LEFT, bottom), (_LEFT + _WIDTH, bottom), opacity=0.6)]
    for part in (0.0, 0.5, 1.0):
        y = bottom - part * _HEIGHT
        parts.append(words(_LEFT - 6, y + 4, f"{most * part:.2g}", anchor="end", size=11))
        parts.append(line((_LEFT, y), (_LEFT + _WIDTH, y), opacity=0.15))
    for part in (-1.0, -0.5, 0.0, 0.5, 1.0):
        bar = round(part * bars[-1])
        parts.append(words(_middle(bar, bars), bottom + 18, f"{bar * together:,}", size=11))
    return parts


def _interval(distance: int, bars: range, together: int) -> list[Markup]:
    """Dashed lines at the ends of the interval in which the noise is 95 % of the time."""
    ends = (_middle(sign * (distance + 0.5) / together, bars) for sign in (-1, 1))
    return [line((x, _TOP), (x, _TOP + _HEIGHT), opacity=0.8, dashed=True) for x in ends]


def _middle(bar: float, bars: range) -> float:
    return _LEFT + (bar - bars[0] + 0.5) * _WIDTH / len(bars)
