"""Every way to break the streams of the small world."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from client_cases import EVENTS, HEADER, HOME, MATCH_KEY_BITS, World, fixed_network, small_world

from ipa.client.encrypted_match_key import ReportContext, SealedShares
from ipa.client.fanout_query import QueryStream, write_query_stream
from ipa.client.keys import PublicKey
from ipa.client.rejection import Reason
from ipa.client.report_format import info, info_prefix, read_record, write_record


@dataclass(frozen=True)
class Case:
    """A broken stream for helper 1. `stage` says where it fails: the stream or a report.

    In stage "report", `reasons` has one entry per row: the reason it is refused, or None.
    """

    name: str
    stage: str
    stream: bytes
    reasons: tuple[Reason | None, ...]


def with_record(stream: QueryStream, row: int, change: Callable[[bytes], bytes]) -> bytes:
    """The stream with one record (counted from 0) changed."""
    records = list(stream.records)
    records[row] = change(records[row])
    return write_query_stream(replace(stream, records=tuple(records)))


def resealed(
    world: World,
    row: int,
    *,
    match_key: bytes | None = None,
    data: bytes | None = None,
    label: ReportContext | None = None,
) -> Callable[[bytes], bytes]:
    """A change of a record by someone who seals plaintexts of his own, correctly, to helper 1."""

    def change(record: bytes) -> bytes:
        parts = read_record(record, world.query)
        key = world.network.encryption_key(1)
        if match_key is not None:
            context = label or EVENTS[row][1]
            ciphertext = key.seal(
                match_key, context.info(1, key.key_id, MATCH_KEY_BITS, "three-party")
            )
            parts = replace(parts, match_key=SealedShares(key.key_id, ciphertext))
        if data is None:
            old = world.helper_keys[0].keys[0]
            prefix = info_prefix(world.query, 1, parts.kind, 0, 1)
            before = read_record(record, world.query).match_key.ciphertext
            plaintext = old.open(parts.data[0], info(prefix, before))
        else:
            plaintext = data
        prefix = info_prefix(world.query, 1, parts.kind, 0, key.key_id)
        sealed = key.seal(plaintext, info(prefix, parts.match_key.ciphertext))
        return write_record(replace(parts, data=(sealed,)))

    return change


def flip(position: int) -> Callable[[bytes], bytes]:
    """Change the lowest bit of one byte."""

    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[position] ^= 1
        return bytes(changed)

    return change


def only(row: int, reason: Reason) -> tuple[Reason | None, ...]:
    """One row refused for a reason, the others accepted."""
    return tuple(reason if place == row else None for place in range(len(EVENTS)))


def broken_streams() -> list[Case]:
    """Streams that fail as a whole: header or framing."""
    world = small_world()
    good = world.streams[0]
    stream = world.stream()
    others = fixed_network(filler=2)[0].helpers[0]
    asking = b"\x0esearch.example"
    shape = HEADER + len(HOME.to_bytes())
    changed: list[tuple[str, bytes, Reason]] = [
        ("empty", b"", Reason.MALFORMED),
        ("not a query stream", b"JPAQ" + good[4:], Reason.MALFORMED),
        ("version 1", good[:4] + b"\1" + good[5:], Reason.UNSUPPORTED_VERSION),
        ("helper 4", good[:5] + b"\4" + good[6:], Reason.MALFORMED),
        ("helper 2's number", good[:5] + b"\2" + good[6:], Reason.WRONG_HELPER),
        ("helper 2's stream", world.streams[1], Reason.WRONG_HELPER),
        ("another network", _of_query(stream, network="other.example"), Reason.WRONG_NETWORK),
        ("another network's key", _with_key(stream, others), Reason.UNKNOWN_KEY),
        ("another helper's key", _with_key(stream, world.network.helpers[1]), Reason.UNKNOWN_KEY),
        ("fanout 3", good[:shape] + b"\3" + good[shape + 1 :], Reason.MALFORMED),
        ("form 0", good[: shape + 1] + b"\0" + good[shape + 2 :], Reason.MALFORMED),
        ("width 0", good[: shape + 2] + b"\0" + good[shape + 3 :], Reason.MALFORMED),
        ("match keys of 257 bits", good[: shape + 6] + b"\1\1" + good[shape + 8 :], _BAD),
        ("match keys of 19 bits", good[: shape + 7] + b"\x13" + good[shape + 8 :], _WIDTH),
        ("two shares", good[: shape + 8] + b"\2" + good[shape + 9 :], _WIDTH),
        ("four shares", good[: shape + 8] + b"\4" + good[shape + 9 :], _BAD),
        (
            "another site than asks",
            good.replace(3 * asking, 2 * asking + b"\x0esxarch.example", 1),
            _BAD,
        ),
        ("name with a space", good.replace(b"login.example", b"login example", 1), _BAD),
        ("name not UTF-8", good.replace(b"login.example", b"login\xffexample", 1), _BAD),
        ("one byte short", good[:-1], Reason.MALFORMED),
        ("one byte more", good + b"\0", Reason.MALFORMED),
        ("one report less than announced", good[: -len(stream.records[-1]) - 2], _BAD),
        ("one context more than reports", _with_contexts(stream, 5), Reason.MALFORMED),
        ("context count too large", _with_contexts(stream, 1 << 31), Reason.MALFORMED),
    ]
    return [Case(name, "stream", data, (reason,)) for name, data, reason in changed]


_BAD = Reason.MALFORMED
_WIDTH = Reason.WRONG_MATCH_KEYS


def broken_reports() -> list[Case]:
    """Streams in which reports break exactly one rule and the others must be accepted."""
    world = small_world()
    stream = world.stream()
    match_key_end = 9 + len(world.match_keys[0].sealed[0].ciphertext)

    def case(name: str, row: int, reason: Reason, change: Callable[[bytes], bytes]) -> Case:
        return Case(name, "report", with_record(stream, row, change), only(row, reason))

    return [
        case("empty record", 0, Reason.MALFORMED, lambda _: b""),
        case("kind 3", 0, Reason.MALFORMED, lambda r: b"\3" + r[1:]),
        case("no such context", 0, Reason.MALFORMED, lambda r: r[:4] + b"\x63" + r[5:]),
        case("record one byte short", 1, Reason.MALFORMED, lambda r: r[:-1]),
        case("record one byte more", 1, Reason.MALFORMED, lambda r: r + b"\0"),
        case("unknown key of match key", 2, Reason.UNKNOWN_KEY, flip(6)),
        case("unknown key of data", 2, Reason.UNKNOWN_KEY, flip(match_key_end + 1)),
        case("match key: encapsulated key changed", 0, Reason.CANNOT_DECRYPT, flip(9)),
        case("match key: tag changed", 3, Reason.CANNOT_DECRYPT, flip(match_key_end - 1)),
        case("data: encapsulated key changed", 3, Reason.CANNOT_DECRYPT, flip(match_key_end + 4)),
        case("data: tag changed", 1, Reason.CANNOT_DECRYPT, flip(-1)),
        case("ciphertext of no bytes", 1, Reason.CANNOT_DECRYPT, lambda r: _empty_data(r, world)),
        case("source called trigger", 2, Reason.CANNOT_DECRYPT, lambda r: b"\2" + r[1:]),
        case("trigger at home called source", 3, Reason.CANNOT_DECRYPT, lambda r: b"\1" + r[1:]),
        case("trigger from elsewhere called source", 1, Reason.WRONG_SITE, lambda r: b"\1" + r[1:]),
        case("another row's data", 0, Reason.CANNOT_DECRYPT, lambda r: _data_of(world, r, 2)),
        case("another helper's ciphertexts", 0, Reason.CANNOT_DECRYPT, _of_helper_2(world)),
        case("match key without nonces", 0, _BAD, resealed(world, 0, match_key=bytes(6))),
        case("match key plaintext short", 0, _BAD, resealed(world, 0, match_key=bytes(37))),
        case("data plaintext long", 1, _BAD, resealed(world, 1, data=bytes(15))),
        *_wrong_contexts(world, stream),
    ]


def _wrong_contexts(world: World, stream: QueryStream) -> list[Case]:
    """Row 2 under a context that is wrong in one item; sealed for it, or lying about it."""
    changes: list[tuple[ReportContext, Reason]] = [
        (replace(HOME, network_name="other.example"), Reason.WRONG_NETWORK),
        (replace(HOME, epoch=6), Reason.WRONG_EPOCH),
        (replace(HOME, report_collector="shoes.example"), Reason.WRONG_COLLECTOR),
        (replace(HOME, on_behalf_of="shoes.example"), Reason.WRONG_ASKING_SITE),
        (replace(HOME, match_key_provider="on-device"), Reason.WRONG_PROVIDER),
        (replace(HOME, site="shoes.example"), Reason.WRONG_SITE),
    ]
    cases = []
    for context, reason in changes:
        seal = resealed(world, 2, match_key=bytes(38), label=context)
        honest = read_record(seal(stream.records[2]), world.query)
        place = len(stream.contexts)
        pointed = write_record(replace(honest, context_index=place))
        records = (*stream.records[:2], pointed, stream.records[3])
        told = replace(stream, contexts=(*stream.contexts, context), records=records)
        cases.append(Case(f"{reason}", "report", write_query_stream(told), only(2, reason)))
        lied = with_record(stream, 2, seal)
        hidden = only(2, Reason.CANNOT_DECRYPT)
        cases.append(Case(f"{reason}, but claims the query's", "report", lied, hidden))
    return cases


def _of_query(stream: QueryStream, *, network: str) -> bytes:
    context = replace(stream.query.context, network_name=network)
    return write_query_stream(replace(stream, query=replace(stream.query, context=context)))


def _with_key(stream: QueryStream, keys: tuple[PublicKey, ...]) -> bytes:
    return write_query_stream(replace(stream, key_fingerprint=keys[0].fingerprint))


def _with_contexts(stream: QueryStream, count: int) -> bytes:
    """As many contexts as that, if there are few; else their number alone."""
    if count < 10:
        contexts = (stream.contexts * count)[:count]
        return write_query_stream(replace(stream, contexts=contexts))
    place = HEADER + len(stream.query.to_bytes())
    data = write_query_stream(stream)
    return data[:place] + count.to_bytes(4, "big") + data[place + 4 :]


def _empty_data(record: bytes, world: World) -> bytes:
    return write_record(replace(read_record(record, world.query), data=(b"",)))


def _data_of(world: World, record: bytes, row: int) -> bytes:
    other = read_record(world.stream().records[row], world.query)
    return write_record(replace(read_record(record, world.query), data=other.data))


def _of_helper_2(world: World) -> Callable[[bytes], bytes]:
    return lambda _: world.stream(2).records[0]
