"""The inputs of the vectors of `sharing/`, by step."""

from collections.abc import Callable

from vector_runs import Named, run, table

from ipa.conformance.json_values import Json

PRIME = f"Z/{2**61 - 1}"


def draw(kind: str, step: str = "multiply", index: int = 0, **shape: object) -> Json:
    return {"kind": kind, "step": step, "index": index, **shape}


def prss() -> Named:
    columns: Json = {"rows": 11, "width": 2}
    every_kind = [
        draw("random-columns", "a", **columns),
        draw("zero-columns", "b", **columns),
        draw("random-elements", "c", ring="GF(2^64)", count=2),
        draw("random-elements", "d", ring=PRIME, count=1),
        draw("zero-elements", "e", ring=PRIME, count=1),
        draw("zero-elements", "f", ring="GF(2^8)", count=2),
        draw("permutation", "g", rows=6),
    ]
    twice = draw("zero-columns", **columns)
    good = run(draws=[twice])
    short = [*good["keys"][:2], good["keys"][2][2:]]
    return [
        ("a draw of every kind", run(draws=every_kind)),
        ("a name that is not ASCII, in a step within steps", run("laufé", draws=[twice])),
        ("another index is another draw", run(draws=[twice, twice | {"index": 1}])),
        ("no rows: a column is one byte", run(draws=[draw("random-columns", rows=0, width=2)])),
        ("the same step and index twice", run(draws=[twice, twice])),
        (
            "the same step and index for another kind",
            run(draws=[twice, draw("random-columns", rows=3, width=1)]),
        ),
        ("the same two draws later", run(draws=[every_kind[0], twice, every_kind[0]])),
        ("a key of 31 bytes", good | {"keys": short}),
        ("a key of 33 bytes", good | {"keys": [*good["keys"][:2], good["keys"][2] + "00"]}),
    ]


def share() -> Named:
    random = {"first": "0513", "second": "0a11"}
    return [
        ("five numbers of two bits", {"values": [0, 1, 2, 3, 3], "width": 2, **random}),
        ("no rows", {"values": [], "width": 1, "first": "00", "second": "00"}),
        ("a number that does not fit", {"values": [0, 1, 2, 3, 4], "width": 2, **random}),
        ("a negative number", {"values": [0, -1, 2, 3, 3], "width": 2, **random}),
        (
            "too few random bytes",
            {"values": [0, 1, 2, 3, 3], "width": 2, "first": "05", "second": "0a11"},
        ),
    ]


def reconstruct() -> Named:
    shares = table([5, 0, 7, 2], 3)["shares"]
    pairs = [[shares[0], shares[1]], [shares[1], shares[2]], [shares[2], shares[0]]]
    given = {"rows": 4, "width": 3, "pairs": pairs, "signed": False}
    changed = f"{int(shares[1][:2], 16) ^ 1:02x}{shares[1][2:]}"
    return [
        ("unsigned", given),
        ("the same as signed numbers", given | {"signed": True}),
        ("helper 1 lies", given | {"pairs": [[shares[0], changed], *pairs[1:]]}),
        ("helper 2 lies", given | {"pairs": [pairs[0], [changed, shares[2]], pairs[2]]}),
        ("helper 3 sends too little", given | {"pairs": [*pairs[:2], [shares[2], shares[0][2:]]]}),
    ]


SHARING_INPUTS: dict[str, tuple[str, Callable[[], Named]]] = {
    "prss": ("What the helpers derive from their pairwise keys without messages.", prss),
    "share": ("Dealing: the third share from the first two, which are random.", share),
    "reconstruct": ("What the report collector puts together.", reconstruct),
}
