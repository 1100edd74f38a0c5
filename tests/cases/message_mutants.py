"""Planted mutants of the steps with messages, and of what helpers derive, deal and put together."""

from collections.abc import Callable, Sequence
from typing import Any

from mutant_cases import Mutant, Wrong, accepting, of_part, on_input, on_output, with_patch, without

from ipa.conformance.honest_adapter import honest_answer
from ipa.conformance.json_values import Json
from ipa.conformance.reference import Answer
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import Capping
from ipa.protocols.aggregation import sums_per_breakdown
from ipa.protocols.capping import cap_credits
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.constants import zero_extend
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.joining import join_columns
from ipa.sharing.prss import Prss
from ipa.sharing.rings import Ring
from ipa.sharing.rows.permutation import move_rows
from ipa.sharing.shared_bits import SharedBits


def no_mask(prss: Prss, step: str, width: int, rows: int, index: int = 0) -> list[int]:
    return [0] * width


def label_in_bytes(prss: Prss, step: str, index: int) -> bytes:
    length = len(prss._session.encode())
    return f"ipa prss {index} {length} {prss._session} {step}".encode()


def label_without_index(prss: Prss, step: str, index: int) -> bytes:
    return f"ipa prss {len(prss._session)} {prss._session} {step}".encode()


def label_without_session(prss: Prss, step: str, index: int) -> bytes:
    return f"ipa prss {index} 0  {step}".encode()


def sum_of_keys(prss: Prss, step: str, ring: Ring, count: int, index: int = 0) -> list[int]:
    own, right = prss.random_elements(step, ring, count, index)
    return [ring.add(a, b) for a, b in zip(own, right, strict=True)]


def to_the_right(_: Json, output: Json) -> Json:
    messages = [message | {"to": message["from"] % 3 + 1} for message in output["messages"]]
    return output | {"messages": messages}


def no_padding_cleared(given: Json, output: Json) -> Json:
    """Bits behind the last row are whatever the mask has there."""
    rows = output["result"]["rows"]
    if rows % 8 == 0:
        return output
    messages = [
        m | {"payload": f"{int(m['payload'][:2], 16) | 1 << rows % 8:02x}{m['payload'][2:]}"}
        if rows < 8
        else m
        for m in output["messages"]
    ]
    return output | {"messages": messages}


def swapped(given: Json) -> Json:
    return given | {"x": given["y"], "y": given["x"]}


def at_least(network: HelperPartyNetwork, x: SharedBits, y: SharedBits) -> SharedBits:
    return ~greater_than(network, y, x)


def carry_lost(network: HelperPartyNetwork, a: SharedBits, b: SharedBits) -> SharedBits:
    """Each carry goes one column far and no further."""
    with network.step("add"):
        carries = multiply(network, a, b)
        moved = zero_extend(network, carries[:-1], a.width)
        return a ^ b ^ join_columns(moved[-1] ^ moved[-1], moved[:-1])


def descending(given: Json) -> Json:
    shares = list(given["table"]["shares"])
    key = (1 << given["key_bits"]) - 1
    rows, size = given["table"]["rows"], len(shares[0]) // 2 // max(1, given["table"]["width"])
    flipped = bytes(
        byte ^ ((1 << rows) - 1 if key >> place // size & 1 and size == 1 else 0)
        for place, byte in enumerate(bytes.fromhex(shares[0]))
    )
    return given | {"table": given["table"] | {"shares": [flipped.hex(), *shares[1:]]}}


def half_of_pass(
    network: HelperPartyNetwork,
    flag: SharedBits,
    credit: SharedBits,
    distance: int,
    width: int,
) -> tuple[SharedBits, SharedBits]:
    """A pass whose next flag is this one, and whose credit is added without carries."""
    taken = multiply(network, flag, credit.successors(distance))
    added = zero_extend(network, taken, width)
    return flag, zero_extend(network, credit, width) ^ added


def one_flag(
    network: HelperPartyNetwork,
    flag: SharedBits,
    values: SharedBits,
    rule: Any,
    distance: int,
    width: int,
    backwards: bool,
) -> tuple[SharedBits, SharedBits]:
    """A pass whose next flag is this one."""
    taken = multiply(network, flag, values.successors(distance))
    return flag, rule.taken(network, values, taken, width)


def other_way(
    network: HelperPartyNetwork, same: SharedBits, credit: SharedBits, cap: int, capping: Capping
) -> SharedBits:
    ways: dict[Capping, Capping] = {"truncate": "proportional", "proportional": "truncate"}
    return cap_credits(network, same, credit, cap, ways[capping])


def wider(
    network: HelperPartyNetwork, key: SharedBits, credit: SharedBits, breakdowns: int, width: int
) -> SharedBits:
    return sums_per_breakdown(network, key, credit, breakdowns, width + 1)


def moved_back(rows: Sequence[bytes], order: Sequence[int]) -> bytes:
    return move_rows(rows, sorted(range(len(order)), key=order.__getitem__))


def inverse(_: Json, output: Json) -> Json:
    """Permutations the other way round."""
    draws = [
        [sorted(range(len(part)), key=part.__getitem__) for part in draw]
        if isinstance(draw[0], list)
        else draw
        for draw in output["draws"]
    ]
    return {"draws": draws}


def two_shares(given: Json) -> Json:
    return given | {"second": "00" * (len(given["second"]) // 2)}


def highest_row_first(given: Json) -> Json:
    return given | {"values": given["values"][::-1]}


def answered(change: Callable[[str, Json, Answer], Answer]) -> Wrong:
    def answer(step: str, given: Json) -> Answer:
        """What becomes of the honest answer, rejection or not."""
        return change(step, given, honest_answer(step, given))

    return answer


def any_stage(_: str, __: Json, right: Answer) -> Answer:
    return {"reject": right["reject"] | {"stage": "open"}} if "reject" in right else right


MESSAGE_MUTANTS = [
    Mutant(
        "a product without its mask",
        "messages/multiply",
        with_patch("ipa.sharing.prss.Prss.zero_columns", no_mask),
    ),
    Mutant("summands go to the right", "messages/multiply", on_output(to_the_right)),
    Mutant(
        "the label has the length of the session in bytes",
        "messages/multiply",
        with_patch("ipa.sharing.prss.Prss._label", label_in_bytes),
    ),
    Mutant(
        "the session is left out of the label",
        "messages/multiply",
        with_patch("ipa.sharing.prss.Prss._label", label_without_session),
    ),
    Mutant("bits behind the last row are sent", "messages/multiply", on_output(no_padding_cleared)),
    Mutant("bits behind the last row are taken", "messages/multiply", accepting("padding")),
    Mutant(
        "messages of any length are taken",
        "messages/multiply",
        accepting("length", stage="multiply"),
    ),
    Mutant("keys of any length are taken", "sharing/prss", accepting("length", stage="keys")),
    Mutant("one copy is opened", "messages/open", accepting("copies")),
    Mutant(
        "at least is greater",
        "messages/compare",
        with_patch("ipa.conformance.message_steps.greater_than", at_least),
    ),
    Mutant("less is greater", "messages/compare", on_input(swapped)),
    Mutant(
        "a carry goes one column far",
        "messages/add",
        with_patch("ipa.conformance.message_steps.add", carry_lost),
    ),
    Mutant("the order is descending", "messages/sort", on_input(descending)),
    Mutant("any number of rows is sorted", "messages/sort", accepting("range")),
    Mutant(
        "a pass keeps its flag for the next one and adds without carries",
        "messages/last-touch-pass",
        with_patch("ipa.conformance.message_steps.look_ahead", half_of_pass),
    ),
    Mutant(
        "passes keep the first flag",
        "messages/last-touch",
        with_patch("ipa.protocols.circuits.scan._look", one_flag),
    ),
    Mutant(
        "a source of the trigger's time is earlier",
        "messages/first-touch",
        with_patch("ipa.protocols.first_touch.greater_than", at_least),
    ),
    Mutant(
        "truncation and proportion are exchanged",
        "messages/cap",
        with_patch("ipa.conformance.message_steps.cap_credits", other_way),
    ),
    Mutant(
        "sums have a bit more than they need",
        "messages/aggregate",
        with_patch("ipa.conformance.message_steps.sums_per_breakdown", wider),
    ),
    Mutant(
        "a coin is 1 at its threshold",
        "messages/noise",
        with_patch("ipa.protocols.noise.greater_than", at_least),
    ),
    Mutant(
        "rows are moved the other way",
        "messages/shuffle",
        with_patch("ipa.protocols.circuits.shuffle.move_rows", moved_back),
    ),
    Mutant("changed rows are taken", "messages/verified-shuffle", accepting("rows")),
    Mutant("rows are not compared", "messages/verified-shuffle", on_output(without("/compare"))),
    Mutant("wrong products are taken", "messages/check-products", accepting("product")),
    Mutant("points off the line are taken", "messages/check-products", accepting("line")),
    Mutant("every abort is one of the opening", "messages/multiply", answered(any_stage)),
    Mutant(
        "a sharing of zero over Z/p is a sum",
        "sharing/prss",
        with_patch("ipa.sharing.prss.Prss.zero_elements", sum_of_keys),
    ),
    Mutant(
        "the index is left out of the label",
        "sharing/prss",
        with_patch("ipa.sharing.prss.Prss._label", label_without_index),
    ),
    Mutant("permutations the other way round", "sharing/prss", on_output(inverse)),
    Mutant("the second share is left out", "sharing/share", on_input(two_shares)),
    Mutant("the first row is the highest bit", "sharing/share", on_input(highest_row_first)),
    Mutant("signed numbers are unsigned", "sharing/reconstruct", of_part("signed", False)),
    Mutant("copies are not compared", "sharing/reconstruct", accepting("copies")),
]
