"""The user agent: match keys of one device, and the two new web APIs.

Spec: Client Side: Setting the match key; Getting the encrypted match key report; Constraints on
encrypted match keys; Web Views and Embedded Browsers.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from ipa.client.configuration import NetworkConfiguration
from ipa.client.encrypted_match_key import EncryptedMatchKey, ReportContext, encrypt_match_key
from ipa.errors import ParameterError
from ipa.names import MAX_EPOCH, check_app_identity, check_identifier
from ipa.ranges import check_integer
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import check_bits

Access = Literal["granted", "denied-stable", "denied-fresh"]

ON_DEVICE = "on-device"
"""The match key provider of the random key that the device makes itself (spec: the update of
May 3, 2023, recommends it alone, since a provider could abuse the keys it sets). To all others it is
a provider like any (SPEC_NOTES: match-key-provider-on-device)."""


@dataclass(frozen=True)
class EmbeddingApp:
    """An app that shows sites in a web view (spec: Web Views and Embedded Browsers).

    An app that cannot read the content (`reads_content` False: custom tabs) gives its sites the
    browser's own ciphertexts. One that can is a browser of its own, with its own ciphertexts, and
    the system may deny it access: then its sites get encryptions of a random match key, stable
    (attribution works within the app) or fresh each time (no attribution)
    (SPEC_NOTES: web-view-denied).

    Raises: ParameterError for an identity that is no identifier, an unknown access, or access
    denied to an app that cannot read the content.
    """

    identity: str
    reads_content: bool
    access: Access = "granted"

    def __post_init__(self) -> None:
        check_app_identity("an app's identity", self.identity)
        if self.access not in get_args(Access):
            raise ParameterError(
                f"access must be one of {', '.join(get_args(Access))}, not {self.access!r}"
            )
        if self.access != "granted" and not self.reads_content:
            raise ParameterError("access is denied only to apps that can read the content")


class UserAgent:
    """One device. `configurations` are those of the networks, and `match_key_providers`
    those, that its vendor approves.

    All networks must take match keys of one width. No method tells whether a match key was set:
    they return the same types and sizes, and raise for public reasons only.

    Raises: ParameterError for networks of different widths, providers that cannot be, or an epoch
    out of range.
    """

    def __init__(
        self,
        configurations: Iterable[NetworkConfiguration],
        match_key_providers: Collection[str] = (),
        *,
        epoch: int = 0,
        randomness: Randomness | None = None,
    ) -> None:
        self._configurations = {
            configuration.name: configuration for configuration in configurations
        }
        widths = {configuration.match_key_bits for configuration in self._configurations.values()}
        if len(widths) != 1:
            raise ParameterError("a user agent needs networks that agree on match_key_bits")
        for provider in match_key_providers:
            check_identifier("a match key provider", provider)
            if provider == ON_DEVICE:
                raise ParameterError(f"{ON_DEVICE!r} is the device itself, not a provider")
        check_integer("epoch", epoch, 0, MAX_EPOCH)
        self._match_key_bits = widths.pop()
        self._providers = frozenset(match_key_providers)
        self._epoch = epoch
        self._randomness = randomness if randomness is not None else Randomness()
        # Match keys by (app denied access or None, provider); ciphertexts by (app with storage of
        # its own or None, app denied access or None, context).
        self._match_keys: dict[tuple[str | None, str], int] = {}
        self._pending: dict[str, int] = {}
        self._ciphertexts: dict[
            tuple[str | None, str | None, ReportContext], EncryptedMatchKey
        ] = {}

    def __repr__(self) -> str:
        return f"<UserAgent: epoch {self._epoch}>"

    @property
    def epoch(self) -> int:
        """The current epoch."""
        return self._epoch

    def set_match_key(self, match_key_provider: str, match_key: int) -> None:
        """A match key provider sets its match key for the person using the device; write-only.

        Takes effect at the next epoch; the last call of an epoch counts.

        Raises: ParameterError when the provider is not approved or the match key does not fit.
        """
        if match_key_provider not in self._providers:
            raise ParameterError(f"{match_key_provider!r} is not an approved match key provider")
        check_bits(match_key, self._match_key_bits)
        self._pending[match_key_provider] = match_key

    def get_encrypted_match_key(
        self,
        site: str,
        report_collector: str,
        match_key_provider: str = ON_DEVICE,
        *,
        on_behalf_of: str,
        network_name: str,
        app: EmbeddingApp | None = None,
    ) -> EncryptedMatchKey:
        """The encrypted match key for a report collector on the current site, in this epoch.

        `on_behalf_of` is the site for whose queries the report collector asks: it can be used in no
        other's (SPEC_NOTES: delegates). It is often not the current site.

        Always returns one: a random match key stands in (and stays) where none was set. The same
        call returns the same ciphertext until the epoch changes or the site's storage is cleared,
        and no longer, for it links (SPEC_NOTES: cached-ciphertexts-link).

        Reveals: nothing of the match key, nor whether one was ever set.
        Raises: ParameterError for a network or match key provider that is not approved.
        """
        if network_name not in self._configurations:
            raise ParameterError(f"{network_name!r} is not an approved helper party network")
        if match_key_provider != ON_DEVICE and match_key_provider not in self._providers:
            raise ParameterError(f"{match_key_provider!r} is not an approved match key provider")
        context = ReportContext(
            network_name=network_name,
            match_key_provider=match_key_provider,
            report_collector=report_collector,
            on_behalf_of=on_behalf_of,
            site=site,
            epoch=self._epoch,
        )
        if app is not None and app.access == "denied-fresh":
            return self._encrypt(self._random_match_key(), context)
        denied = app.identity if app is not None and app.access != "granted" else None
        cache_key = (_storage_owner(app), denied, context)
        if cache_key not in self._ciphertexts:
            match_key = self._match_key(denied, match_key_provider)
            self._ciphertexts[cache_key] = self._encrypt(match_key, context)
        return self._ciphertexts[cache_key]

    def advance_epoch(self, epoch: int | None = None) -> None:
        """Enter the next epoch, or a given later one: match keys set before now take effect.

        Raises: ParameterError when `epoch` is not later than the current one.
        """
        following = self._epoch + 1 if epoch is None else epoch
        check_integer("the next epoch", following, self._epoch + 1, MAX_EPOCH)
        self._epoch = following
        self._ciphertexts.clear()  # bound to the past epoch, so never returned again
        for provider, match_key in self._pending.items():
            self._match_keys[None, provider] = match_key
        self._pending.clear()

    def clear_site_storage(self, site: str, app: EmbeddingApp | None = None) -> None:
        """Clear a site's storage, in the browser or in an app's own: its next ciphertext is new.

        Match keys stay: they are the device's, not the site's.
        """
        for owner, denied, context in list(self._ciphertexts):
            if owner == _storage_owner(app) and context.site == site:
                del self._ciphertexts[owner, denied, context]

    def update_configuration(self, configuration: NetworkConfiguration) -> None:
        """Take over a newer configuration of an approved network: new keys, from now on.

        Ciphertexts of this epoch are kept, so helpers retire a key only after they stop accepting
        reports of the epoch.

        Raises: ParameterError for another name, width or sharing.
        """
        known = self._configurations.get(configuration.name)
        if (
            known is None
            or known.match_key_bits != configuration.match_key_bits
            or known.sharing != configuration.sharing
        ):
            raise ParameterError(
                f"no network {configuration.name!r} with {configuration.sharing} sharing of "
                f"{configuration.match_key_bits}-bit match keys is approved"
            )
        self._configurations[configuration.name] = configuration

    def _match_key(self, denied: str | None, provider: str) -> int:
        """The device's match key of a provider, or the random one of an app denied access."""
        key = (denied, provider)
        if key not in self._match_keys:
            self._match_keys[key] = self._random_match_key()
        return self._match_keys[key]

    def _random_match_key(self) -> int:
        return self._randomness.random_bits(self._match_key_bits)

    def _encrypt(self, match_key: int, context: ReportContext) -> EncryptedMatchKey:
        configuration = self._configurations[context.network_name]
        return encrypt_match_key(match_key, context, configuration, self._randomness)


def _storage_owner(app: EmbeddingApp | None) -> str | None:
    """Whose storage holds the ciphertexts: a content-reading app's, else (None) the browser's."""
    return app.identity if app is not None and app.reads_content else None
