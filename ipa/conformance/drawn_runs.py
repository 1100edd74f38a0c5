"""Strategies for runs of three helpers: keys, session, shared tables, what is delivered changed.

All randomness of a case is in it. It comes from a seed that is drawn, so that shrinking works on the
numbers that are shared and not on their shares.
"""

import re
from collections.abc import Callable

from hypothesis import strategies as st

from ipa.conformance.json_values import Json, table_to_json
from ipa.conformance.reference import right_answer
from ipa.network.simulation import pairwise_keys
from ipa.parties import HELPERS
from ipa.sharing.dealing import share_rows
from ipa.sharing.randomness import Randomness
from ipa.testing import columns_of_numbers, row_counts

SESSIONS = st.sampled_from(
    ["run", "run-1", "a run", "2026-11-24", "laufé", "\U0001f511 1", "x" * 70]
)
"""Names of runs; the label of a draw has their length in characters."""

_NUMBER = re.compile("#[0-9]+")
"""What tells apart steps of one name."""

SEEDS = st.integers(0, 2**32)
WIDTHS = st.sampled_from([1, 2, 3, 8]) | st.integers(1, 12)
ROWS = row_counts(18)

Inputs = Callable[[st.DrawFn, Randomness], Json]
"""What of an input is of the step: from what draws, and the randomness of its shares."""


def table_of(values: list[int], width: int, randomness: Randomness) -> Json:
    """A table of numbers, dealt as a client does."""
    return table_to_json(share_rows("case", values, width, randomness))


def tables(draw: st.DrawFn, randomness: Randomness, rows: int, **widths: int) -> Json:
    """Tables by name, of so many columns each."""
    drawn = draw(columns_of_numbers(rows, *widths.values()))
    named = zip(widths.items(), drawn, strict=True)
    return {name: table_of(values, width, randomness) for (name, width), values in named}


def keys_of(seed: int) -> list[str]:
    """Three pairwise keys."""
    keys = pairwise_keys(seed)
    return [keys[helper][0].hex() for helper in HELPERS]


def runs(step: str, of_step: Inputs, *, draws: bool = True) -> st.SearchStrategy[Json]:
    """Inputs of a step with messages; in one of three a message is changed on its way.

    One that draws from the pairwise keys has keys and a session.
    """

    @st.composite
    def inputs(draw: st.DrawFn) -> Json:
        """Keys, session, what is of the step, perhaps a message that is delivered changed."""
        seed = draw(SEEDS)
        randomness = Randomness.from_seed(seed, "conformance shares")
        given = of_step(draw, randomness)
        if draws:
            given = {"keys": keys_of(seed), "session": draw(SESSIONS)} | given
        return given | draw(st.just({}) | st.just({}) | changed_delivery(step, given))

    return inputs()


def changed_delivery(step: str, given: Json) -> st.SearchStrategy[Json]:
    """One message of the run delivered with another payload; nothing where there is no message."""

    @st.composite
    def change(draw: st.DrawFn) -> Json:
        """Which message, and what arrives instead."""
        messages = right_answer(step, given).get("output", {"messages": []})["messages"]
        if not messages:
            return {}
        # By step, so that what is sent once is changed as often as what is sent many times.
        step_names = sorted({_NUMBER.sub("", message["step"]) for message in messages})
        name = draw(st.sampled_from(step_names))
        of_name = [message for message in messages if _NUMBER.sub("", message["step"]) == name]
        message = draw(st.sampled_from(of_name))
        payload = bytes.fromhex(message["payload"])
        if not payload or draw(st.integers(0, 3)) == 3:
            arrives = draw(st.sampled_from([(payload + b"\0").hex(), payload[:-1].hex(), None]))
            return {"delivered": message | {"payload": arrives}}
        place = draw(st.integers(0, len(payload) - 1) | st.just(len(payload) - 1))
        flipped = bytearray(payload)
        flipped[place] ^= draw(st.sampled_from([1, 0x80]) | st.integers(1, 255))
        return {"delivered": message | {"payload": flipped.hex()}}

    return change()
