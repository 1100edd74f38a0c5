"""Step 3 of the query: oblivious last touch attribution (spec: Oblivious Last Touch Attribution)."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import bits_for
from ipa.protocols.circuits.addition import add
from ipa.protocols.circuits.constants import public_number, zero_extend
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import longest_group
from ipa.sharing.shared_bits import SharedBits, join_columns


def attribute_last_touch(
    network: HelperPartyNetwork,
    same_match_key_and_constraint: SharedBits,
    is_trigger: SharedBits,
    trigger_value: SharedBits,
    longest: int | None = None,
) -> SharedBits:
    """The credit of each sorted row: on source rows the sum of their triggers' values, else 0.

    `trigger_value` is 0 on source rows, as in every generic report.
    In pass i each row looks 2^i rows ahead: as long as everything between is a trigger of its own
    group, it adds what that row has accumulated,

        flag = stop AND same_match_key_and_constraint[+2^i] AND is_trigger[+2^i]
        credit = credit + flag AND credit[+2^i]
        stop = flag AND stop[+2^i]

    which is the spec's pseudocode; its worked tables leave out the last factor
    (SPEC_NOTES: last-touch-table). n is the number of rows, or `longest` if no group has more rows than
    that. All ceil(log2 n) passes always run. After pass i a row holds at most 2^(i+1) values, and credit
    is that wide: it cannot wrap. Returns w = bits_for(n * (2^v - 1)) columns for values of v bits.

    Cost: two rounds and 1 + w gates per row; in each pass two rounds and an addition more, with
        2 + (the width of credit before the pass) gates per row and those of the addition.
    Reveals: nothing.
    """
    rows, value_bits = trigger_value.rows, trigger_value.width
    longest = longest_group(rows, longest)
    with network.step("attribution"):
        linked = multiply(network, same_match_key_and_constraint, is_trigger)
        stop = public_number(network, rows, 1, 1)
        credit, distance = trigger_value, 1
        while distance < longest:
            with network.step(f"distance-{distance}"):
                width = bits_for(min(longest, 2 * distance) * ((1 << value_bits) - 1))
                stop, credit = look_ahead(network, linked, stop, credit, distance, width)
            distance *= 2
        return multiply(network, ~is_trigger, credit)


def look_ahead(
    network: HelperPartyNetwork,
    linked: SharedBits,
    stop: SharedBits,
    credit: SharedBits,
    distance: int,
    width: int,
) -> tuple[SharedBits, SharedBits]:
    """One pass: `stop` and `credit` after each row has looked `distance` rows ahead.

    `linked` is 1 on a trigger of the group of the row before it. The new credit has `width` columns,
    at least as many as the old one; rows past the end are zero.

    Cost: two rounds and an addition of `width` columns; 2 + (the width of credit) gates per row and
        those of the addition.
    Reveals: nothing.
    """
    flag = multiply(network, stop, linked.successors(distance))
    taken = multiply(network, flag, join_columns(stop, credit).successors(distance))
    added = zero_extend(network, taken[1:], width)
    return taken[0], add(network, zero_extend(network, credit, width), added)
