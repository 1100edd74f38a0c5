"""Step 3 of the query: oblivious last touch attribution (spec: Oblivious Last Touch Attribution)."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import bits_for
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import totals_to_come
from ipa.protocols.circuits.scan_sizes import longest_group
from ipa.sharing.shared_bits import SharedBits


def attribute_last_touch(
    network: HelperPartyNetwork,
    same_match_key_and_constraint: SharedBits,
    is_trigger: SharedBits,
    trigger_value: SharedBits,
    longest: int | None = None,
) -> SharedBits:
    """The credit of each sorted row: on source rows the sum of their triggers' values, else 0.

    `trigger_value` is 0 on source rows, as in every generic report. A row hands on what it has to the
    row before it if it is a trigger of that row's group,

        goes_on = (same_match_key_and_constraint AND is_trigger)[+1]
        credit = trigger_value + goes_on AND credit[+1]

    so a source gets the triggers up to the next source. The spec computes this sum in ceil(log2 n)
    passes, in which every row looks 2^i rows ahead: `last_touch_passes` in `ipa/oracle/steps.py` is its
    pseudocode, whose flag in a pass is goes_on before it (its worked tables leave out one factor,
    SPEC_NOTES: last-touch-table). n is the number of rows, or `longest` if no group has more rows than
    that. A sum of 2^i values is i bits wider than a value: it cannot wrap. Returns
    w = bits_for(n * (2^v - 1)) columns for values of v bits.

    Cost: two rounds and 1 + w gates per row, and those of totals_to_come.
    Reveals: nothing.
    """
    most = longest_group(trigger_value.rows, longest)
    width = bits_for(most * ((1 << trigger_value.width) - 1))
    with network.step("attribution"):
        linked = multiply(network, same_match_key_and_constraint, is_trigger)
        credit = totals_to_come(network, linked.successors(1), trigger_value, width, most)
        return multiply(network, ~is_trigger, credit)
