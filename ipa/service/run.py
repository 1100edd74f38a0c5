"""One run: what one helper party does from three connected parties to its shares of the sums."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ipa.budget.ledger import Ledger, Receipt
from ipa.client.configuration import HelperKeys
from ipa.names import RegistrableDomain
from ipa.network.channel import Channel, Message
from ipa.network.costs import Cost
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import new_run_name, own_randomness, pairwise_keys
from ipa.protocols.primitives.run_name import agree_on_run_name
from ipa.report_answer import Answer, Charge, Received, Request, promise_of, released_answer
from ipa.service.asked import Asked
from ipa.service.pairwise_keys import agree_on_pairwise_keys
from ipa.sharing.prss import Prss


@dataclass(frozen=True, kw_only=True)
class HelperPart:
    """What a helper party brings to every run.

    With a `seed`, for tests and teaching, all runs draw what the simulation of that seed draws, and
    whoever knows it can read everything.
    """

    keys: HelperKeys
    ledger: Ledger | None
    registrable_domain: RegistrableDomain
    seed: int | None = field(default=None, repr=False)

    @property
    def helper(self) -> int:
        """Which helper party it is."""
        return self.keys.helper


def run_query(
    part: HelperPart,
    channel: Channel,
    asked: Asked,
    stream: bytes,
    *,
    charged_at: int,
    on_step: Callable[[str], None],
    on_accepted: Callable[[int, Receipt | None], None],
) -> tuple[Answer, Mapping[str, Cost]]:
    """This helper party's answer, and what it cost.

    The helper parties make new pairwise keys, agree on a new name, compare what they were asked,
    charge it at `charged_at` by their clocks, and run the query.

    Raises: the errors of `run_report_query`.
    """
    party, name = _party(part, channel)
    network = HelperPartyNetwork(name, [party], security=asked.parameters.security, on_step=on_step)
    helper = part.helper
    ledgers = {} if part.ledger is None else {helper: part.ledger}
    charge = None
    if part.ledger is not None:
        charge = Charge(asked.query_id, charged_at, promise_of(asked.parameters))
    answers = released_answer(
        network,
        Received({helper: stream}, {helper: part.keys}, ledgers),
        Request(asked.submitter, asked.parameters, asked.compressed_match_key_bits, charge),
        registrable_domain=part.registrable_domain,
        on_accepted=on_accepted,
    )
    return answers[helper], network.costs


def _party(part: HelperPart, channel: Channel) -> tuple[HelperParty, str]:
    """The helper party with the keys of this run, and the run's name."""
    own = own_randomness(part.helper, part.seed)
    if part.seed is not None:
        seeded = Prss(*pairwise_keys(part.seed)[part.helper])
        return HelperParty(part.helper, seeded, channel, own), new_run_name(part.seed)
    fresh = Prss(*agree_on_pairwise_keys(part.helper, channel))
    party = HelperParty(part.helper, fresh, channel, own)
    return party, agree_on_run_name([party])


@dataclass(frozen=True)
class MeteredChannel:
    """A channel that tells how many bytes it was given for whom."""

    channel: Channel
    on_sent: Callable[[int, int], None]

    def send(self, message: Message) -> None:
        """Send the message, and tell its receiver and size."""
        self.channel.send(message)
        self.on_sent(message.receiver, len(message.payload))

    def receive(self, sender: int) -> Message | None:
        """The next message of `sender`."""
        return self.channel.receive(sender)

    def is_drained(self) -> bool:
        """Whether every message that has arrived was received."""
        return self.channel.is_drained()
