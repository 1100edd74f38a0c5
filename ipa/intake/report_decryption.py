"""A helper party's side of a query stream: validate and decrypt reports one by one.

Spec: Validating reports; Oblivious source and trigger reports. Local: no messages. What one helper
cannot see alone (that shares are consistent, that the other helpers got the same rows) is for the
helpers to settle together afterwards.
"""

from dataclasses import dataclass, field

from ipa.client.configuration import HelperKeys
from ipa.client.encrypted_match_key import Nonces, ReportContext, open_match_key
from ipa.client.fanout_query import FanoutQuery, QueryStream
from ipa.client.keys import PrivateKey
from ipa.client.rejection import Reason, reject
from ipa.client.report_format import (
    ciphertext_widths,
    generic_attributes,
    info,
    info_prefix,
    pack,
    read_bare_record,
    read_record,
)
from ipa.client.shares import Shares, decode_shares, shares_held
from ipa.client.validation import check_context
from ipa.parameters import ReportKind


@dataclass(frozen=True)
class GenericReportShares:
    """One helper's XOR shares of one generic report (spec: generic_report_share).

    They are the shares (i, i + 1) of a three-party sharing; share i of a two-party sharing, of which
    helper 3 has none.

    `attributes` holds the shares of attribution_constraint_id || timestamp || breakdown_key ||
    trigger_value, the first in the highest bits, with the query's widths; the breakdown key of a
    trigger report and the value of a source report have shares 0. `is_trigger` is known to the
    helpers, not shared yet; they must check that they were told the same. `nonces` are those of the
    match key's shares: to be compared with them, of no use after that.
    """

    is_trigger: bool
    match_key: Shares = field(repr=False)
    nonces: Nonces = field(repr=False)
    attributes: Shares = field(repr=False)


class StreamDecryptor:
    """What opening the reports of one stream has in common, worked out once and not per report.

    Two networks may have one name: the stream's key fingerprint tells them apart, and a query made
    with a retired key, before it is paid for. So it is with the width and the sharing of match keys,
    which the helper knows from its own key file (SPEC_NOTES: public-reasons).

    Raises: ReportError WRONG_HELPER, WRONG_NETWORK or UNKNOWN_KEY when the stream is for others than
    the holder of `own`, WRONG_MATCH_KEYS when it is of match keys that the network does not have.
    """

    def __init__(self, stream: QueryStream, own: HelperKeys) -> None:
        network = stream.query.context.network_name
        if stream.helper != own.helper:
            reject(
                Reason.WRONG_HELPER,
                f"the stream is for helper {stream.helper}, this is helper {own.helper}",
            )
        if network != own.network_name:
            reject(
                Reason.WRONG_NETWORK,
                f"the query is for network {network!r}, not {own.network_name!r}",
            )
        if all(stream.key_fingerprint != key.public().fingerprint for key in own.keys):
            reject(
                Reason.UNKNOWN_KEY,
                f"the query is for a key that helper {own.helper} of network {network!r} does not "
                "have: it was retired, or belongs to another network of that name",
            )
        if (stream.query.match_key_bits, stream.query.sharing) != (own.match_key_bits, own.sharing):
            reject(
                Reason.WRONG_MATCH_KEYS,
                f"the query is for {stream.query.sharing} sharing of match keys of "
                f"{stream.query.match_key_bits} bits, network {network!r} has {own.sharing} sharing "
                f"and {own.match_key_bits} bits",
            )
        self.query: FanoutQuery = stream.query
        self.helper = own.helper
        self.shares_held = shares_held(own.sharing, own.helper)
        self._contexts = stream.contexts
        self._keys = {key.key_id: key for key in own.keys}
        self._match_key_infos: dict[tuple[int, ReportKind, int], bytes] = {}
        self._data_prefixes: dict[tuple[ReportKind, int, int], bytes] = {}

    def key(self, key_id: int) -> PrivateKey:
        """The private key with this id.

        Raises: ReportError UNKNOWN_KEY when there is none.
        """
        key = self._keys.get(key_id)
        if key is None:
            reject(Reason.UNKNOWN_KEY, f"helper {self.helper} has no active key {key_id}")
        return key

    def context(self, context_index: int, kind: ReportKind) -> ReportContext:
        """The stream's context `context_index`, for a report of a kind.

        Raises: ReportError when no report with that context may be in the query.
        """
        if context_index >= len(self._contexts):
            reject(Reason.MALFORMED, f"the stream has no context number {context_index}")
        context = self._contexts[context_index]
        check_context(context, kind, self.query)
        return context

    def match_key_info(self, context_index: int, kind: ReportKind, key_id: int) -> bytes:
        """The `info` of match keys with the stream's context `context_index`, in reports of a kind.

        Raises: ReportError when no report with that context may be in the query.
        """
        known = self._match_key_infos.get((context_index, kind, key_id))
        if known is None:
            context = self.context(context_index, kind)
            known = context.info(self.helper, key_id, self.query.match_key_bits, self.query.sharing)
            self._match_key_infos[context_index, kind, key_id] = known
        return known

    def data_prefix(self, kind: ReportKind, part: int, key_id: int) -> bytes:
        """The `info` of the collector's ciphertexts, up to the match key's ciphertext."""
        known = self._data_prefixes.get((kind, part, key_id))
        if known is None:
            known = info_prefix(self.query, self.helper, kind, part, key_id)
            self._data_prefixes[kind, part, key_id] = known
        return known


def decrypt_report(record: bytes, decryption: StreamDecryptor) -> GenericReportShares:
    """Validate and decrypt one record of a stream. Local.

    Cost: two HPKE openings in the packed form, four in the per-field form; none for a helper that is
    sent no share.
    Raises: ReportError with the first Reason that applies, and nothing else, whatever the bytes.
    """
    query, count = decryption.query, decryption.shares_held
    if count == 0:
        bare = read_bare_record(record)
        decryption.context(bare.context_index, bare.kind)
        return GenericReportShares(bare.kind == "trigger", (), (), ())
    report = read_record(record, query)
    kind = report.kind
    sealed = report.match_key
    match_key_info = decryption.match_key_info(report.context_index, kind, sealed.key_id)
    match_key_key = decryption.key(sealed.key_id)
    data_key = decryption.key(report.data_key_id)
    match_key, nonces = open_match_key(
        match_key_key, match_key_info, sealed.ciphertext, query.match_key_bits, count
    )
    widths = ciphertext_widths(query, kind)
    parts: list[Shares] = []
    for part, (ciphertext, width) in enumerate(zip(report.data, widths, strict=True)):
        prefix = decryption.data_prefix(kind, part, report.data_key_id)
        plaintext = data_key.open(ciphertext, info(prefix, sealed.ciphertext))
        parts.append(decode_shares(plaintext, width, count))
    attributes = tuple(
        generic_attributes(pack(share, widths), kind, query.widths)
        for share in zip(*parts, strict=True)
    )
    return GenericReportShares(kind == "trigger", match_key, nonces, attributes)
