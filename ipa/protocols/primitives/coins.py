"""Public coins that nobody can predict or bias (SPEC_NOTES: coins)."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.primitives.abort import wait_for_everybody
from ipa.protocols.primitives.opening import open_elements
from ipa.sharing.rings import Ring
from ipa.sharing.shared_elements import SharedElements


def public_coins(network: HelperPartyNetwork, ring: Ring, count: int) -> list[int]:
    """`count` uniform elements of `ring`, known to everybody only now.

    Each is a random sharing from PRSS, fixed by the keys and the step and unknown to every single
    helper, opened with both copies of each share compared. Before that the helpers wait until all
    have received everything sent so far: otherwise a helper that hears the coin from a fast neighbour
    could still choose what it sends the slow one. Source: Goyal, Song and Zhu 2020, functionality F_coin.

    Cost: two rounds; two bytes, and two elements per coin, for each helper.
    Reveals: the coins, to all helpers.
    Raises: VerificationError when a helper is not ready or two copies of a share differ.
    """
    if not count:
        return []
    with network.step("coin") as step:
        wait_for_everybody(network)
        shares = {
            helper: party.prss.random_elements(step, ring, count)
            for helper, party in network.parties.items()
        }
        return open_elements(network, SharedElements(network.name, ring, count, shares))
