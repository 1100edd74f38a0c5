"""First touch attribution: a trigger's value goes to the first source that may have it.

The reports are sorted by `expiry`, so that the first source which has not expired at the time of a
trigger is the next source after it, if that one is earlier than the trigger: attribution looks the
other way than for the last touch (SPEC_NOTES: other-attributions).
"""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import bits_for
from ipa.protocols.circuits.addition import add
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.constants import public_number, zero_extend
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import nearest_after, running_totals
from ipa.sharing.shared_bits import SharedBits


def attribute_first_touch(
    network: HelperPartyNetwork,
    same_match_key_and_constraint: SharedBits,
    is_trigger: SharedBits,
    expiry: SharedBits,
    trigger_value: SharedBits,
    window: int | None,
) -> SharedBits:
    """The credit of each row: on source rows the sum of their triggers' values, else 0.

    The rows are sorted by (match key, constraint, `expiry`, is source, breakdown key). Of several
    first sources at one time, the one with the smallest breakdown key takes the value. Returns
    w = bits_for(n * (2^v - 1)) columns for values of v bits.

    Cost: that of nearest_after for expiries, a comparison, running_totals and three rounds of
        products: of the value, of a helper bit and of the credit.
    Reveals: nothing.
    """
    rows = trigger_value.rows
    width = bits_for(rows * ((1 << trigger_value.width) - 1))
    with network.step("attribution"):
        same = same_match_key_and_constraint
        first = nearest_after(network, same, ~is_trigger, expiry)
        later = 1 << expiry.width - 1 if window is None else window
        start = add(
            network,
            zero_extend(network, expiry, expiry.width + 1),
            public_number(network, rows, later, expiry.width + 1),
        )
        # The source expires before the trigger's time and the window: it is strictly earlier. Where no
        # source follows, the value stays in a run behind which no source stands, and goes nowhere.
        is_earlier = greater_than(network, start, zero_extend(network, first[:-1], start.width))
        value = multiply(network, is_earlier, trigger_value)
        # A run of triggers and the source behind it: the source gets the sum of the run.
        after_trigger = multiply(network, same, is_trigger.predecessors(1))
        credit = running_totals(network, after_trigger, value, width)
        return multiply(network, ~is_trigger, credit)
