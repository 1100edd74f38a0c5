"""One helper party: what it has of its own."""

from dataclasses import dataclass, field

from ipa.network.channel import Channel
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness


@dataclass(frozen=True)
class HelperParty:
    """One helper party: its id (1 to 3), its PRSS keys, its end of the channel, its own randomness."""

    helper: int
    prss: Prss
    channel: Channel
    randomness: Randomness = field(default_factory=Randomness)

    def __repr__(self) -> str:
        return f"<HelperParty H{self.helper}>"
