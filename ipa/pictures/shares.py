"""Who holds which share: the three helpers in a ring, each share between the two that have it."""

from ipa.display.disclosure import notation, numbers_shown
from ipa.display.drawing import box, line, words
from ipa.display.markup import Markup, joined
from ipa.display.picture import Picture
from ipa.display.style import SHARE_COLOURS
from ipa.errors import ParameterError
from ipa.parties import HELPERS, right_of
from ipa.ranges import check_integer
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements

_PLACES = {1: (110.0, 45.0), 2: (490.0, 45.0), 3: (300.0, 215.0)}
_EDGES = {
    1: ((250.0, 182.0), (140.0, 78.0)),
    2: ((215.0, 45.0), (385.0, 45.0)),
    3: ((460.0, 78.0), (350.0, 182.0)),
}
"""Where the edge of each share runs, between the two helpers that have it."""

_WIDTH, _HEIGHT = 210, 66


def picture_of_shares(value: SharedBits | SharedElements, row: int = 0) -> Picture:
    """The shares of one row of `value`, or of one element, as the helpers that are here hold them.

    Raises: ParameterError when there is no such row.
    """
    count = value.rows if isinstance(value, SharedBits) else value.count
    if count == 0:
        raise ParameterError("there is no row to draw")
    check_integer("row", row, 0, count - 1)
    bits, held = _held(value, row)
    sign = "XOR" if isinstance(value, SharedBits) else "+"
    parts = [_between(helper) for helper in HELPERS]
    parts += [_helper(helper, held.get(helper)) for helper in HELPERS]
    says = f"x = x1 {sign} x2 {sign} x3, in {notation(bits)}. Any two shares are random; x takes all three."
    return Picture(f"Who holds which share of row {row}", (600, 252), *parts, says=says)


def _held(value: SharedBits | SharedElements, row: int) -> tuple[int, dict[int, tuple[str, str]]]:
    """The bits of a number, and by helper its two shares of the row as they are shown."""
    if isinstance(value, SharedBits):
        bits, pairs = value.width, value.take_rows(row, row + 1).first_rows()
    else:
        bits = (value.ring.size - 1).bit_length()
        pairs = {helper: value[row].shares_of(helper) for helper in value.holders}
    return bits, {
        helper: (numbers_shown(own, bits)[0], numbers_shown(right, bits)[0])
        for helper, (own, right) in pairs.items()
    }


def _between(helper: int) -> Markup:
    """The share of that number, on the edge between the helper and its left neighbour."""
    start, end = _EDGES[helper]
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    aside = {1: -18, 2: 0, 3: 18}[helper]
    edge = line(start, end, colour=SHARE_COLOURS[helper], width=4)
    name = words(x + aside, y - 8 if helper == 2 else y + 6, f"x{helper}", bold=True)
    return joined(edge, name)


def _helper(helper: int, shares: tuple[str, str] | None) -> Markup:
    x, y = _PLACES[helper]
    left, top = x - _WIDTH / 2, y - _HEIGHT / 2
    frame = box(left, top, _WIDTH, _HEIGHT, rounded=6)
    parts = [frame, words(x, top + 18, f"helper party H{helper}", bold=True)]
    if shares is None:
        parts.append(words(x, top + 42, "not in this process", faint=True))
        return joined(*parts)
    for place, (share, shown) in enumerate(zip((helper, right_of(helper)), shares, strict=True)):
        middle = top + 37 + 18 * place
        parts.append(box(left + 10, middle - 9, 10, 10, fill=SHARE_COLOURS[share], border=None))
        said = f"x{share} = {shown if len(shown) <= 20 else shown[:17] + '...'}"
        parts.append(words(left + 28, middle, said, anchor="start", code=True))
    return joined(*parts)
