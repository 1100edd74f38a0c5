"""A match key provider: one match key for all of a person's devices, and for what they do offline.

Spec: Client Side: Setting the match key; Unbounded Scope of Incoming Information. A provider knows a
person by an account, such as an email address. It sets the person's match key on the devices where
they sign in. A shop that is told the same account at its till can have the provider encrypt the match
key for a purchase that no user agent saw, and bring it into a query like any other trigger.
"""

from ipa.client.configuration import NetworkConfiguration
from ipa.client.encrypted_match_key import EncryptedMatchKey, ReportContext, encrypt_match_key
from ipa.client.user_agent import ON_DEVICE, UserAgent
from ipa.errors import ParameterError
from ipa.names import check_identifier
from ipa.parameters import MAX_MATCH_KEY_BITS
from ipa.ranges import check_integer
from ipa.sharing.randomness import Randomness


class MatchKeyProvider:
    """A match key provider with its accounts. `match_key_bits` is that of the networks it works with.

    Its match keys are random, and leave it on its way to a device or encrypted; its repr shows none.

    Raises: ParameterError for a name that is no identifier or the device's own, or a width out of
    range.
    """

    def __init__(
        self, name: str, *, match_key_bits: int = 64, randomness: Randomness | None = None
    ) -> None:
        check_identifier("a match key provider", name)
        if name == ON_DEVICE:
            raise ParameterError(f"{ON_DEVICE!r} is the device itself, not a provider")
        check_integer("match_key_bits", match_key_bits, 1, MAX_MATCH_KEY_BITS)
        self.name = name
        self._match_key_bits = match_key_bits
        self._randomness = randomness if randomness is not None else Randomness()
        self._match_keys: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<MatchKeyProvider {self.name}>"

    def set_match_key_on(self, device: UserAgent, account: str) -> None:
        """Set the match key of an account on a device where its owner signs in.

        It takes effect there at the next epoch.

        Raises: ParameterError when the device does not approve this provider, or takes match keys of
        another width.
        """
        device.set_match_key(self.name, self._match_key(account))

    def encrypt_offline(
        self,
        account: str,
        configuration: NetworkConfiguration,
        *,
        site: str,
        report_collector: str,
        on_behalf_of: str,
        epoch: int,
    ) -> EncryptedMatchKey:
        """The encrypted match key for something that the owner of an account did in no user agent.

        `site` is where it happened: what the shop is called on the web. The rest is as for
        `UserAgent.get_encrypted_match_key`, except that the provider says which epoch it was. It is
        a new encryption each time (SPEC_NOTES: offline-events). For an account that the provider does
        not know it is that of a random match key, which stays the account's.

        Reveals: to the provider what it is told here; to the caller nothing of the match key, nor
        whether the account was known.
        Raises: ParameterError when a name or the epoch cannot be, or the network takes match keys of
        another width.
        """
        if configuration.match_key_bits != self._match_key_bits:
            raise ParameterError(
                f"match keys of network {configuration.name!r} have {configuration.match_key_bits} "
                f"bits, those of {self.name!r} {self._match_key_bits}"
            )
        context = ReportContext(
            network_name=configuration.name,
            match_key_provider=self.name,
            report_collector=report_collector,
            on_behalf_of=on_behalf_of,
            site=site,
            epoch=epoch,
        )
        return encrypt_match_key(self._match_key(account), context, configuration, self._randomness)

    def _match_key(self, account: str) -> int:
        if account not in self._match_keys:
            self._match_keys[account] = self._randomness.random_bits(self._match_key_bits)
        return self._match_keys[account]
