"""A small world: network, devices, a query of four reports."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from ipa.client.configuration import HelperKeys, NetworkConfiguration
from ipa.client.encrypted_match_key import EncryptedMatchKey, ReportContext, encrypt_match_key
from ipa.client.fanout_query import FanoutQuery, FieldWidths, Form, QueryStream, read_query_stream
from ipa.client.keys import FINGERPRINT_BYTES, KemName, PrivateKey
from ipa.client.report_collector import (
    CollectedEvent,
    SourceData,
    TriggerData,
    assemble_fanout_query,
)
from ipa.client.report_format import attribute_columns
from ipa.client.shares import Sharing
from ipa.errors import ReportError
from ipa.intake.report_decryption import GenericReportShares, StreamDecryptor, decrypt_report
from ipa.parties import HELPERS
from ipa.sharing.randomness import Randomness

MATCH_KEY_BITS = 20
WIDTHS = FieldWidths(
    attribution_constraint_id_bits=9, timestamp_bits=30, breakdown_key_bits=5, value_bits=11
)
HOME = ReportContext(
    network_name="net.example",
    match_key_provider="login.example",
    report_collector="search.example",
    on_behalf_of="search.example",
    site="search.example",
    epoch=7,
)
NONCES = (bytes(16), bytes(16))
ELSEWHERE = replace(HOME, site="shoes.example")
SEED = 2026
HEADER = 6 + FINGERPRINT_BYTES
"""Where the query starts in a stream."""

# Match key, context, data: a source fanout query of search.example.
EVENTS: tuple[tuple[int, ReportContext, SourceData | TriggerData], ...] = (
    (
        0xABCDE,
        HOME,
        SourceData(attribution_constraint_id=0x1FF, timestamp=0x3FFFFFFF, breakdown_key=0x1F),
    ),
    (
        0xABCDE,
        ELSEWHERE,
        TriggerData(attribution_constraint_id=0x155, timestamp=0x12345678, trigger_value=0x7FF),
    ),
    (0x00001, HOME, SourceData(attribution_constraint_id=0, timestamp=1, breakdown_key=2)),
    (0x00000, HOME, TriggerData(attribution_constraint_id=3, timestamp=4, trigger_value=5)),
)


@dataclass(frozen=True)
class World:
    """A network with its private keys, a query, its events and the three streams."""

    network: NetworkConfiguration
    helper_keys: tuple[HelperKeys, ...]
    query: FanoutQuery
    match_keys: tuple[EncryptedMatchKey, ...]
    streams: tuple[bytes, bytes, bytes]

    def stream(self, helper: int = 1) -> QueryStream:
        return read_query_stream(self.streams[helper - 1])


def context_from_json(fields: Mapping[str, Any]) -> ReportContext:
    """A context as vectors have it: the network's name is called `network` there."""
    return ReportContext(
        network_name=fields["network"],
        **{name: value for name, value in fields.items() if name != "network"},
    )


def context_to_json(context: ReportContext) -> dict[str, Any]:
    """The inverse of context_from_json."""
    return {name.replace("network_name", "network"): value for name, value in vars(context).items()}


def split_attributes(packed: int, widths: FieldWidths) -> tuple[int, ...]:
    """Constraint ID, timestamp, breakdown key and trigger value, from their packed bits."""
    columns = attribute_columns(widths)
    names = ("attribution_constraint_id", "timestamp", "breakdown_key", "trigger_value")
    return tuple(
        packed >> columns[name].start & (1 << columns[name].stop - columns[name].start) - 1
        for name in names
    )


def fixed_network(
    identity: str = "net.example",
    kem: KemName = "X25519",
    filler: int = 1,
    sharing: Sharing = "three-party",
) -> tuple[NetworkConfiguration, tuple[HelperKeys, ...]]:
    """A network whose private keys are repeated bytes: for vectors, and to be the same twice."""
    own = tuple(
        HelperKeys(
            identity,
            helper,
            (PrivateKey(1, kem, bytes([16 * filler + helper] * 32)),),
            MATCH_KEY_BITS,
            sharing,
        )
        for helper in HELPERS
    )
    public = tuple(tuple(key.public() for key in keys.keys) for keys in own)
    return NetworkConfiguration(identity, public, MATCH_KEY_BITS, sharing), own


@cache
def small_world(
    form: Form = "packed", kem: KemName = "X25519", sharing: Sharing = "three-party"
) -> World:
    """The network, query and four events above, shared from SEED."""
    network, own = fixed_network(kem=kem, sharing=sharing)
    query = FanoutQuery(
        context=HOME,
        fanout="source",
        widths=WIDTHS,
        match_key_bits=MATCH_KEY_BITS,
        form=form,
        sharing=sharing,
    )
    device = Randomness.from_seed(SEED, "device")
    match_keys = tuple(encrypt_match_key(mk, where, network, device) for mk, where, _ in EVENTS)
    events = [
        CollectedEvent(data, match_key)
        for (_, _, data), match_key in zip(EVENTS, match_keys, strict=True)
    ]
    collector = Randomness.from_seed(SEED, "report collector")
    streams = assemble_fanout_query(query, events, network, collector)
    return World(network, own, query, match_keys, streams)


def decrypt_reports(
    stream: QueryStream, own: HelperKeys
) -> list[GenericReportShares | ReportError]:
    """Each report's shares, or why it is refused, in the stream's order."""
    decryption = StreamDecryptor(stream, own)
    results: list[GenericReportShares | ReportError] = []
    for record in stream.records:
        try:
            results.append(decrypt_report(record, decryption))
        except ReportError as error:
            results.append(error)
    return results
