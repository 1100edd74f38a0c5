"""Equal credit attribution: a trigger's value is split among all sources that may have it.

With m sources, each gets floor(value / m), and the last one also what is left over, so that nothing
is lost (SPEC_NOTES: other-attributions).
"""

from dataclasses import dataclass

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import bits_for
from ipa.protocols.circuits.addition import subtract
from ipa.protocols.circuits.division import divide_with_remainder
from ipa.protocols.circuits.equality import all_ones
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import running_totals
from ipa.sharing.shared_bits import SharedBits


@dataclass(frozen=True)
class Shares:
    """What a trigger gives each of its sources, and what is left over for the last one."""

    each: SharedBits
    left_over: SharedBits


def sources_so_far(
    network: HelperPartyNetwork, same_match_key_and_constraint: SharedBits, is_trigger: SharedBits
) -> SharedBits:
    """For each row the number of sources in its group up to it, in bits_for(n) columns.

    Cost: that of running_totals.
    Reveals: nothing.
    """
    width = max(1, bits_for(is_trigger.rows))
    with network.step("sources-so-far"):
        return running_totals(network, same_match_key_and_constraint, ~is_trigger, width)


def split_values(
    network: HelperPartyNetwork, trigger_value: SharedBits, sources: SharedBits
) -> Shares:
    """Each trigger's value divided by its number of sources; 0 where there is none.

    Cost: that of divide for quotients as wide as values, and one product per bit.
    Reveals: nothing.
    """
    with network.step("split"):
        quotient, remainder = divide_with_remainder(
            network, trigger_value, sources, trigger_value.width
        )
        has_sources = ~all_ones(network, ~sources)
        width = min(remainder.width, trigger_value.width)
        return Shares(
            multiply(network, has_sources, quotient),
            multiply(network, has_sources, remainder[:width]),
        )


def credits_between(
    network: HelperPartyNetwork,
    is_trigger: SharedBits,
    up_to_end: SharedBits,
    up_to_start: SharedBits,
    left_over: SharedBits,
) -> SharedBits:
    """The credit of each source: what triggers gave in its time, and what was left over for it.

    `up_to_end` and `up_to_start` are the totals of the triggers' shares when the source expires and
    when it happens; all four are as wide as the largest total.

    Cost: two additions and one product per bit.
    Reveals: nothing.
    """
    with network.step("credits"):
        from_shares = subtract(network, up_to_end, up_to_start)
        # a + b as a - (-b) would cost the same; what is left over never overflows the total.
        credit = ~subtract(network, ~from_shares, left_over)
        return multiply(network, ~is_trigger, credit)
