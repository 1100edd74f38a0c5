"""The encrypted match key: what get_encrypted_match_key() returns.

Spec: Client Side: Getting the encrypted match key report.

The spec's data_i = (mk_i, report_collector, current site, match_key_provider) is split: the shares
are the plaintext, the rest, with network and epoch, is bound as HPKE `info` and travels beside the
ciphertext (SPEC_NOTES: context-in-info). A ciphertext opens only under the context, width and
sharing that it was sealed for. HPKE's base mode does not say who sealed it: anyone can make up match
keys, but nobody can move a device's match key to another context. Beside every share travels a
random nonce, which its two holders compare with the share. A helper who knows two shares could
otherwise have a third made up for a guess, put beside the device's own ciphertexts, and see whether
it fits: an exact test of the match key. It does not know that share's nonce
(SPEC_NOTES: share-nonces). The two shares of a two-party sharing have one nonce together, so that
shares of two devices are not taken for one report (SPEC_NOTES: two-party).
Bytes, version 2 (ipa.client.encoding):

    u8       version = 2
    string   network, match_key_provider, report_collector, on_behalf_of, site     the context
    u32      epoch
    u8       shares: 3 three-party, 2 two-party
    that many times, for helpers 1, 2 (and 3):
      u16      key_id of the helper's HPKE key
      opaque   ciphertext: encapsulated key || AEAD ciphertext || tag
    plaintext: share i || nonce i || share i + 1 || nonce i + 1, each share ceil(match_key_bits / 8)
               bytes, big-endian, each nonce 16 bytes; two-party: share i || nonce
    info: opaque label "ipa v2 match key", opaque helper (u8), opaque network,
          opaque match_key_provider, opaque report_collector, opaque on_behalf_of, opaque site,
          opaque epoch (u32), opaque match_key_bits (u16), opaque shares (u8), opaque key_id (u16)
"""

from dataclasses import dataclass, field

from ipa.client.configuration import NetworkConfiguration
from ipa.client.encoding import Reader, encode_opaque, encode_string
from ipa.client.keys import PrivateKey
from ipa.client.rejection import Reason, reject
from ipa.client.shares import (
    SHARE_COUNTS,
    SHARINGS,
    Shares,
    Sharing,
    check_length,
    decode_shares,
    encode_shares,
    share_among,
    share_bytes,
    share_holders,
)
from ipa.errors import ParameterError
from ipa.names import MAX_EPOCH, check_identifier
from ipa.parties import HELPERS
from ipa.ranges import check_integer
from ipa.sharing.randomness import Randomness

VERSION = 2
NONCE_BYTES = 16
_LABEL = b"ipa v2 match key"
_NAMES = ("network_name", "match_key_provider", "report_collector", "on_behalf_of", "site")

Nonces = tuple[bytes, ...]
"""The nonces of a helper's shares of a match key, one for each."""


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """Where and for whom a match key was encrypted; public, bound to the ciphertext.

    `on_behalf_of` is the site for which `report_collector` collects: a delegate of two sites is two
    report collectors (SPEC_NOTES: delegates). `site` is where the event happened.

    Raises: ParameterError when a name is no identifier, or the epoch is not from 0 to 2**32 - 1.
    """

    network_name: str
    match_key_provider: str
    report_collector: str
    on_behalf_of: str
    site: str
    epoch: int

    def __post_init__(self) -> None:
        for name in _NAMES:
            check_identifier(name, getattr(self, name))
        check_integer("epoch", self.epoch, 0, MAX_EPOCH)

    def to_bytes(self) -> bytes:
        """The context in the byte format."""
        return b"".join(map(encode_string, self._names())) + self.epoch.to_bytes(4, "big")

    @classmethod
    def read(cls, reader: Reader) -> "ReportContext":
        """The next context of a byte string.

        Raises: ReportError MALFORMED when there is none.
        """
        names = {name: reader.string() for name in _NAMES}
        return cls(**names, epoch=reader.integer(4))

    def info(self, helper: int, key_id: int, match_key_bits: int, sharing: Sharing) -> bytes:
        """The HPKE `info` of the match key ciphertext for one helper under one of its keys.

        Width and sharing are bound, so that nobody else's choice of them opens the ciphertext
        (SPEC_NOTES: public-reasons).
        """
        parts = (
            _LABEL,
            bytes([helper]),
            *(name.encode() for name in self._names()),
            self.epoch.to_bytes(4, "big"),
            match_key_bits.to_bytes(2, "big"),
            bytes([SHARE_COUNTS[sharing]]),
            key_id.to_bytes(2, "big"),
        )
        return b"".join(map(encode_opaque, parts))

    def _names(self) -> list[str]:
        return [getattr(self, name) for name in _NAMES]


@dataclass(frozen=True)
class SealedShares:
    """A ciphertext and the id of the key that opens it."""

    key_id: int
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True)
class EncryptedMatchKey:
    """A match key shared and encrypted to the helper parties, with its public context.

    `sealed` has a ciphertext for each helper that is sent shares: three, or the first two. Size, type
    and repr depend on the context and the helpers' keys alone: they say nothing about the match key,
    nor whether one was ever set.
    """

    context: ReportContext
    sealed: tuple[SealedShares, ...]

    def to_bytes(self) -> bytes:
        """The byte format above."""
        pieces = [bytes([VERSION]), self.context.to_bytes(), bytes([len(self.sealed)])]
        for part in self.sealed:
            pieces += [part.key_id.to_bytes(2, "big"), encode_opaque(part.ciphertext)]
        return b"".join(pieces)

    @classmethod
    def from_bytes(cls, data: bytes) -> "EncryptedMatchKey":
        """Read the byte format. Opens nothing.

        Raises: ReportError MALFORMED or UNSUPPORTED_VERSION.
        """
        reader = Reader(data, "the encrypted match key")
        check_version(reader.integer(1), VERSION, "the encrypted match key")
        context = ReportContext.read(reader)
        count = reader.integer(1)
        if count not in SHARINGS:
            reject(Reason.MALFORMED, f"the encrypted match key has {count} shares, not 2 or 3")
        sealed = tuple(SealedShares(reader.integer(2), reader.opaque()) for _ in range(count))
        reader.finish()
        return cls(context, sealed)


def encrypt_match_key(
    match_key: int,
    context: ReportContext,
    configuration: NetworkConfiguration,
    randomness: Randomness,
) -> EncryptedMatchKey:
    """Share and encrypt a match key (spec, steps 2 to 4), in the network's sharing.

    In a three-party sharing helper i gets the pair (i, i + 1), in a two-party sharing helpers 1 and
    2 get a share each.

    Raises: ParameterError when the match key does not fit the network's match_key_bits, or the
    context names another network.
    """
    if context.network_name != configuration.name:
        raise ParameterError(
            f"the context is for network {context.network_name!r}, not {configuration.name!r}"
        )
    width, sharing = configuration.match_key_bits, configuration.sharing
    shares = share_among(match_key, width, sharing, randomness)
    nonces = draw_nonces(sharing, randomness)
    sealed = []
    for helper in share_holders(sharing):
        key = configuration.encryption_key(helper)
        plaintext = encode_match_key(shares[helper], nonces[helper], width)
        info = context.info(helper, key.key_id, width, sharing)
        sealed.append(SealedShares(key.key_id, key.seal(plaintext, info)))
    return EncryptedMatchKey(context, tuple(sealed))


def draw_nonces(sharing: Sharing, randomness: Randomness) -> dict[int, Nonces]:
    """The nonces of each helper's shares: one for each of three shares, or one for both of two."""
    if sharing == "two-party":
        nonce = randomness.random_bytes(NONCE_BYTES)
        return dict.fromkeys(share_holders(sharing), (nonce,))
    nonces = [randomness.random_bytes(NONCE_BYTES) for _ in HELPERS]
    return {helper: (nonces[helper - 1], nonces[helper % len(HELPERS)]) for helper in HELPERS}


def open_match_key(
    key: PrivateKey, info: bytes, ciphertext: bytes, width: int, count: int
) -> tuple[Shares, Nonces]:
    """A helper's `count` shares of a match key of `width` bits, and their nonces.

    `info` is ReportContext.info of what the report claims: the ciphertext opens only if it was
    sealed for the same.

    Raises: ReportError CANNOT_DECRYPT, or MALFORMED for another length.
    """
    return decode_match_key(key.open(ciphertext, info), width, count)


def encode_match_key(shares: Shares, nonces: Nonces, width: int) -> bytes:
    """The plaintext of a match key for one helper: its shares, each followed by its nonce."""
    return b"".join(
        encode_shares((share,), width) + nonce for share, nonce in zip(shares, nonces, strict=True)
    )


def decode_match_key(data: bytes, width: int, count: int) -> tuple[Shares, Nonces]:
    """The inverse of encode_match_key, for `count` shares.

    Raises: ReportError MALFORMED for another length, and nothing else whatever the bytes.
    """
    check_length(data, match_key_bytes(width, count))
    size = share_bytes(width)
    each = size + NONCE_BYTES
    starts = range(0, len(data), each)
    shares = b"".join(data[start : start + size] for start in starts)
    nonces = tuple(data[start + size : start + each] for start in starts)
    return decode_shares(shares, width, count), nonces


def match_key_bytes(width: int, count: int) -> int:
    """How long the plaintext of a helper's `count` shares of a match key of `width` bits is."""
    return count * (share_bytes(width) + NONCE_BYTES)


def check_version(version: int, supported: int, what: str) -> None:
    """Refuse a format version other than the supported one.

    Raises: ReportError UNSUPPORTED_VERSION.
    """
    if version != supported:
        reject(Reason.UNSUPPORTED_VERSION, f"{what} has format version {version}, not {supported}")
