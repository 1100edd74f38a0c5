"""The right answers to the cases of `messages/`: a step's messages and what each helper then holds.

They come from the library's own steps, run by three helpers in lockstep.
"""

from collections.abc import Callable, Mapping
from functools import partial

from ipa.conformance.json_values import (
    Json,
    numbers,
    ring_from_json,
    table_from_json,
    table_to_json,
)
from ipa.conformance.message_runs import Act, messages_of
from ipa.conformance.noise_values import noise_from_json
from ipa.errors import MismatchError, RefusedCaseError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.product_log import BitProducts
from ipa.parameters import bits_for
from ipa.parties import HELPERS, right_of
from ipa.protocols.aggregation import sums_per_breakdown
from ipa.protocols.capping import cap_credits
from ipa.protocols.circuits.addition import add
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import look_ahead
from ipa.protocols.circuits.shuffle import shuffle
from ipa.protocols.circuits.sorting import sort_rows
from ipa.protocols.first_touch import attribute_first_touch
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.noise import laplace_noise_from_words
from ipa.protocols.primitives.abort import agree_to_release
from ipa.protocols.primitives.coins import public_coins
from ipa.protocols.primitives.input_check import check_inputs
from ipa.protocols.primitives.opening import open_bits
from ipa.protocols.primitives.run_name import NONCE_BYTES, name_from_nonces
from ipa.protocols.verification.product_check import check_products, record_bits
from ipa.sharing.bits import encode_columns
from ipa.sharing.prss import KEY_BYTES
from ipa.sharing.shared_bits import SharedBits


def _tables(network: HelperPartyNetwork, given: Json, *names: str) -> list[SharedBits]:
    return [table_from_json(network.name, given[name]) for name in names]


def _result(table: SharedBits) -> Json:
    return {"result": table_to_json(table)}


def _multiply(network: HelperPartyNetwork, given: Json) -> Json:
    x, y = _tables(network, given, "x", "y")
    return _result(multiply(network, x, y))


def _open(network: HelperPartyNetwork, given: Json) -> Json:
    (x,) = _tables(network, given, "x")
    return {"opened": encode_columns(open_bits(network, x), x.rows).hex()}


def _compare(network: HelperPartyNetwork, given: Json) -> Json:
    return _result(greater_than(network, *_tables(network, given, "x", "y")))


def _add(network: HelperPartyNetwork, given: Json) -> Json:
    return _result(add(network, *_tables(network, given, "x", "y")))


def _sort(network: HelperPartyNetwork, given: Json) -> Json:
    (table,) = _tables(network, given, "table")
    return _result(sort_rows(network, table, given["key_bits"]))


def _shuffle(network: HelperPartyNetwork, given: Json) -> Json:
    (table,) = _tables(network, given, "table")
    return _result(shuffle(network, table).take(range(table.rows), table.width))


def _coins(network: HelperPartyNetwork, given: Json) -> Json:
    ring = ring_from_json(given["ring"])
    return {"coins": numbers(public_coins(network, ring, given["count"]))}


def _check_inputs(network: HelperPartyNetwork, given: Json) -> Json:
    tables = [table_from_json(network.name, table) for table in given["tables"]]
    check_inputs(network, tables, [bytes.fromhex(part) for part in given["agreed"]])
    return {}


def _agree(network: HelperPartyNetwork, _: Json) -> Json:
    agree_to_release(network)
    return {}


def _run_name(network: HelperPartyNetwork, given: Json) -> Json:
    nonces = dict(zip(HELPERS, map(bytes.fromhex, given["nonces"]), strict=True))
    if any(len(nonce) != NONCE_BYTES for nonce in nonces.values()):
        raise RefusedCaseError("input", "length")
    return {"name": name_from_nonces(network, nonces)}


def _check_products(network: HelperPartyNetwork, given: Json) -> Json:
    """Products that were made before, with whatever `z` says: the check finds the wrong ones."""
    for product in given["products"]:
        x, y, z = _tables(network, product, "x", "y", "z")
        x.check_same_rows(y)
        y.check_same_shape(z)
        if len(product["factors"]) != y.width or not set(product["factors"]) <= set(range(x.width)):
            raise MismatchError("each column of y has a factor among those of x")
        encoded = {h: encode_columns(z.shares_of(h)[0], z.rows) for h in HELPERS}
        pairs = {h: (encoded[h], encoded[right_of(h)]) for h in HELPERS}
        record_bits(network, BitProducts(x, y, pairs, tuple(product["factors"])))
    check_products(network)
    return {}


def _last_touch_pass(network: HelperPartyNetwork, given: Json) -> Json:
    flag, credit = _tables(network, given, "flag", "credit")
    distance, width = given["distance"], given["width"]
    if flag.width != 1:
        raise MismatchError("flag is one column")
    with network.step(f"distance-{distance}"):
        flag, credit = look_ahead(network, flag, credit, distance, width)
    return {"flag": table_to_json(flag), "credit": table_to_json(credit)}


def _last_touch(network: HelperPartyNetwork, given: Json) -> Json:
    same, is_trigger, value = _tables(
        network, given, "same_match_key_and_constraint", "is_trigger", "trigger_value"
    )
    return _result(attribute_last_touch(network, same, is_trigger, value))


def _first_touch(network: HelperPartyNetwork, given: Json) -> Json:
    same, is_trigger, expiry, value = _tables(
        network, given, "same_match_key_and_constraint", "is_trigger", "expiry", "trigger_value"
    )
    window = given["attribution_window"]
    return _result(attribute_first_touch(network, same, is_trigger, expiry, value, window))


def _cap(network: HelperPartyNetwork, given: Json) -> Json:
    same, credit = _tables(network, given, "same_match_key", "credit")
    return _result(cap_credits(network, same, credit, int(given["cap"]), given["capping"]))


def _aggregate(network: HelperPartyNetwork, given: Json) -> Json:
    key, credit = _tables(network, given, "breakdown_key", "credit")
    width = bits_for(credit.rows * ((1 << credit.width) - 1))
    return _result(sums_per_breakdown(network, key, credit, given["breakdowns"], width))


def _noise(network: HelperPartyNetwork, given: Json) -> Json:
    (words,) = _tables(network, given, "words")
    noise = noise_from_json(given)
    drawn = laplace_noise_from_words(network, words, given["count"], given["bits"], noise)
    return _result(drawn)


def _semi_honest(act: Act) -> Callable[[Json], Json]:
    return partial(messages_of, act=act)


def _without_keys(act: Act) -> Callable[[Json], Json]:
    def run(given: Json) -> Json:
        """With keys and a session that nothing depends on."""
        nothing = {"keys": ["00" * KEY_BYTES] * len(HELPERS), "session": "none"}
        return messages_of(given | nothing, act)

    return run


def _malicious(act: Act) -> Callable[[Json], Json]:
    def run(given: Json) -> Json:
        """In the field of the case, or that of the query."""
        return messages_of(given, act, "malicious", given.get("degree", 64))

    return run


MESSAGE_STEPS: Mapping[str, Callable[[Json], Json]] = {
    "multiply": _semi_honest(_multiply),
    "open": _semi_honest(_open),
    "compare": _semi_honest(_compare),
    "add": _semi_honest(_add),
    "sort": _semi_honest(_sort),
    "shuffle": _semi_honest(_shuffle),
    "verified-shuffle": _malicious(_shuffle),
    "coins": _semi_honest(_coins),
    "check-inputs": _malicious(_check_inputs),
    "agree": _malicious(_agree),
    "run-name": _without_keys(_run_name),
    "check-products": _malicious(_check_products),
    "last-touch-pass": _semi_honest(_last_touch_pass),
    "last-touch": _semi_honest(_last_touch),
    "first-touch": _semi_honest(_first_touch),
    "cap": _semi_honest(_cap),
    "aggregate": _semi_honest(_aggregate),
    "noise": _semi_honest(_noise),
}
"""By name, what answers a case of the step."""
