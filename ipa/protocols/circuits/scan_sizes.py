"""What the sizes of a scan are, and how many gates it takes: all of it public (see `scan`)."""

from ipa.protocols.circuits.addition import add_gates, are_many


def longest_group(rows: int, longest: int | None) -> int:
    """The most rows that a group can have: all of them, unless `longest` says less."""
    return rows if longest is None else min(rows, longest)


def bits_of_totals(value_bits: int, width: int, most: int) -> int:
    """No more than the sum of so many values needs: it doubles at most with each pass."""
    return min(width, value_bits + max(0, most - 1).bit_length())


def running_totals_gates(
    rows: int, value_bits: int, width: int, longest: int | None = None, overhead: int = 0
) -> int:
    """How many AND gates running_totals takes, with `overhead` more for each product of columns."""
    most, gates = longest_group(rows, longest), 0
    width = bits_of_totals(value_bits, width, most)
    if not are_many(rows):
        for _ in range((most - 1).bit_length()):
            wider = min(width, value_bits + 1)
            gates += (rows + overhead) * (value_bits + 1 + add_gates(wider, rows))
            value_bits = wider
        return gates
    if most < 2:
        return 0
    pairs, most = (rows + 1) // 2, (most + 1) // 2
    wider = min(width, value_bits + 1)
    goes_on = most > 1
    joined = value_bits + goes_on + add_gates(wider, pairs)
    taken = (width if goes_on else wider) + add_gates(width, pairs)
    inner = running_totals_gates(pairs, wider, width, most, overhead)
    return (pairs + overhead) * (joined + taken) + inner
