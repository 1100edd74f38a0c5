"""Strategies for the inputs of `messages/`: what the three helpers of a run hold before a step."""

from collections.abc import Mapping
from typing import get_args

from hypothesis import strategies as st

from ipa.conformance.drawn_runs import ROWS, WIDTHS, Inputs, runs, table_of, tables
from ipa.conformance.json_values import Json
from ipa.parameters import Capping
from ipa.protocols.primitives.run_name import NONCE_BYTES
from ipa.sharing.randomness import Randomness
from ipa.testing import columns_of_numbers, row_counts


def _pair(draw: st.DrawFn, randomness: Randomness) -> Json:
    """Two tables of one shape; now and then of two."""
    rows, width = draw(ROWS), draw(WIDTHS)
    given = tables(draw, randomness, rows, x=width, y=width)
    if draw(st.integers(0, 7)) == 7:
        given |= tables(draw, randomness, rows + draw(st.integers(0, 1)), y=width + 1)
    return given


def _multiply(draw: st.DrawFn, randomness: Randomness) -> Json:
    """Two tables of one shape, or one column that multiplies every column of the other."""
    if draw(st.booleans()):
        return _pair(draw, randomness)
    return tables(draw, randomness, draw(ROWS), x=1, y=draw(WIDTHS))


def _open(draw: st.DrawFn, randomness: Randomness) -> Json:
    return tables(draw, randomness, draw(ROWS), x=draw(WIDTHS))


def _sort(draw: st.DrawFn, randomness: Randomness) -> Json:
    rows = draw(st.sampled_from([2, 1, 4, 2, 8, 4, 2, 4, 3]))
    width = draw(st.integers(1, 6))
    key_bits = draw(st.integers(1, width)) if draw(st.integers(0, 9)) < 9 else width + 1
    return tables(draw, randomness, rows, table=width) | {"key_bits": key_bits}


def _shuffle(draw: st.DrawFn, randomness: Randomness) -> Json:
    return tables(draw, randomness, draw(row_counts(9)), table=draw(st.integers(1, 20)))


def _coins(draw: st.DrawFn, _: Randomness) -> Json:
    rings = ["GF(2^64)", "GF(2^8)", f"Z/{2**61 - 1}", "Z/7", "Z/2", "Z/256"]
    return {"ring": draw(st.sampled_from(rings)), "count": draw(st.integers(0, 5))}


def _check_inputs(draw: st.DrawFn, randomness: Randomness) -> Json:
    shapes = draw(st.lists(st.tuples(row_counts(9), st.integers(0, 5)), max_size=3))
    return {
        "tables": [tables(draw, randomness, rows, x=width)["x"] for rows, width in shapes],
        "agreed": [part.hex() for part in draw(st.lists(st.binary(max_size=9), max_size=3))],
    }


def _agree(_: st.DrawFn, __: Randomness) -> Json:
    return {}


def _run_name(draw: st.DrawFn, _: Randomness) -> Json:
    """A nonce of each helper; now and then one of another length."""
    sizes = [NONCE_BYTES] * 3
    if draw(st.integers(0, 9)) == 9:
        sizes[draw(st.integers(0, 2))] += draw(st.sampled_from([1, -1]))
    return {"nonces": [draw(st.binary(min_size=size, max_size=size)).hex() for size in sizes]}


def _check_products(draw: st.DrawFn, randomness: Randomness) -> Json:
    """Products, in half of the cases one of them wrong."""
    products = []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
        rows, x_width, width = (
            draw(st.integers(1, 9)),
            draw(st.integers(1, 2)),
            draw(st.integers(1, 3)),
        )
        x, y = draw(columns_of_numbers(rows, x_width, width))
        last = st.integers(0, x_width - 1)
        factors = draw(st.lists(last, min_size=width, max_size=width))
        z = [
            sum((a >> f & b >> j & 1) << j for j, f in enumerate(factors))
            for a, b in zip(x, y, strict=True)
        ]
        if draw(st.integers(0, 3)) == 3:
            z[draw(st.integers(0, rows - 1))] ^= 1 << draw(st.integers(0, width - 1))
        dealt = {
            "x": table_of(x, x_width, randomness),
            "y": table_of(y, width, randomness),
            "z": table_of(z, width, randomness),
        }
        products.append({**dealt, "factors": factors})
    return {"degree": draw(st.sampled_from([64, 8, 16])), "products": products}


def _last_touch_pass(draw: st.DrawFn, randomness: Randomness) -> Json:
    width, rows = draw(st.integers(1, 9)), draw(row_counts(12))
    given = tables(draw, randomness, rows, flag=1, credit=width)
    distance = draw(st.sampled_from([1, 2, 4, 8]))
    return given | {
        "distance": distance,
        "width": width + draw(st.sampled_from([0, 1, 2, 0, 1, -1])),
    }


def _last_touch(draw: st.DrawFn, randomness: Randomness) -> Json:
    widths = {"same_match_key_and_constraint": 1, "is_trigger": 1}
    value_bits = draw(st.integers(1, 3))
    return tables(draw, randomness, draw(row_counts(7)), **widths, trigger_value=value_bits)


def _first_touch(draw: st.DrawFn, randomness: Randomness) -> Json:
    widths = {"same_match_key_and_constraint": 1, "is_trigger": 1}
    time_bits = draw(st.integers(1, 3))
    shape = {**widths, "expiry": time_bits + 1, "trigger_value": draw(st.integers(1, 2))}
    window = draw(st.none() | st.integers(1, (1 << time_bits) - 1))
    return tables(draw, randomness, 1 + draw(row_counts(4)), **shape) | {
        "attribution_window": window
    }


def _cap(draw: st.DrawFn, randomness: Randomness) -> Json:
    width = draw(st.integers(1, 5))
    given = tables(draw, randomness, draw(row_counts(5)), same_match_key=1, credit=width)
    cap = draw(st.integers(1, 1 << width)) if draw(st.integers(0, 9)) < 9 else 0
    return given | {"cap": cap, "capping": draw(st.sampled_from(get_args(Capping)))}


def _aggregate(draw: st.DrawFn, randomness: Randomness) -> Json:
    key_bits = draw(st.integers(1, 2))
    shape = {"breakdown_key": key_bits, "credit": draw(st.integers(1, 3))}
    breakdowns = draw(st.integers(1, 1 << key_bits)) + (draw(st.integers(0, 9)) == 9) * 4
    return tables(draw, randomness, 1 + draw(row_counts(5)), **shape) | {"breakdowns": breakdowns}


def _noise(draw: st.DrawFn, randomness: Randomness) -> Json:
    digits, precision = draw(st.integers(1, 3)), draw(st.integers(1, 8))
    count = draw(st.integers(1, 2))
    rows = 2 * digits * count + (draw(st.integers(0, 5)) == 5)
    return tables(draw, randomness, rows, words=precision) | {
        "count": count,
        "bits": digits + 1,
        "epsilon": draw(st.sampled_from(["1", "1/2", "3", "1/7"])),
        "sensitivity": draw(st.integers(1, 4)),
        "digits": digits,
        "precision": precision,
    }


_OF_STEP: Mapping[str, Inputs] = {
    "multiply": _multiply,
    "open": _open,
    "compare": _pair,
    "add": _pair,
    "sort": _sort,
    "shuffle": _shuffle,
    "verified-shuffle": _shuffle,
    "coins": _coins,
    "check-inputs": _check_inputs,
    "agree": _agree,
    "check-products": _check_products,
    "last-touch-pass": _last_touch_pass,
    "last-touch": _last_touch,
    "first-touch": _first_touch,
    "cap": _cap,
    "aggregate": _aggregate,
    "noise": _noise,
}

DRAWN_MESSAGES: Mapping[str, st.SearchStrategy[Json]] = {
    f"messages/{name}": runs(f"messages/{name}", of) for name, of in _OF_STEP.items()
} | {"messages/run-name": runs("messages/run-name", _run_name, draws=False)}
"""By name, the inputs of a step."""
