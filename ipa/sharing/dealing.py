"""Dealing: how a client splits a value into three shares and who gets which pair.

A client shares x = x1 + x2 + x3 and gives helper i the pair (x_i, x_(i+1)): linear operations are
then local, and every share is held by two helpers, who can compare (spec: Client Side; Generating
source and trigger reports). `reconstruct_for_testing` undoes it, outside of any protocol.
"""

from collections.abc import Sequence

from ipa.errors import MismatchError, ParameterError, SecrecyError
from ipa.names import Named, name_of
from ipa.parties import HELPERS, right_of
from ipa.ranges import check_integer
from ipa.sharing.bits import columns_from_rows, rows_from_columns
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import Ring
from ipa.sharing.shared_bits import ColumnPair, SharedBits
from ipa.sharing.shared_elements import ElementPair, SharedElements


def deal_columns(
    columns: Sequence[int], rows: int, randomness: Randomness
) -> dict[int, ColumnPair]:
    """Each helper's share pair of a table of bits given as columns of `rows` bits."""
    first = [randomness.random_bits(rows) for _ in columns]
    second = [randomness.random_bits(rows) for _ in columns]
    third = [a ^ b ^ c for a, b, c in zip(columns, first, second, strict=True)]
    shares = dict(zip(HELPERS, (first, second, third), strict=True))
    return {helper: (shares[helper], shares[right_of(helper)]) for helper in HELPERS}


def share_rows(
    network: Named | str, values: Sequence[int], width: int, randomness: Randomness
) -> SharedBits:
    """A table of bits, one row per integer in `values`, shared among three local helpers.

    `network` is the helper party network or its name.

    Raises: ParameterError when a value does not fit `width` bits, and for what is no list of values, no
        width or no `Randomness`.
    """
    _check_dealing(values, randomness)
    check_integer("width", width, 0)
    pairs = deal_columns(columns_from_rows(values, width), len(values), randomness)
    return SharedBits(name_of(network), len(values), width, pairs)


def deal_elements(
    ring: Ring, values: Sequence[int], randomness: Randomness
) -> dict[int, ElementPair]:
    """Each helper's share pair of a list of ring elements.

    Raises: ParameterError, which names the row, when a value is no element of the ring.
    """
    for row, value in enumerate(values):
        if not isinstance(value, int):
            raise ParameterError(f"row {row}: must be an int, not {type(value).__name__}")
        if not ring.contains(value):
            raise ParameterError(f"row {row}: not an element of {ring.name}")
    first, second = (
        [ring.sample(randomness.random_bytes(ring.sample_bytes)) for _ in values] for _ in range(2)
    )
    third = [
        ring.subtract(ring.subtract(value, a), b)
        for value, a, b in zip(values, first, second, strict=True)
    ]
    shares = dict(zip(HELPERS, (first, second, third), strict=True))
    return {helper: (shares[helper], shares[right_of(helper)]) for helper in HELPERS}


def share_elements(
    network: Named | str, ring: Ring, values: Sequence[int], randomness: Randomness
) -> SharedElements:
    """A list of ring elements shared among three local helpers.

    `network` is the helper party network or its name.

    Raises: ParameterError when a value is no element of the ring, and for what is no list of values or
        no `Randomness`.
    """
    _check_dealing(values, randomness)
    return SharedElements(
        name_of(network), ring, len(values), deal_elements(ring, values, randomness)
    )


def _check_dealing(values: object, randomness: object) -> None:
    if not isinstance(values, Sequence):
        raise ParameterError(f"values must be a list of integers, not {type(values).__name__}")
    if not isinstance(randomness, Randomness):
        raise ParameterError(
            f"randomness must be Randomness() or Randomness.from_seed(seed, label), not a "
            f"{type(randomness).__name__}"
        )


def only_helper(value: SharedBits, helper: int) -> SharedBits:
    """`value` as helper party `helper` alone holds it, for a process with one local helper."""
    shares = {helper: value.shares_of(helper)}
    return SharedBits(value.network_name, value.rows, value.width, shares)


def reconstruct_columns_for_testing(value: SharedBits) -> list[int]:
    """The secret columns of `value`, put together outside of any protocol.

    Needs the shares of all three helpers in one place, which no deployment has.

    Raises: SecrecyError when they are not there; MismatchError when the copies of a share differ.
    """
    return [a ^ b ^ c for a, b, c in zip(*_three_shares(value), strict=True)]


def reconstruct_for_testing(value: SharedBits | SharedElements) -> list[int]:
    """The secret rows (as integers) or ring elements, put together outside of any protocol.

    Needs the shares of all three helpers in one place, which no deployment has.

    Raises: SecrecyError when they are not there; MismatchError when the copies of a share differ;
        ParameterError for what is not one shared value.
    """
    if not isinstance(value, SharedBits | SharedElements):
        raise ParameterError(
            "one shared value is wanted, such as reports.match_key, and not a "
            f"{type(value).__name__}"
        )
    if isinstance(value, SharedBits):
        return rows_from_columns(reconstruct_columns_for_testing(value), value.rows)
    add = value.ring.add
    return [add(add(a, b), c) for a, b, c in zip(*_three_shares(value), strict=True)]


def _three_shares(value: SharedBits | SharedElements) -> list[list[int]]:
    if set(value.holders) != set(HELPERS):
        raise SecrecyError("the shares of all three helpers are not in this process")
    pairs = {helper: value.shares_of(helper) for helper in HELPERS}
    for helper in HELPERS:
        if pairs[helper][1] != pairs[right_of(helper)][0]:
            raise MismatchError(
                f"H{helper} and H{right_of(helper)} hold different copies of a share"
            )
    return [pairs[helper][0] for helper in HELPERS]
