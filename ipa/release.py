"""Release: the report collector, and nobody else, puts the shares of the result together."""

from collections.abc import Mapping

from ipa.errors import VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parties import HELPERS, left_of
from ipa.sharing.bits import rows_from_columns
from ipa.sharing.shared_bits import ColumnPair, SharedBits


def shares_for_collector(network: HelperPartyNetwork, result: SharedBits) -> dict[int, ColumnPair]:
    """What each local helper sends to the report collector: its pair of shares of the result.

    Raises: UncheckedProductError in a malicious-secure network before agree_to_release.
    """
    network.check_owns(result)
    network.products.refuse_unreleased("release")
    return {helper: result.shares_of(helper) for helper in result.holders}


def combine_at_collector(
    pairs: Mapping[int, ColumnPair], rows: int, *, signed: bool = False
) -> list[int]:
    """The rows of the result, from the three helpers' pairs of shares.

    Every share comes from two helpers. `signed` says that rows are numbers in two's complement, as
    noisy sums are.

    Raises: VerificationError, step `release`, when a helper's shares are missing or two copies differ:
        then at least one helper lies and there is no result.
    """
    missing = [helper for helper in HELPERS if helper not in pairs]
    if missing:
        raise VerificationError("release", f"H{missing[0]} sent no shares to the report collector")
    for helper in HELPERS:
        if pairs[helper][0] != pairs[left_of(helper)][1]:
            problem = f"H{left_of(helper)} and H{helper} sent different copies of share {helper}"
            raise VerificationError("release", problem)
    first, second, third = (pairs[helper][0] for helper in HELPERS)
    columns = [a ^ b ^ c for a, b, c in zip(first, second, third, strict=True)]
    numbers = rows_from_columns(columns, rows)
    if not signed or not columns:
        return numbers
    half = 1 << len(columns) - 1
    return [number - 2 * half if number >= half else number for number in numbers]
