"""Agreement: going on, releasing or aborting together.

The helpers proceed in synchronous rounds: a helper that notices something stops and says so, and
nobody who depends on its next message goes on without it (SPEC_NOTES: security-model).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ipa.errors import ChannelError, IpaError, MisbehaviourError, VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork, raise_together

_YES = b"\x01"


def wait_for_everybody(network: HelperPartyNetwork, name: str = "ready") -> None:
    """Go on only when both other helpers say that they have come this far, in step `name`.

    Cost: one round, two bytes for each helper.
    Reveals: nothing.
    Raises: VerificationError when a helper says anything else.
    """
    with network.step(name) as step:
        yes = dict.fromkeys(network.helpers, _YES)
        from_right, from_left = network.exchange(yes, yes, len(_YES))
        failures = [
            VerificationError(step, "a helper does not go on", [helper])
            for helper in network.helpers
            if from_right[helper] != _YES or from_left[helper] != _YES
        ]
        raise_together(failures)


def agree_to_release(network: HelperPartyNetwork) -> None:
    """Return only when all honest helpers have accepted everything.

    In the first round each helper says that its checks passed, in the second that it heard so from
    both others. A helper that hears anything else from one of them aborts, and is missed by the other
    in the second round. In a semi-honest network it returns at once.

    Cost: two rounds, four bytes for each helper.
    Reveals: that the checks passed.
    Raises: VerificationError when a helper says anything else; ChannelError when one says nothing, and
        in lockstep also for a message that nobody waits for.
    """
    if not network.is_malicious_secure:
        return
    with network.step("agreement") as step:
        wait_for_everybody(network, "verdict")
        wait_for_everybody(network, "confirmation")
        if network.in_lockstep:
            failures = [
                ChannelError(step, "there is a message nobody waits for", [helper])
                for helper, party in network.parties.items()
                if not party.channel.is_drained()
            ]
            raise_together(failures)
    network.products.agreed = True


@contextmanager
def aborting_together(network: HelperPartyNetwork) -> Iterator[None]:
    """When a local helper stops with an error, tell the other helpers, wherever they are.

    After misbehaviour the network takes no more steps: nothing in it can be trusted or opened.
    """
    try:
        yield
    except IpaError as error:
        network.aborted = isinstance(error, MisbehaviourError)
        if not network.in_lockstep:
            network.announce_abort()
        raise
