"""The encrypted match key: what get_encrypted_match_key() returns.

Spec: Client Side: Getting the encrypted match key report.

The spec's data_i = (mk_i, report_collector, current site, match_key_provider) is split: the shares
are the plaintext, the rest, with network and epoch, is bound as HPKE `info` and travels beside the
ciphertext (SPEC_NOTES: context-in-info). A ciphertext opens only under the context it was sealed
for. HPKE's base mode does not say who sealed it: anyone can make up match keys, but nobody can move
a device's match key to another context. Beside every share travels a random nonce, which its two
holders compare with the share. A helper who knows two shares could otherwise have a third made up
for a guess, put beside the device's own ciphertexts, and see whether it fits: an exact test of the
match key. It does not know that share's nonce (SPEC_NOTES: share-nonces).
Bytes, version 1 (ipa.client.encoding):

    u8       version = 1
    string   network, match_key_provider, report_collector, site        the context
    u32      epoch
    3 times, for helpers 1, 2, 3:
      u16      key_id of the helper's HPKE key
      opaque   ciphertext: encapsulated key || AEAD ciphertext || tag
    plaintext: share i || nonce i || share i + 1 || nonce i + 1, each share ceil(match_key_bits / 8)
               bytes, big-endian, each nonce 16 bytes
    info: opaque label "ipa v1 match key", opaque helper (u8), opaque network,
          opaque match_key_provider, opaque report_collector, opaque site, opaque epoch (u32),
          opaque key_id (u16)
"""

from dataclasses import dataclass, field

from ipa.client.configuration import NetworkConfiguration
from ipa.client.encoding import Reader, encode_opaque, encode_string
from ipa.client.keys import PrivateKey
from ipa.client.rejection import Reason, reject
from ipa.errors import ParameterError
from ipa.names import MAX_EPOCH, check_identifier
from ipa.parties import HELPERS
from ipa.ranges import check_integer
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import Pair, replicated_pairs, share_xor

VERSION = 1
NONCE_BYTES = 16
_LABEL = b"ipa v1 match key"

Nonces = tuple[bytes, bytes]
"""The nonces of a helper's pair of shares (i, i + 1) of a match key."""


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """Where and for whom a match key was encrypted; public, bound to the ciphertext.

    Raises: ParameterError when a name is no identifier, or the epoch is not from 0 to 2**32 - 1.
    """

    network_name: str
    match_key_provider: str
    report_collector: str
    site: str
    epoch: int

    def __post_init__(self) -> None:
        for name in ("network_name", "match_key_provider", "report_collector", "site"):
            check_identifier(name, getattr(self, name))
        check_integer("epoch", self.epoch, 0, MAX_EPOCH)

    def to_bytes(self) -> bytes:
        """The context in the byte format."""
        names = (self.network_name, self.match_key_provider, self.report_collector, self.site)
        return b"".join(map(encode_string, names)) + self.epoch.to_bytes(4, "big")

    @classmethod
    def read(cls, reader: Reader) -> "ReportContext":
        """The next context of a byte string.

        Raises: ReportError MALFORMED when there is none.
        """
        network_name, provider, collector, site = (reader.string() for _ in range(4))
        return cls(
            network_name=network_name,
            match_key_provider=provider,
            report_collector=collector,
            site=site,
            epoch=reader.integer(4),
        )

    def info(self, helper: int, key_id: int) -> bytes:
        """The HPKE `info` of the match key ciphertext for one helper under one of its keys."""
        parts = (
            _LABEL,
            bytes([helper]),
            self.network_name.encode(),
            self.match_key_provider.encode(),
            self.report_collector.encode(),
            self.site.encode(),
            self.epoch.to_bytes(4, "big"),
            key_id.to_bytes(2, "big"),
        )
        return b"".join(map(encode_opaque, parts))


@dataclass(frozen=True)
class SealedShares:
    """A ciphertext and the id of the key that opens it."""

    key_id: int
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True)
class EncryptedMatchKey:
    """A match key shared and encrypted to the three helper parties, with its public context.

    Size, type and repr depend on the context and the helpers' keys alone: they say nothing about
    the match key, nor whether one was ever set.
    """

    context: ReportContext
    sealed: tuple[SealedShares, ...]

    def to_bytes(self) -> bytes:
        """The byte format above."""
        pieces = [bytes([VERSION]), self.context.to_bytes()]
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
        sealed = tuple(SealedShares(reader.integer(2), reader.opaque()) for _ in HELPERS)
        reader.finish()
        return cls(context, sealed)


def encrypt_match_key(
    match_key: int,
    context: ReportContext,
    configuration: NetworkConfiguration,
    randomness: Randomness,
) -> EncryptedMatchKey:
    """Share and encrypt a match key (spec, steps 2 to 4): helper i gets the pair (i, i + 1).

    Raises: ParameterError when the match key does not fit the network's match_key_bits, or the
    context names another network.
    """
    if context.network_name != configuration.name:
        raise ParameterError(
            f"the context is for network {context.network_name!r}, not {configuration.name!r}"
        )
    width = configuration.match_key_bits
    sealed = []
    pairs = replicated_pairs(share_xor(match_key, width, randomness))
    nonces = [randomness.random_bytes(NONCE_BYTES) for _ in HELPERS]
    for helper, pair in zip(HELPERS, pairs, strict=True):
        key = configuration.encryption_key(helper)
        own_nonces = nonces[helper - 1], nonces[helper % len(HELPERS)]
        plaintext = encode_match_key(pair, own_nonces, width)
        sealed.append(
            SealedShares(key.key_id, key.seal(plaintext, context.info(helper, key.key_id)))
        )
    return EncryptedMatchKey(context, tuple(sealed))


def open_match_key(
    key: PrivateKey, info: bytes, ciphertext: bytes, width: int
) -> tuple[Pair, Nonces]:
    """A helper's pair of shares of a match key of `width` bits, and their nonces.

    `info` is ReportContext.info of what the report claims: the ciphertext opens only if it was
    sealed for the same.

    Raises: ReportError CANNOT_DECRYPT, MALFORMED, OUT_OF_RANGE.
    """
    return decode_match_key(key.open(ciphertext, info), width)


def encode_match_key(pair: Pair, nonces: Nonces, width: int) -> bytes:
    """The plaintext of a match key for one helper: two shares, each followed by its nonce."""
    shares = encode_pair(pair, width)
    size = len(shares) // 2
    return shares[:size] + nonces[0] + shares[size:] + nonces[1]


def decode_match_key(data: bytes, width: int) -> tuple[Pair, Nonces]:
    """The inverse of encode_match_key.

    Raises: ReportError MALFORMED or OUT_OF_RANGE.
    """
    length = match_key_bytes(width)
    if len(data) != length:
        reject(Reason.MALFORMED, f"the plaintext has {len(data)} bytes instead of {length}")
    half = length // 2
    size = half - NONCE_BYTES
    pair = decode_pair(data[:size] + data[half : half + size], width)
    return pair, (data[size:half], data[half + size :])


def match_key_bytes(width: int) -> int:
    """How long the plaintext of a match key of `width` bits is."""
    return pair_bytes(width) + 2 * NONCE_BYTES


def encode_pair(pair: Pair, width: int) -> bytes:
    """Two shares of `width` bits, each in ceil(width / 8) bytes, big-endian.

    A helper is sent both of its replicated shares (SPEC_NOTES: replicated-plaintext).
    """
    size = (width + 7) // 8
    return pair[0].to_bytes(size, "big") + pair[1].to_bytes(size, "big")


def decode_pair(data: bytes, width: int) -> Pair:
    """The inverse of encode_pair.

    That two shares fit their width is all that a helper can see of a value's range.

    Raises: ReportError MALFORMED for another length, OUT_OF_RANGE for a share that is too wide.
    """
    length = pair_bytes(width)
    if len(data) != length:
        reject(Reason.MALFORMED, f"the plaintext has {len(data)} bytes instead of {length}")
    size = length // 2
    first = int.from_bytes(data[:size], "big")
    second = int.from_bytes(data[size:], "big")
    if (first | second) >> width:
        reject(Reason.OUT_OF_RANGE, f"a share does not fit {width} bits")
    return first, second


def pair_bytes(width: int) -> int:
    """How long two encoded shares of `width` bits are."""
    return 2 * ((width + 7) // 8)


def check_version(version: int, supported: int, what: str) -> None:
    """Refuse a format version other than the supported one.

    Raises: ReportError UNSUPPORTED_VERSION.
    """
    if version != supported:
        reject(Reason.UNSUPPORTED_VERSION, f"{what} has format version {version}, not {supported}")
