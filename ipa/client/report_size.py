"""How many bytes a report takes, next to the spec's way of encrypting it.

The spec encrypts every share of every field by itself: four ciphertexts per report and helper
(match key, attribution constraint ID, timestamp, breakdown key or trigger value), and puts report
collector, site and match key provider into the match key's plaintext. Each ciphertext costs 48
bytes of encapsulated key and tag (1,136 with the post-quantum hybrid), far more than its shares, so
the packed form has two ciphertexts (SPEC_NOTES: report-size).
"""

from dataclasses import dataclass

from ipa.client.encrypted_match_key import match_key_bytes, pair_bytes
from ipa.client.fanout_query import FanoutQuery
from ipa.client.keys import KemName, ciphertext_overhead
from ipa.client.report_format import ciphertext_widths, field_widths, record_framing_bytes
from ipa.parameters import ReportKind


@dataclass(frozen=True)
class ReportSize:
    """Bytes of one report in one helper's stream; a report takes three times `total` in all.

    Contexts are written once per stream and are not counted.
    """

    match_key: int
    data: int
    framing: int

    @property
    def total(self) -> int:
        """Everything for one helper."""
        return self.match_key + self.data + self.framing


def report_size(query: FanoutQuery, kind: ReportKind, kem: KemName = "X25519") -> ReportSize:
    """The exact size of a source or trigger report for one helper, in the query's form."""
    overhead = ciphertext_overhead(kem)
    widths = ciphertext_widths(query, kind)
    return ReportSize(
        match_key=overhead + match_key_bytes(query.match_key_bits),
        data=sum(overhead + pair_bytes(width) for width in widths),
        framing=record_framing_bytes(len(widths)),
    )


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
