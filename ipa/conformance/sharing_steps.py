"""The right answers to the cases of `sharing/`: what is drawn from pairwise keys, dealt, put together."""

from collections.abc import Callable, Mapping
from itertools import chain

from ipa.conformance.json_values import (
    Json,
    integers,
    numbers,
    refused_at,
    ring_from_json,
    table_to_json,
)
from ipa.errors import RefusedCaseError
from ipa.parties import HELPERS, right_of
from ipa.release import combine_at_collector
from ipa.sharing.bits import bytes_per_column, decode_columns, encode_columns
from ipa.sharing.dealing import share_rows
from ipa.sharing.prss import Prss, ReproducibleKey
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import encode_elements


def _prss(given: Json) -> Json:
    """What the three helpers derive in one session, draw after draw, each its own."""
    keys = [ReproducibleKey(bytes.fromhex(key)) for key in given["keys"]]
    with refused_at("keys", "length"):
        parties = [
            Prss(keys[helper - 1], keys[right_of(helper) - 1]).for_session(given["session"])
            for helper in HELPERS
        ]
    drawn = []
    for draw in given["draws"]:
        with refused_at("draw", "reuse"):
            drawn.append([_draw(party, draw) for party in parties])
    return {"draws": drawn}


def _draw(party: Prss, draw: Json) -> str | list[int]:
    """One helper's own share, or its summand of a sharing of zero, or the permutation of its own key."""
    step, index = draw["step"], draw["index"]
    match draw["kind"]:
        case "random-columns":
            own, _ = party.random_columns(step, draw["width"], draw["rows"], index)
            return encode_columns(own, draw["rows"]).hex()
        case "zero-columns":
            columns = party.zero_columns(step, draw["width"], draw["rows"], index)
            return encode_columns(columns, draw["rows"]).hex()
        case "permutation":
            own_order, _ = party.random_permutations(step, draw["rows"], index)
            return [int(place) for place in own_order]
    ring = ring_from_json(draw["ring"])
    if draw["kind"] == "random-elements":
        elements, _ = party.random_elements(step, ring, draw["count"], index)
    else:
        elements = party.zero_elements(step, ring, draw["count"], index)
    return encode_elements(ring, elements).hex()


class _Given(Randomness):
    """Randomness that is given, column after column."""

    def __init__(self, columns: list[int]) -> None:
        super().__init__()
        self._columns = iter(columns)

    def random_bits(self, width: int) -> int:
        """The next column."""
        return next(self._columns)


def _share(given: Json) -> Json:
    """The table that a client deals whose first and second shares are the given random ones."""
    values, width = integers(given["values"]), given["width"]
    size = width * bytes_per_column(len(values))
    random = [bytes.fromhex(given[name]) for name in ("first", "second")]
    if any(len(share) != size for share in random):
        raise RefusedCaseError("input", "length")
    columns = chain.from_iterable(decode_columns(share, len(values)) for share in random)
    with refused_at("input", "range"):
        return {"table": table_to_json(share_rows("case", values, width, _Given(list(columns))))}


def _reconstruct(given: Json) -> Json:
    """The rows of a result, from three pairs of shares as the helpers sent them."""
    rows, width = given["rows"], given["width"]
    size = width * bytes_per_column(rows)
    pairs = {}
    for helper, pair in zip(HELPERS, given["pairs"], strict=True):
        own, right = (bytes.fromhex(share) for share in pair)
        if len(own) != size or len(right) != size:
            raise RefusedCaseError("input", "length")
        pairs[helper] = (decode_columns(own, rows), decode_columns(right, rows))
    with refused_at("release", "copies"):
        return {"values": numbers(combine_at_collector(pairs, rows, signed=given["signed"]))}


SHARING_STEPS: Mapping[str, Callable[[Json], Json]] = {
    "prss": _prss,
    "share": _share,
    "reconstruct": _reconstruct,
}
"""By name, what answers a case of the step."""
