"""Addition and subtraction of numbers, row by row, and sums of many numbers.

A column generates a carry (g = a AND b) or propagates one (p = a XOR b). With few rows rounds are what
costs, and carries are computed as a parallel prefix: runs of columns join as
G = g_high XOR p_high AND g_low, P = p_high AND p_low, and Sklansky's network gives the carry into every
column in ceil(log2 w) rounds. With many rows gates are what costs, and a carry goes from column to column:
one gate each, the fewest that there can be, and a round each. Which way is taken depends on the number
of rows alone (SPEC_NOTES: fewest-gates). Adding many numbers first saves carries (three numbers
become two, one gate per bit) and propagates them once at the end.
"""

from collections.abc import Sequence

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.constants import public_columns, public_number, zero_extend
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.joining import join_columns, join_rows
from ipa.sharing.shared_bits import SharedBits

MANY_ROWS = 1 << 12
"""From so many rows on, fewer gates are worth more rounds."""


def are_many(rows: int) -> bool:
    """Whether so many rows are worked on in the way with the fewest gates."""
    return rows >= MANY_ROWS


def add(
    network: HelperPartyNetwork, a: SharedBits, b: SharedBits, carry: SharedBits | None = None
) -> SharedBits:
    """a + b, and 1 more where `carry` is 1, modulo 2^w for equal widths w.

    Nothing is lost if the caller widens by one bit first.

    Cost: add_rounds(rows, w) rounds: 1 + ceil(log2 (w - 1)) for w >= 2, none for w = 1; from MANY_ROWS
        on w - 1. add_gates(w, rows) gates per row: about w (1 + log2 w) or w - 1.
    Reveals: nothing.
    Raises: MismatchError when rows, widths or networks differ.
    """
    a.check_same_shape(b)
    carry = public_columns(network, a.rows, [0]) if carry is None else carry
    with network.step("add"):
        if a.width < 2:
            return a ^ b if a.width == 0 else a ^ b ^ carry
        if are_many(a.rows):
            return a ^ b ^ _rippling_carries(network, a, b, carry)
        first = join_columns(carry, public_columns(network, a.rows, [0] * (a.width - 2)))
        generate = first ^ multiply(network, a[:-1] ^ first, b[:-1] ^ first)
        return a ^ b ^ join_columns(carry, _prefix_carries(network, generate, (a ^ b)[:-1]))


def add_rounds(width: int, rows: int = 0) -> int:
    """How many rounds `add` takes for numbers of `width` bits."""
    if are_many(rows) or width < 2:
        return max(0, width - 1)
    return 1 + (width - 2).bit_length()


def add_gates(width: int, rows: int = 0) -> int:
    """How many AND gates per row `add` takes for numbers of `width` bits."""
    generating, distance = max(0, width - 1), 1
    gates = generating
    while distance < generating and not are_many(rows):
        upper = [j for j in range(generating) if j & distance]
        gates += len(upper) + sum(j >= 2 * distance for j in upper)
        distance *= 2
    return gates


def subtract(network: HelperPartyNetwork, a: SharedBits, b: SharedBits) -> SharedBits:
    """a - b modulo 2^w, for equal widths: ~(~a + b).

    Cost: that of add.
    Reveals: nothing.
    Raises: MismatchError when rows, widths or networks differ.
    """
    return ~add(network, ~a, b)


def _rippling_carries(
    network: HelperPartyNetwork, a: SharedBits, b: SharedBits, carry: SharedBits
) -> SharedBits:
    """The carry into each column: the majority of both bits and the carry of the column below."""
    carries = [carry]
    for column in range(a.width - 1):
        _, carry = _full_adder(network, a[column], b[column], carry)
        carries.append(carry)
    return join_columns(*carries)


def _prefix_carries(
    network: HelperPartyNetwork, generate: SharedBits, propagate: SharedBits
) -> SharedBits:
    """The carry out of each column, from each column's generate and propagate.

    What comes into column 0 is part of what it generates. After the pass with distance d, column j's
    `generate` covers the 2d columns of its aligned block up to j; in each pass the upper half of every
    block joins the last column of the lower half.
    """
    width, distance = generate.width, 1
    while distance < width:
        upper = [j for j in range(width) if j & distance]
        lower = [(j // distance) * distance - 1 for j in upper]
        # Runs that already reach column 0 need no propagate: nothing else comes into column 0.
        inner = [k for k, j in enumerate(upper) if j >= 2 * distance]
        products = multiply(
            network,
            propagate.select(upper),
            join_columns(generate.select(lower), propagate.select([lower[k] for k in inner])),
            [*range(len(upper)), *inner],
        )
        generate = generate.with_columns(upper, generate.select(upper) ^ products[: len(upper)])
        propagate = propagate.with_columns([upper[k] for k in inner], products[len(upper) :])
        distance *= 2
    return generate


def sum_of(network: HelperPartyNetwork, summands: Sequence[SharedBits], width: int) -> SharedBits:
    """The sum of several numbers, row by row, modulo 2^width.

    Three numbers become two in a round, with one gate for each bit, until one addition is left.

    Cost: about log_1.5 of the count rounds and (count - 2) * width gates per row, and one addition.
    Reveals: nothing.
    """
    numbers = [zero_extend(network, number[:width], width) for number in summands]
    with network.step("sum"):
        while len(numbers) > 2:
            threes = len(numbers) // 3
            a, b, c = (join_columns(*numbers[k : 3 * threes : 3]) for k in range(3))
            total, carry = _full_adder(network, a, b, c)
            starts = range(0, threes * width, width)
            numbers = [
                *(total[start : start + width] for start in starts),
                *(_shifted(network, carry[start : start + width], 1, width) for start in starts),
                *numbers[3 * threes :],
            ]
        return add(network, *numbers) if len(numbers) == 2 else numbers[0]


def sum_rows(network: HelperPartyNetwork, x: SharedBits, numbers: int, width: int) -> SharedBits:
    """The sums over all rows of several numbers per row, modulo 2^width.

    `x` holds `numbers` numbers side by side, digit by digit: columns k * numbers to
    (k + 1) * numbers - 1 are bit k of each. The result has one row per number and `width` columns.
    Three rows become two in a round, with one gate for each column, until one addition is left.

    Cost: about log_1.5 of the rows rounds and one gate for each bit of `x`, and one addition.
    Reveals: nothing.
    """
    with network.step("sum-rows"):
        if x.rows == 0:
            return public_number(network, numbers, 0, width)
        limit = numbers * width
        x = x[:limit]
        while x.rows > 2:
            third = x.rows // 3
            parts = (x.take_rows(k * third, (k + 1) * third) for k in range(3))
            total, carry = _full_adder(network, *parts)
            wide = min(limit, x.width + numbers)
            x = join_rows(
                zero_extend(network, total, wide),
                _shifted(network, carry, numbers, wide),
                zero_extend(network, x.take_rows(3 * third, x.rows), wide),
            )
        rows = [
            zero_extend(network, x.take_rows(row, row + 1).stack_columns(numbers), width)
            for row in range(x.rows)
        ]
        return add(network, *rows) if len(rows) == 2 else rows[0]


def sum_rows_gates(rows: int, numbers: int, digits: int, width: int, overhead: int = 0) -> int:
    """How many AND gates sum_rows takes for numbers of `digits` bits.

    Counts `overhead` more for each product of columns.
    """
    gates, digits = 0, min(digits, width)
    while rows > 2:
        third = rows // 3
        gates += (third + overhead) * numbers * digits
        rows, digits = rows - third, min(width, digits + 1)
    return gates + ((numbers + overhead) * add_gates(width, numbers) if rows == 2 else 0)


def _full_adder(
    network: HelperPartyNetwork, a: SharedBits, b: SharedBits, c: SharedBits
) -> tuple[SharedBits, SharedBits]:
    """The sum and the carry of three bits, column by column: one round, one gate per bit."""
    return a ^ b ^ c, c ^ multiply(network, a ^ c, b ^ c)


def _shifted(network: HelperPartyNetwork, x: SharedBits, columns: int, width: int) -> SharedBits:
    """`x` moved up by a number of columns, cut off at `width`: times a power of two."""
    zeros = public_columns(network, x.rows, [0] * columns)
    return zero_extend(network, join_columns(zeros, x)[:width], width)


def multiply_integers(network: HelperPartyNetwork, a: SharedBits, b: SharedBits) -> SharedBits:
    """a times b, row by row, for equal widths w: 2w columns, which hold every product.

    Cost: one round and those of sum_of for w numbers of 2w columns; w^2 gates per row and sum_of's.
    Reveals: nothing.
    Raises: MismatchError for other widths, rows or networks.
    """
    a.check_same_shape(b)
    width = a.width
    with network.step("multiply-integers"):
        digits = b.select([digit for digit in range(width) for _ in range(width)])
        partial = multiply(network, digits, join_columns(*[a] * width))
        summands = [
            _shifted(network, partial[k * width : (k + 1) * width], k, 2 * width)
            for k in range(width)
        ]
        return sum_of(network, summands, 2 * width)


def multiply_by_constant(
    network: HelperPartyNetwork, x: SharedBits, factor: int, width: int
) -> SharedBits:
    """x times a public number, modulo 2^width: the sum of `x` shifted to each 1 of the factor.

    Cost: that of sum_of for as many numbers as the factor has ones.
    Reveals: nothing.
    Raises: ParameterError for a negative factor.
    """
    if factor < 0:
        raise ParameterError(f"a factor must not be negative, not {factor}")
    ones_at = [bit for bit in range(min(width, factor.bit_length())) if factor >> bit & 1]
    if not ones_at:
        return public_number(network, x.rows, 0, width)
    with network.step("multiply-by-constant"):
        return sum_of(network, [_shifted(network, x, bit, width) for bit in ones_at], width)
