"""How many bytes a report takes, next to the spec's way of encrypting it.

The spec encrypts every share of every field by itself: four ciphertexts per report and helper
(match key, attribution constraint ID, timestamp, breakdown key or trigger value), and puts report
collector, site and match key provider into the match key's plaintext. Each ciphertext costs 48
bytes of encapsulated key and tag (1,136 with the post-quantum hybrid), far more than its shares, so
the packed form has two ciphertexts (SPEC_NOTES: report-size).
"""

from dataclasses import dataclass

from ipa.client.encrypted_match_key import match_key_bytes
from ipa.client.fanout_query import FanoutQuery
from ipa.client.keys import KemName, ciphertext_overhead
from ipa.client.report_format import (
    bare_record_bytes,
    ciphertext_widths,
    field_widths,
    record_framing_bytes,
)
from ipa.client.shares import share_bytes, shares_held
from ipa.parameters import ReportKind
from ipa.parties import HELPERS


@dataclass(frozen=True)
class ReportSize:
    """Bytes of one report in one helper's stream.

    Contexts are written once per stream and are not counted.
    """

    match_key: int
    data: int
    framing: int

    @property
    def total(self) -> int:
        """Everything for one helper."""
        return self.match_key + self.data + self.framing


def report_size(
    query: FanoutQuery, kind: ReportKind, kem: KemName = "X25519", helper: int = 1
) -> ReportSize:
    """The exact size of a source or trigger report for one helper, in the query's form and sharing.

    It differs by helper in a two-party sharing alone: helper 3 is sent no share.
    """
    count = shares_held(query.sharing, helper)
    if count == 0:
        return ReportSize(match_key=0, data=0, framing=bare_record_bytes())
    overhead = ciphertext_overhead(kem)
    widths = ciphertext_widths(query, kind)
    return ReportSize(
        match_key=overhead + match_key_bytes(query.match_key_bits, count),
        data=sum(overhead + count * share_bytes(width) for width in widths),
        framing=record_framing_bytes(len(widths)),
    )


def report_size_for_all(query: FanoutQuery, kind: ReportKind, kem: KemName = "X25519") -> int:
    """Bytes of one report in the streams of all three helpers together."""
    return sum(report_size(query, kind, kem, helper).total for helper in HELPERS)


def report_size_in_spec(query: FanoutQuery, kind: ReportKind, kem: KemName = "X25519") -> int:
    """The spec's arithmetic for one helper: four ciphertexts of one share each, no framing.

    The match key's plaintext has the spec's three names beside the share. One share per helper,
    not two: this is what 3-way additive shares without replication would take.
    """
    context = query.context
    names = (context.report_collector, context.site, context.match_key_provider)
    shares = (query.match_key_bits, *field_widths(query.widths, kind))
    plaintext = sum((width + 7) // 8 for width in shares) + sum(len(n.encode()) for n in names)
    return len(shares) * ciphertext_overhead(kem) + plaintext
