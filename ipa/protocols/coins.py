"""Public coins that nobody can predict or bias (SPEC_NOTES: coins)."""

from ipa.network import HelperPartyNetwork
from ipa.protocols.agreement import wait_for_everybody
from ipa.protocols.opening import open_numbers
from ipa.sharing.rings import Ring
from ipa.sharing.shared_numbers import SharedNumbers


def public_coins(network: HelperPartyNetwork, ring: Ring, count: int) -> list[int]:
    """`count` uniform elements of `ring`, known to everybody only now.

    Each is a random sharing from PRSS, fixed by the keys and the step and unknown to every single
    helper, opened with both copies of each share compared. Before that the helpers wait until all
    have received everything sent so far: otherwise a helper that hears the coin from a fast neighbour
    could still choose what it sends the slow one. Two rounds; two bytes, and two elements per coin, for
    each helper. Raises VerificationError. Source: Goyal, Song and Zhu 2020, functionality F_coin.
    """
    if not count:
        return []
    with network.step("coin") as step:
        wait_for_everybody(network)
        shares = {
            number: helper.prss.random_elements(step, ring, count)
            for number, helper in network.helpers.items()
        }
        return open_numbers(network, SharedNumbers(network.name, ring, count, shares))
