"""The query before any report is opened: each helper reads its stream, and all compare the query.

Spec: Querying; Validating reports. Only streams that cannot be of one query are refused whole.
"""

import hashlib
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass

from ipa.client.configuration import HelperKeys
from ipa.client.fanout_query import QueryStream, read_query_stream
from ipa.client.rejection import Reason, reject
from ipa.errors import ReportError
from ipa.intake.report_decryption import StreamDecryptor
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.primitives.abort import aborting_together
from ipa.protocols.primitives.broadcast import broadcast

_DIGEST_BYTES = 32
_COUNT_BYTES = 4
_HEADER_BYTES = 2 * _DIGEST_BYTES + _COUNT_BYTES
_UNREADABLE = bytes(_HEADER_BYTES)


@dataclass(frozen=True)
class OwnStream:
    """One helper's stream, read and found to be for it; no report is opened yet."""

    stream: QueryStream
    decryption: StreamDecryptor


def read_own_stream(data: bytes, own: HelperKeys, submitter: str) -> OwnStream:
    """Read the stream that `submitter` sent to the holder of `own`. Local.

    Only the report collector for whom the match keys were encrypted may ask about them, so the query
    must be its own (SPEC_NOTES: who-asks).

    Raises: ReportError when the stream's framing is broken, it is for another helper or network, or
    somebody else submitted it.
    """
    stream = read_query_stream(data)
    collector = stream.query.context.report_collector
    if submitter != collector:
        reject(
            Reason.WRONG_COLLECTOR,
            f"it is submitted by {reprlib.repr(submitter)}, and is a query of report collector "
            f"{collector!r}",
        )
    return OwnStream(stream, StreamDecryptor(stream, own))


def compare_queries(
    network: HelperPartyNetwork,
    streams: Mapping[int, bytes],
    keys: Mapping[int, HelperKeys],
    submitters: Mapping[int, str],
) -> dict[int, OwnStream]:
    """Read the local helpers' streams and make sure that all helpers were sent the same query.

    `submitters` are those who sent each local helper its stream: whom the helper has found them to be
    by its own means, such as a client certificate (SPEC_NOTES: who-asks). Compares query, contexts
    and number of reports. Opens no report.

    Cost: two rounds, 200 bytes per helper.
    Reveals: to every helper whether another could read its stream.
    Raises: ReportError, at all helpers, when a helper cannot read its stream or the streams differ;
    a helper that lies can have the same effect. VerificationError when a helper does not tell
    everybody the same.
    """
    with aborting_together(network), network.step("intake/query"):
        readable: dict[int, OwnStream] = {}
        broken: list[ReportError] = []
        for helper in network.helpers:
            try:
                readable[helper] = read_own_stream(
                    streams[helper], keys[helper], submitters[helper]
                )
            except ReportError as error:
                problem = f"the stream of helper {helper}: {error.problem}"
                broken.append(ReportError(problem, error.reason))
        headers = {
            helper: _header(readable[helper].stream) if helper in readable else _UNREADABLE
            for helper in network.helpers
        }
        told = broadcast(network, headers, _HEADER_BYTES)
    if broken:
        raise broken[0]
    _check_headers(told)
    return readable


def _header(stream: QueryStream) -> bytes:
    contexts = b"".join(context.to_bytes() for context in stream.contexts)
    return (
        hashlib.sha256(stream.query.to_bytes()).digest()
        + hashlib.sha256(contexts).digest()
        + len(stream.records).to_bytes(_COUNT_BYTES, "big")
    )


def _check_headers(told: Mapping[int, bytes]) -> None:
    """Raise ReportError unless all three helpers told the same; a function of what was told."""
    for helper, header in told.items():
        if header == _UNREADABLE:
            problem = f"helper {helper} cannot read the query stream it was sent"
            raise ReportError(problem).heard()
    parts = (
        ("queries", 0, _DIGEST_BYTES),
        ("contexts", _DIGEST_BYTES, 2 * _DIGEST_BYTES),
        ("numbers of reports", 2 * _DIGEST_BYTES, _HEADER_BYTES),
    )
    for name, start, stop in parts:
        if len({header[start:stop] for header in told.values()}) > 1:
            raise ReportError(f"the query streams differ: the helpers were sent different {name}")
