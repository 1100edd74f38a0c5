"""What the inputs of protocol vectors are made of: runs, shared tables, messages changed on their way."""

from collections.abc import Sequence
from typing import Any, Literal

from ipa.conformance.drawn_runs import keys_of, table_of
from ipa.conformance.json_values import Json
from ipa.conformance.reference import right_answer
from ipa.sharing.randomness import Randomness

Named = list[tuple[str, Json]]
"""Inputs by name of the case."""

Way = Literal["missing", "short", "long", "flipped", "padding"]


def run(session: str = "vectors", seed: int = 11, **fields: Any) -> Json:
    """Keys and session of a run, and what is of the step."""
    return {"keys": keys_of(seed), "session": session, **fields}


def table(values: Sequence[int], width: int, label: str = "x") -> Json:
    """A table dealt with randomness of its own."""
    return table_of(list(values), width, Randomness.from_seed(11, f"vectors {label}"))


def altered(
    step: str, given: Json, path: str, sender: int, way: Way, receiver: int | None = None
) -> Json:
    """The same run in which one message arrives changed."""
    message = next(
        message
        for message in right_answer(step, given)["output"]["messages"]
        if (message["step"], message["from"]) == (path, sender)
        and receiver in (None, message["to"])
    )
    payload = bytes.fromhex(message["payload"])
    arrives = {
        "missing": None,
        "short": payload[:-1].hex(),
        "long": (payload + b"\0").hex(),
        "flipped": (bytes([payload[0] ^ 1]) + payload[1:]).hex(),
        "padding": (payload[:-1] + bytes([payload[-1] | 0x80])).hex(),
    }
    return given | {"delivered": message | {"payload": arrives[way]}}


def first_step(step: str, given: Json) -> str:
    """The path of the first message, whichever way the step goes about it."""
    path: str = right_answer(step, given)["output"]["messages"][0]["step"]
    return path


def every_way(step: str, given: Json, path: str, sender: int, *ways: Way) -> Named:
    """One altered run for each of the ways; without any for a missing, a short and a long message."""
    chosen = ways or ("missing", "short", "long")
    return [
        (
            f"the message of helper {sender} in {path}: {way}",
            altered(step, given, path, sender, way),
        )
        for way in chosen
    ]
