"""What may be shown of a secret: the one place that decides it.

- A share is shown as what a helper in this process holds, and only in the HTML of a shared value or in
  a view of that helper. A plain `repr` shows shapes alone.
- A secret is shown only where the caller hands it in, which needs `reconstruct_for_testing`.
- A message is shown as it was sent: its receiver sees it. Its first bytes are enough to look at.
- Of keys and randomness only names are shown.
"""

from collections.abc import Iterable, Sequence

from ipa.display.tables import MOST_ROWS
from ipa.parties import left_of, right_of

MOST_BYTES = 32
"""A message of so many bytes is shown as a whole."""

MOST_DIGITS = 32
"""How many digits of a share are shown."""

_BINARY = 4
"""Numbers of so many bits are shown in binary, so that one can add them up in one's head."""


def numbers_shown(numbers: Iterable[int], bits: int) -> list[str]:
    """Shares, or secrets that were handed in, of `bits` bits: in binary or hexadecimal, all as long."""
    digits = max(1, bits if bits <= _BINARY else -(-bits // 4))
    form = "b" if bits <= _BINARY else "x"
    return [_cut(f"{number:0{digits}{form}}", MOST_DIGITS) for number in numbers]


def notation(bits: int) -> str:
    """How `numbers_shown` writes numbers of so many bits."""
    return "binary" if bits <= _BINARY else "hexadecimal"


def secrets_shown(secret: Sequence[int] | None, bits: int) -> list[str] | None:
    """The first rows of a secret that the caller handed in; None where none was."""
    if secret is None:
        return None
    rows = secret[:MOST_ROWS]
    return [
        form if bits == 1 else f"{form} = {_cut(f'{row:,}', MOST_DIGITS)}"
        for form, row in zip(numbers_shown(rows, bits), rows, strict=True)
    ]


def payload_shown(payload: bytes) -> str:
    """A message in hexadecimal; of a long one the first bytes, so few that the dots fit in the line."""
    if len(payload) <= MOST_BYTES:
        return payload.hex(" ", 4)
    return f"{payload[: MOST_BYTES - 4].hex(' ', 4)} ..."


def keys_shown(helper: int) -> tuple[str, str]:
    """The names of a helper's pairwise keys, and with whom it has them; never the keys."""
    return (
        f"k{helper} (with H{left_of(helper)})",
        f"k{right_of(helper)} (with H{right_of(helper)})",
    )


def _cut(digits: str, limit: int) -> str:
    return digits if len(digits) <= limit else f"{digits[: limit - 3]}..."
