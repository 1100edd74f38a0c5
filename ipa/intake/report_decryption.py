"""A helper party's side of a query stream: validate and decrypt reports one by one.

Spec: Validating reports; Oblivious source and trigger reports. Local: no messages. What one helper
cannot see alone (that shares are consistent, that the other helpers got the same rows) is for the
helpers to settle together afterwards.
"""

from dataclasses import dataclass, field

from ipa.client.configuration import HelperKeys
from ipa.client.encrypted_match_key import Nonces, decode_pair, open_match_key
from ipa.client.fanout_query import FanoutQuery, QueryStream
from ipa.client.keys import PrivateKey
from ipa.client.rejection import Reason, reject
from ipa.client.report_format import (
    ciphertext_widths,
    generic_attributes,
    info,
    info_prefix,
    pack,
    read_record,
)
from ipa.client.validation import check_context
from ipa.parameters import ReportKind
from ipa.sharing.xor import Pair


@dataclass(frozen=True)
class GenericReportShares:
    """One helper's XOR shares (i, i + 1) of one generic report (spec: generic_report_share).

    `attributes` holds the shares of attribution_constraint_id || timestamp || breakdown_key ||
    trigger_value, the first in the highest bits, with the query's widths; the breakdown key of a
    trigger report and the value of a source report have shares 0. `is_trigger` is known to the
    helpers, not shared yet; they must check that they were told the same. `nonces` are those of the
    match key's shares: to be compared with them, of no use after that.
    """

    is_trigger: bool
    match_key: Pair = field(repr=False)
    nonces: Nonces = field(repr=False)
    attributes: Pair = field(repr=False)


class StreamDecryptor:
    """What opening the reports of one stream has in common, worked out once and not per report.

    Two networks may have one name: the stream's key fingerprint tells them apart, and a query made
    with a retired key, before it is paid for.

    Raises: ReportError WRONG_HELPER, WRONG_NETWORK or UNKNOWN_KEY when the stream is for others than
    the holder of `own`.
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
        self.query: FanoutQuery = stream.query
        self.helper = own.helper
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

    def match_key_info(self, context_index: int, kind: ReportKind, key_id: int) -> bytes:
        """The `info` of match keys with the stream's context `context_index`, in reports of a kind.

        Raises: ReportError when no report with that context may be in the query.
        """
        known = self._match_key_infos.get((context_index, kind, key_id))
        if known is None:
            if context_index >= len(self._contexts):
                reject(Reason.MALFORMED, f"the stream has no context number {context_index}")
            context = self._contexts[context_index]
            check_context(context, kind, self.query)
            known = self._match_key_infos[context_index, kind, key_id] = context.info(
                self.helper, key_id
            )
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

    Cost: two HPKE openings in the packed form, four in the per-field form.
    Raises: ReportError with the first Reason that applies, and nothing else, whatever the bytes.
    """
    query = decryption.query
    report = read_record(record, query)
    kind = report.kind
    sealed = report.match_key
    match_key_info = decryption.match_key_info(report.context_index, kind, sealed.key_id)
    match_key_key = decryption.key(sealed.key_id)
    data_key = decryption.key(report.data_key_id)
    match_key, nonces = open_match_key(
        match_key_key, match_key_info, sealed.ciphertext, query.match_key_bits
    )
    widths = ciphertext_widths(query, kind)
    firsts, seconds = [], []
    for part, (ciphertext, width) in enumerate(zip(report.data, widths, strict=True)):
        prefix = decryption.data_prefix(kind, part, report.data_key_id)
        first, second = decode_pair(
            data_key.open(ciphertext, info(prefix, sealed.ciphertext)), width
        )
        firsts.append(first)
        seconds.append(second)
    attributes = (
        generic_attributes(pack(tuple(firsts), widths), kind, query.widths),
        generic_attributes(pack(tuple(seconds), widths), kind, query.widths),
    )
    return GenericReportShares(kind == "trigger", match_key, nonces, attributes)
