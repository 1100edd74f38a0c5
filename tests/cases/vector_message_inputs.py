"""The inputs of the vectors of `messages/`, by step."""

from collections.abc import Callable

from vector_agreement_inputs import agree, check_inputs, coins, run_name
from vector_runs import Named, altered, every_way, first_step, run, table

from ipa.conformance.json_values import Json

FIVE = [5, 0, 7, 2, 6]
OTHERS = [3, 7, 7, 0, 4]
EIGHT = [1, 0, 1, 1, 0, 1, 0, 1]


def multiply() -> Named:
    step = "messages/multiply"
    honest = run(x=table(FIVE, 3), y=table(OTHERS, 3, "y"))
    one_column = run("laufé", x=table([1, 0, 1, 1, 0], 1), y=table(OTHERS, 3, "y"))
    return [
        ("three columns of five rows", honest),
        ("one column multiplies every column; a session that is not ASCII", one_column),
        ("whole bytes of rows", run(x=table(EIGHT, 1), y=table(EIGHT[::-1], 1, "y"))),
        ("no rows", run(x=table([], 2), y=table([], 2, "y"))),
        (
            "a changed bit, which nobody notices in a semi-honest network",
            altered(step, honest, "multiply", 1, "flipped"),
        ),
        *every_way(step, honest, "multiply", 1, "padding"),
        *every_way(step, honest, "multiply", 3),
        *every_way(step, one_column, "multiply", 2, "padding"),
        ("another number of rows", run(x=table(FIVE, 3), y=table(OTHERS[1:], 3, "y"))),
        ("another number of columns", run(x=table(FIVE, 3), y=table([1] * 5, 2, "y"))),
        (
            "a key that is too short",
            honest | {"keys": [honest["keys"][0][2:], *honest["keys"][1:]]},
        ),
    ]


def opening() -> Named:
    step, honest = "messages/open", run(x=table(FIVE, 3))
    return [
        ("three columns of five rows", honest),
        ("no columns", run(x=table(FIVE, 3) | {"width": 0, "shares": ["", "", ""]})),
        ("helper 1 lies to helper 3", altered(step, honest, "open", 1, "flipped", 3)),
        ("helper 1 lies to helper 2", altered(step, honest, "open", 1, "flipped", 2)),
        ("helper 3 lies to helper 2", altered(step, honest, "open", 3, "flipped", 2)),
        *every_way(step, honest, "open", 2),
    ]


def compare() -> Named:
    step = "messages/compare"
    honest = run(x=table(FIVE, 3), y=table(OTHERS, 3, "y"))
    return [
        ("greater, less, equal, greater, greater", honest),
        ("one bit", run(x=table([0, 0, 1, 1], 1), y=table([0, 1, 0, 1], 1, "y"))),
        *every_way(step, honest, "compare/multiply", 1),
        *every_way(step, honest, "compare/multiply#2", 2, "padding"),
        ("another number of columns", run(x=table(FIVE, 3), y=table([1] * 5, 2, "y"))),
    ]


def addition() -> Named:
    step = "messages/add"
    wide = run(x=table([255, 1, 128, 170], 8), y=table([1, 255, 128, 85], 8, "y"))
    return [
        ("sums of eight bits that wrap", wide),
        ("one bit: nothing is sent", run(x=table([0, 1, 1], 1), y=table([1, 1, 0], 1, "y"))),
        *every_way(step, wide, "add/multiply", 1),
        *every_way(step, wide, "add/multiply#3", 3, "padding"),
        ("another number of rows", run(x=table(FIVE, 3), y=table(OTHERS[1:], 3, "y"))),
        ("another number of columns", run(x=table(FIVE, 3), y=table([1] * 5, 2, "y"))),
    ]


def sort() -> Named:
    step = "messages/sort"
    stage = run(table=table([6, 3], 3), key_bits=2)
    four = run(table=table([13, 2, 9, 6], 4), key_bits=4)
    return [
        ("one stage: two rows by their lowest two bits", stage),
        ("three stages: four rows, of which two are sorted downwards first", four),
        ("one row: nothing is sent", run(table=table([1], 2), key_bits=1)),
        *every_way(step, stage, "sort/stage-0/compare/multiply", 1),
        *every_way(step, four, "sort/stage-2/exchange/multiply", 2, "padding"),
        ("three rows", run(table=table([6, 3, 1], 3), key_bits=2)),
        ("no key", run(table=table([6, 3], 3), key_bits=0)),
        ("a key wider than the table", run(table=table([6, 3], 3), key_bits=4)),
    ]


def shuffle() -> Named:
    step, honest = "messages/shuffle", run(table=table([5, 3, 9, 1, 0], 4))
    return [
        ("five rows", honest),
        ("rows of two bytes", run(table=table([300, 301], 9))),
        *every_way(step, honest, "shuffle/pass/first", 1),
        *every_way(step, honest, "shuffle/pass/last", 3),
    ]


def verified_shuffle() -> Named:
    step, honest = "messages/verified-shuffle", run(table=table([5, 3, 9], 4))
    return [
        ("three rows with their tags", honest),
        ("another name of the run", honest | {"session": "vectors, once more"}),
        *every_way(step, honest, "shuffle/pass/first", 1, "flipped", "short"),
        *every_way(step, honest, "shuffle/pass/last", 2, "flipped", "missing"),
        *every_way(step, honest, "shuffle/tag", 3, "flipped"),
        *every_way(step, honest, "shuffle/keys/open", 3, "flipped"),
        *every_way(step, honest, "shuffle/compare", 2, "flipped"),
    ]


def _products(degree: int, z: list[int], session: str = "vectors") -> Json:
    """One factor of two products: three rows."""
    product = {
        "x": table([1, 0, 1], 1),
        "y": table([3, 1, 2], 2, "y"),
        "z": table(z, 2, "z"),
        "factors": [0, 0],
    }
    return run(session, degree=degree, products=[product])


def check_products() -> Named:
    step = "messages/check-products"
    right = _products(64, [3, 0, 2])
    return [
        ("two columns times one, in the field of a query", right),
        ("the same in GF(2^8)", _products(8, [3, 0, 2])),
        ("a wrong bit", _products(64, [3, 1, 2])),
        ("two wrong bits in one column", _products(64, [2, 1, 2])),
        ("a wrong bit in GF(2^8)", _products(8, [3, 0, 0])),
        *every_way(step, right, "check/bits/coin/ready", 2, "flipped"),
        *every_way(step, right, "check/bits/last/products", 1, "flipped"),
        *every_way(step, right, "check/bits/last/open-shamir", 3, "flipped"),
    ]


def last_touch_pass() -> Named:
    step = "messages/last-touch-pass"
    tables: Json = {
        "flag": table([1, 1, 0, 1, 0], 1, "flag"),
        "credit": table([0, 3, 2, 0, 1], 2, "credit"),
    }
    first = run(**tables, distance=1, width=3)
    return [
        ("distance 1", first),
        ("distance 2, without a wider credit", run(**tables, distance=2, width=2)),
        ("further than there are rows", run(**tables, distance=8, width=4)),
        *every_way(step, first, "distance-1/multiply", 1),
        *every_way(step, first, "distance-1/multiply", 2, "padding"),
        *every_way(step, first, "distance-1/add/multiply", 3, "short"),
        ("a credit that would have to shrink", run(**tables, distance=1, width=1)),
    ]


def last_touch() -> Named:
    step = "messages/last-touch"
    honest = run(
        same_match_key_and_constraint=table([0, 1, 1, 1, 0], 1, "same"),
        is_trigger=table([0, 1, 1, 0, 1], 1, "kind"),
        trigger_value=table([0, 3, 1, 0, 2], 2, "value"),
    )
    return [
        ("a source with two triggers", honest),
        *every_way(step, honest, "attribution/multiply", 1),
        *every_way(step, honest, "attribution/running-totals/multiply#2", 2, "padding"),
    ]


def first_touch() -> Named:
    step = "messages/first-touch"
    tables: Json = {
        "same_match_key_and_constraint": table([0, 1, 1], 1, "same"),
        "is_trigger": table([1, 1, 0], 1, "kind"),
        "expiry": table([1, 2, 4], 3, "expiry"),
        "trigger_value": table([1, 3, 0], 2, "value"),
    }
    honest = run(**tables, attribution_window=None)
    return [
        ("two triggers before the expiry of their source", honest),
        ("a window of 3", run(**tables, attribution_window=3)),
        *every_way(step, honest, "attribution/nearest-after/multiply", 1),
    ]


def cap() -> Named:
    step = "messages/cap"
    tables: Json = {
        "same_match_key": table([0, 1, 0], 1, "same"),
        "credit": table([3, 2, 1], 3, "credit"),
    }
    truncated = run(**tables, cap=4, capping="truncate")
    return [
        ("what the row before left of a cap of 4", truncated),
        ("a cap that nothing exceeds: nothing is sent", run(**tables, cap=7, capping="truncate")),
        ("in proportion to a cap of 2", run(**tables, cap=2, capping="proportional")),
        *every_way(step, truncated, first_step(step, truncated), 1),
        ("a cap of 0", run(**tables, cap=0, capping="truncate")),
    ]


def aggregate() -> Named:
    step = "messages/aggregate"
    tables: Json = {
        "breakdown_key": table([1, 0, 1], 1, "key"),
        "credit": table([3, 2, 1], 2, "credit"),
    }
    honest = run(**tables, breakdowns=2)
    return [
        ("two breakdowns", honest),
        ("one, the other counts nowhere", run(**tables, breakdowns=1)),
        *every_way(step, honest, first_step(step, honest), 1),
        ("more breakdowns than keys", run(**tables, breakdowns=3)),
        ("none", run(**tables, breakdowns=0)),
    ]


def noise() -> Named:
    step = "messages/noise"
    public: Json = {"epsilon": "1/2", "sensitivity": 2, "digits": 2, "precision": 4}
    words = table([0, 15, 1, 6, 14, 3, 2, 9], 4, "words")
    honest = run(words=words, count=2, bits=3, **public)
    return [
        ("two noises of two digits", honest),
        *every_way(step, honest, first_step(step, honest), 1),
        ("a word too few", run(words=table([0] * 7, 4), count=2, bits=3, **public)),
        ("no epsilon", run(words=words, count=2, bits=3, **public) | {"epsilon": "0"}),
    ]


MESSAGE_INPUTS: dict[str, tuple[str, Callable[[], Named]]] = {
    "multiply": ("AND of two shared tables, with the messages of the re-sharing.", multiply),
    "open": ("Opening to all helpers: both copies of each missing share travel.", opening),
    "compare": ("x > y, row by row.", compare),
    "add": ("x + y modulo 2^width, row by row.", addition),
    "sort": ("The bitonic network: two rows are one stage.", sort),
    "shuffle": ("The shuffle of a semi-honest network.", shuffle),
    "verified-shuffle": ("The shuffle with tags, keys and comparison.", verified_shuffle),
    "coins": ("Public coins, opened when everybody is ready.", coins),
    "check-inputs": ("The comparison of inputs and of all that is public.", check_inputs),
    "agree": ("Verdict and confirmation before a release.", agree),
    "run-name": ("A new name of a run from a nonce of each helper, told with an echo.", run_name),
    "check-products": ("The batch check of AND gates that z claims to be.", check_products),
    "last-touch-pass": ("One pass of last touch attribution.", last_touch_pass),
    "last-touch": ("All passes of last touch attribution.", last_touch),
    "first-touch": ("First touch attribution over rows in the order of expiry.", first_touch),
    "cap": ("Capping what each match key contributes.", cap),
    "aggregate": ("The sum of the credits of each breakdown key.", aggregate),
    "noise": ("Discrete Laplace noise from shared words that are given.", noise),
}
