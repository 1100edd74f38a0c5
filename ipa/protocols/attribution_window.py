"""A limit on how much earlier than a trigger its source may be (SPEC_NOTES: other-attributions)."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.addition import add
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.constants import public_number, zero_extend
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import nearest_before
from ipa.sharing.bits import ones
from ipa.sharing.joining import join_columns
from ipa.sharing.shared_bits import SharedBits


def drop_late_triggers(
    network: HelperPartyNetwork,
    same_match_key_and_constraint: SharedBits,
    is_trigger: SharedBits,
    timestamp: SharedBits,
    trigger_value: SharedBits,
    window: int,
    longest: int | None = None,
) -> SharedBits:
    """The values of sorted rows, 0 where the last source before is more than `window` earlier.

    A trigger is attributed to the last source before it. If that one is too early, so are all
    others, so the trigger counts for nothing. Where there is no source the value does not matter.
    No group has more rows than `longest`, if that is given.

    Cost: that of nearest_before for timestamps, an addition and a comparison of one bit more, and
    one product per bit of value.
    Reveals: nothing.
    """
    with network.step("attribution-window"):
        same = same_match_key_and_constraint
        latest = nearest_before(network, same, ~is_trigger, timestamp, longest)
        width = timestamp.width + 1
        deadline = add(
            network,
            zero_extend(network, latest[:-1], width),
            public_number(network, timestamp.rows, window, width),
        )
        late = greater_than(network, zero_extend(network, timestamp, width), deadline)
        return multiply(network, ~late, trigger_value)


def expiry(
    network: HelperPartyNetwork, is_trigger: SharedBits, timestamp: SharedBits, window: int | None
) -> SharedBits:
    """For a source the last time at which a trigger may be attributed to it, for a trigger its time.

    One column wider than `timestamp`. Without a window a source never expires: its time is then
    later than any other, and sources keep their order among themselves.

    Cost: none without a window; with one, an addition of `width + 1` columns.
    Reveals: nothing.
    """
    if window is None:
        return join_columns(timestamp, ~is_trigger)
    with network.step("expiry"):
        every, width = ones(timestamp.rows), timestamp.width + 1
        is_source = (~is_trigger).select([0] * width)
        added = is_source.and_public([every * (window >> bit & 1) for bit in range(width)])
        return add(network, zero_extend(network, timestamp, width), added)
