"""Strategies for the inputs of `sharing/`: what is drawn from keys, dealt, and put together."""

from collections.abc import Mapping

from hypothesis import strategies as st

from ipa.conformance.drawn_runs import ROWS, SEEDS, SESSIONS, WIDTHS, keys_of, table_of
from ipa.conformance.json_values import Json, numbers
from ipa.sharing.bits import bytes_per_column
from ipa.sharing.randomness import Randomness
from ipa.testing import columns_of_numbers, row_counts


@st.composite
def _prss(draw: st.DrawFn) -> Json:
    """A few draws; now and then one that was made before, or a key that is too short."""
    rings = st.sampled_from(["GF(2^64)", "GF(2^8)", "Z/7", f"Z/{2**61 - 1}", "Z/65536"])
    columns = st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["random-columns", "zero-columns"]),
            "rows": row_counts(18),
            "width": st.integers(0, 5),
        }
    )
    elements = st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["random-elements", "zero-elements"]),
            "ring": rings,
            "count": st.integers(0, 4),
        }
    )
    permutation = st.fixed_dictionaries({"kind": st.just("permutation"), "rows": row_counts(9)})
    steps = st.sampled_from(["multiply", "query/sort/stage-0/compare/multiply", "check#2", "é"])
    draws = [
        draw(columns | elements | permutation)
        | {"step": draw(steps), "index": draw(st.integers(0, 3))}
        for _ in range(draw(st.integers(1, 3)))
    ]
    keys = keys_of(draw(SEEDS))
    if draw(st.integers(0, 9)) == 9:
        keys[draw(st.integers(0, 2))] = keys[0][:-2]
    return {"keys": keys, "session": draw(SESSIONS), "draws": draws}


@st.composite
def _share(draw: st.DrawFn) -> Json:
    """Numbers to deal, now and then one that does not fit, or too few random bytes."""
    rows, width = draw(ROWS), draw(WIDTHS)
    (values,) = draw(columns_of_numbers(rows, width))
    if values and draw(st.integers(0, 5)) == 5:
        values[draw(st.integers(0, rows - 1))] = draw(st.sampled_from([-1, 1 << width]))
    size = width * bytes_per_column(rows)
    randomness = Randomness.from_seed(draw(SEEDS), "conformance shares")
    first, second = (
        b"".join(
            randomness.random_bits(rows).to_bytes(bytes_per_column(rows), "little")
            for _ in range(width)
        )
        for _ in range(2)
    )
    kept = size if draw(st.integers(0, 9)) < 9 else size - 1
    return {
        "values": numbers(values),
        "width": width,
        "first": first.hex(),
        "second": second[:kept].hex(),
    }


@st.composite
def _reconstruct(draw: st.DrawFn) -> Json:
    """Pairs of shares of a table, in half of the cases one share changed."""
    rows, width = draw(ROWS), draw(WIDTHS)
    (values,) = draw(columns_of_numbers(rows, width))
    randomness = Randomness.from_seed(draw(SEEDS), "conformance shares")
    shares = table_of(values, width, randomness)["shares"]
    pairs = [[shares[place], shares[(place + 1) % 3]] for place in range(3)]
    if rows and draw(st.booleans()):
        pair = pairs[draw(st.integers(0, 2))]
        place = draw(st.integers(0, 1))
        changed = bytearray.fromhex(pair[place])
        changed[draw(st.integers(0, width - 1)) * bytes_per_column(rows)] ^= 1
        pair[place] = draw(st.sampled_from([changed.hex(), pair[place][:-2]]))
    return {"rows": rows, "width": width, "pairs": pairs, "signed": draw(st.booleans())}


DRAWN_SHARING: Mapping[str, st.SearchStrategy[Json]] = {
    "sharing/prss": _prss(),
    "sharing/share": _share(),
    "sharing/reconstruct": _reconstruct(),
}
"""By name, the inputs of a step."""
