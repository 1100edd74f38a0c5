"""A table of shares: a row per secret, two columns for each helper that is here."""

from collections.abc import Mapping, Sequence

from ipa.display.disclosure import notation, numbers_shown, secrets_shown
from ipa.display.markup import Markup, joined
from ipa.display.style import SHARE_COLOURS, chip, framed, note
from ipa.display.tables import MOST_ROWS, Column, table
from ipa.parties import right_of

HeldRows = Mapping[int, tuple[Sequence[int], Sequence[int]]]
"""By local helper, the first rows of its two shares, as numbers."""


def shares_html(
    title: str, held: HeldRows, count: int, bits: int, sign: str, secret: Sequence[int] | None
) -> Markup:
    """What each local helper holds of `count` secrets of `bits` bits, which are x1 `sign` x2 `sign` x3.

    `secret` are the secrets themselves, where the caller has put them together.
    """
    columns = [Column("row", "number")]
    cells: list[Sequence[object]] = [range(count)]
    for helper, pair in held.items():
        for place, (share, numbers) in enumerate(
            zip((helper, right_of(helper)), pair, strict=True)
        ):
            columns.append(Column(share_head(helper, share), "code", apart=place == 0))
            cells.append(numbers_shown(numbers, bits))
    known = secrets_shown(secret, bits)
    if known is not None:
        columns.append(Column("put together for testing", "code", apart=True))
        cells.append(known)
    shown = min(count, MOST_ROWS, *(len(column) for column in cells))
    rows = ([column[row] for column in cells] for row in range(shown))
    says = f"x = x1 {sign} x2 {sign} x3, in {notation(bits)}; a helper has two of the three shares"
    return framed(title, table(columns, rows, count, limit=MOST_ROWS), note(says))


def share_head(helper: int, share: int) -> Markup:
    """The head of a column with one share of one helper."""
    return joined(chip(SHARE_COLOURS[share]), f"H{helper}: x{share}")
