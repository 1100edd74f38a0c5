"""Strategies for the inputs of `client/`: contexts, shares, ciphertexts, and bytes that are none."""

from collections.abc import Mapping
from typing import Any, get_args

from hypothesis import strategies as st

from ipa.client.configuration import HelperKeys, NetworkConfiguration
from ipa.client.keys import PrivateKey
from ipa.client.report_format import field_widths as widths_of_kind
from ipa.client.shares import Sharing
from ipa.conformance.client_steps import context_to_json, query_to_json
from ipa.conformance.json_values import Json, numbers
from ipa.parameters import ReportKind
from ipa.parties import HELPERS
from ipa.testing import below, contexts, encrypted_match_keys, fanout_queries, field_widths

_KEY_IDS = below(1 << 16)
_WIDTHS = st.sampled_from([1, 8, 64, 256]) | st.integers(1, 256)
_NONCES = st.binary(min_size=16, max_size=16).map(bytes.hex)
_NETWORK = "net.example"
_RARELY = st.integers(0, 9).map(lambda number: number == 9)


@st.composite
def _context(draw: st.DrawFn) -> Json:
    """A context, now and then one that cannot be."""
    given = context_to_json(draw(contexts()))
    wrong: list[tuple[str, Any]] = [("site", ""), ("network", "A b"), ("epoch", -1)]
    wrong += [("epoch", 1 << 32), ("report_collector", "x" * 256)]
    if draw(st.integers(0, 9)) == 9:
        name, value = draw(st.sampled_from(wrong))
        given[name] = value
    return given


@st.composite
def _match_key_info(draw: st.DrawFn) -> Json:
    """All that a match key's ciphertext is bound to."""
    sharing: Sharing = draw(st.sampled_from(get_args(Sharing)))
    return {
        "context": draw(_context()),
        "helper": draw(st.sampled_from(HELPERS)),
        "key_id": draw(_KEY_IDS),
        "match_key_bits": draw(_WIDTHS),
        "sharing": sharing,
    }


@st.composite
def _match_key_plaintext(draw: st.DrawFn) -> Json:
    """One or two shares, each with its nonce; now and then a share that does not fit."""
    width, count = draw(_WIDTHS), draw(st.sampled_from([1, 2, 2]))
    shares = draw(st.lists(below(1 << width), min_size=count, max_size=count))
    if draw(st.integers(0, 7)) == 7:
        shares[0] = 1 << width
    held = count if draw(st.integers(0, 7)) else count + 1
    nonces = draw(st.lists(_NONCES, min_size=held, max_size=held))
    return {"shares": numbers(shares), "nonces": nonces, "match_key_bits": width}


def _network(width: int, sharing: Sharing) -> NetworkConfiguration:
    own = [
        HelperKeys(_NETWORK, helper, (_private_key(helper),), width, sharing) for helper in HELPERS
    ]
    public = tuple(tuple(key.public() for key in keys.keys) for keys in own)
    return NetworkConfiguration(_NETWORK, public, width, sharing)


def _private_key(helper: int) -> PrivateKey:
    return PrivateKey(1, "X25519", bytes([16 + helper] * 32))


@st.composite
def _damaged_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes, half of the time with some of them changed, taken away or added."""
    place = draw(st.integers(0, len(data) - 1))
    flipped = data[:place] + bytes([data[place] ^ draw(st.integers(1, 255))]) + data[place + 1 :]
    cut, longer = data[:place], data + b"\0"
    whole = st.sampled_from([data, data, data])
    return draw(whole | st.sampled_from([b"\1" + data[1:], flipped, cut, longer]))


@st.composite
def _bytes_of_match_key(draw: st.DrawFn) -> tuple[int, Sharing, bytes]:
    """Width, sharing, and an encrypted match key's bytes, perhaps damaged."""
    width = draw(st.sampled_from([1, 20, 64, 256]))
    sharing: Sharing = draw(st.sampled_from(get_args(Sharing)))
    _, encrypted = draw(encrypted_match_keys(_network(width, sharing)))
    return width, sharing, draw(_damaged_bytes(encrypted.to_bytes()))


@st.composite
def _parse_match_key(draw: st.DrawFn) -> Json:
    """Bytes to take apart."""
    return {"bytes": draw(_bytes_of_match_key())[2].hex()}


@st.composite
def _open_match_key(draw: st.DrawFn) -> Json:
    """Bytes to open with a helper's key, now and then with another's or for another width."""
    width, _, data = draw(_bytes_of_match_key())
    helper = draw(st.sampled_from(HELPERS))
    owner = helper if draw(st.integers(0, 7)) else helper % len(HELPERS) + 1
    return {
        "bytes": data.hex(),
        "helper": helper,
        "key_id": 1 if draw(st.integers(0, 7)) else 2,
        "kem": "X25519",
        "private_key": bytes([16 + owner] * 32).hex(),
        "match_key_bits": width if draw(st.integers(0, 7)) else width % 256 + 1,
    }


@st.composite
def _data_info(draw: st.DrawFn) -> Json:
    """All that a ciphertext of the report collector is bound to."""
    query = query_to_json(draw(fanout_queries()))
    if draw(st.integers(0, 9)) == 9:
        query["match_key_bits"] = draw(st.sampled_from([0, 257]))
    return {
        "query": query,
        "helper": draw(st.sampled_from(HELPERS)),
        "kind": draw(st.sampled_from(get_args(ReportKind))),
        "part": draw(st.integers(0, 2)) if query["form"] == "per-field" or draw(_RARELY) else 0,
        "key_id": draw(_KEY_IDS),
        "match_key_ciphertext": draw(st.binary(max_size=40)).hex(),
    }


@st.composite
def _data_plaintext(draw: st.DrawFn) -> Json:
    """A helper's shares of the fields of a report; now and then one that does not fit."""
    widths = draw(field_widths())
    kind: ReportKind = draw(st.sampled_from(get_args(ReportKind)))
    shares = [
        [draw(below(1 << width)) for width in widths_of_kind(widths, kind)]
        for _ in range(draw(st.sampled_from([1, 2])))
    ]
    if draw(st.integers(0, 7)) == 7:
        place = draw(st.integers(0, 2))
        shares[0][place] = 1 << widths_of_kind(widths, kind)[place]
    given = {"widths": dict(vars(widths)), "kind": kind}
    return given | {"shares": [numbers(fields) for fields in shares]}


DRAWN_CLIENT: Mapping[str, st.SearchStrategy[Json]] = {
    "client/match-key-info": _match_key_info(),
    "client/match-key-plaintext": _match_key_plaintext(),
    "client/parse-match-key": _parse_match_key(),
    "client/open-match-key": _open_match_key(),
    "client/data-info": _data_info(),
    "client/data-plaintext": _data_plaintext(),
}
"""By name, the inputs of a step."""
