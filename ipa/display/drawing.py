"""Shapes that pictures are drawn with.

Lines and words have the colour of the text unless they say otherwise.
"""

from math import hypot

from ipa.display.markup import Markup, element, joined

TEXT = 12
"""Size of words, in pixels."""

_MONOSPACE = "ui-monospace,monospace"


def words(
    x: float,
    y: float,
    *said: object,
    anchor: str = "middle",
    size: float = TEXT,
    bold: bool = False,
    code: bool = False,
    faint: bool = False,
) -> Markup:
    """Words that begin, are centred or end at (x, y): `anchor` is start, middle or end."""
    return element(
        "text",
        *said,
        x=_short(x),
        y=_short(y),
        text_anchor=anchor,
        font_size=size,
        font_weight=600 if bold else None,
        font_family=_MONOSPACE if code else None,
        fill="currentColor",
        fill_opacity=0.7 if faint else None,
    )


def line(
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    colour: str = "currentColor",
    width: float = 1,
    opacity: float | None = None,
    dashed: bool = False,
) -> Markup:
    """A straight line."""
    return element(
        "line",
        x1=_short(start[0]),
        y1=_short(start[1]),
        x2=_short(end[0]),
        y2=_short(end[1]),
        stroke=colour,
        stroke_width=width,
        stroke_opacity=opacity,
        stroke_dasharray="4 3" if dashed else None,
    )


def arrow(
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    colour: str = "currentColor",
    width: float = 1,
    opacity: float | None = None,
) -> Markup:
    """A straight line with a head at its end."""
    x, y = end[0] - start[0], end[1] - start[1]
    length = hypot(x, y) or 1
    along, across = (x / length, y / length), (-y / length, x / length)
    size = 4 + 1.5 * width
    back = end[0] - size * along[0], end[1] - size * along[1]
    corners = [
        end,
        (back[0] + size * across[0] / 2, back[1] + size * across[1] / 2),
        (back[0] - size * across[0] / 2, back[1] - size * across[1] / 2),
    ]
    points = " ".join(f"{_short(a)},{_short(b)}" for a, b in corners)
    head = element("polygon", points=points, fill=colour, fill_opacity=opacity)
    return joined(line(start, back, colour=colour, width=width, opacity=opacity), head)


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: str = "none",
    border: str | None = "currentColor",
    opacity: float | None = None,
    rounded: float = 0,
) -> Markup:
    """A rectangle whose upper left corner is at (x, y)."""
    return element(
        "rect",
        x=_short(x),
        y=_short(y),
        width=_short(width),
        height=_short(height),
        rx=rounded or None,
        fill=fill,
        fill_opacity=opacity,
        stroke=border,
    )


def dot(x: float, y: float, radius: float, colour: str) -> Markup:
    """A filled circle."""
    return element("circle", cx=_short(x), cy=_short(y), r=radius, fill=colour)


def _short(number: float) -> float:
    return round(number, 1)
