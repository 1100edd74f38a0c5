"""A bar per number, with the interval around it: small pictures in the cells of a table."""

from collections.abc import Sequence

from ipa.display.markup import Markup, element
from ipa.display.style import BLUE, ORANGE

WIDTH, HEIGHT = 220, 15


def bars(
    numbers: Sequence[float], reach: float = 0, marked: int | None = None, most: float = 0
) -> list[Markup]:
    """A bar for each number, all to one scale, with a line from number - reach to number + reach.

    Bars below 0 go to the left of the axis. The bar at place `marked` has another colour. The scale
    goes to the largest number, and to `most` at least.
    """
    low = min([0.0, *(number - reach for number in numbers)])
    high = max([most, *(number + reach for number in numbers)])
    scale = (WIDTH - 4) / ((high - low) or 1)

    def place(number: float) -> float:
        """Where the number is on the scale."""
        return round(2 + (number - low) * scale, 1)

    def one(number: float, colour: str) -> Markup:
        """One bar, with the axis and the interval."""
        left, right = sorted((place(0), place(number)))
        middle = HEIGHT / 2
        parts = [
            element("rect", x=left, y=3, width=round(right - left, 1), height=9, fill=colour),
            _line(place(0), 0, place(0), HEIGHT, 0.5),
        ]
        if reach:
            ends = place(number - reach), place(number + reach)
            parts.append(_line(ends[0], middle, ends[1], middle, 1))
            parts += [_line(end, middle - 3, end, middle + 3, 1) for end in ends]
        # Some notebooks set the height of every picture to what they think fits.
        fixed = f"width:{WIDTH}px;height:{HEIGHT}px"
        return element("svg", *parts, width=WIDTH, height=HEIGHT, style=fixed, role="img")

    return [one(number, ORANGE if row == marked else BLUE) for row, number in enumerate(numbers)]


def _line(x1: float, y1: float, x2: float, y2: float, opacity: float) -> Markup:
    return element(
        "line", x1=x1, y1=y1, x2=x2, y2=y2, stroke="currentColor", stroke_opacity=opacity
    )
