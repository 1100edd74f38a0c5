"""The inputs of the vectors of `messages/` in which helpers agree: coins, inputs, verdicts, a run's name."""

import hashlib

from vector_runs import Named, altered, every_way, run, table

from ipa.conformance.json_values import Json


def coins() -> Named:
    step, honest = "messages/coins", run(ring="GF(2^64)", count=2)
    prime = run(ring=f"Z/{2**61 - 1}", count=1)
    return [
        ("two elements of GF(2^64)", honest),
        ("an element of Z/(2^61 - 1)", prime),
        ("an element of GF(2^8)", run(ring="GF(2^8)", count=1)),
        ("none: nothing is sent", run(ring="GF(2^64)", count=0)),
        *every_way(step, honest, "coin/ready", 1, "missing", "flipped"),
        *every_way(step, honest, "coin/open", 2, "flipped", "short"),
        ("a number too large to be an element", prime | {"delivered": _too_large(step, prime)}),
    ]


def _too_large(step: str, given: Json) -> Json:
    message: Json = altered(step, given, "coin/open", 1, "flipped")["delivered"]
    return message | {"payload": "ff" * 8}


def check_inputs() -> Named:
    step = "messages/check-inputs"
    honest = run(tables=[table([5, 0, 7, 2, 6], 3), table([1, 0], 1, "y")], agreed=["0102", ""])
    return [
        ("two tables, two byte strings", honest),
        ("nothing but the name of the run", run(tables=[], agreed=[])),
        *every_way(step, honest, "input-check", 1, "flipped", "missing"),
        *every_way(step, honest, "input-check", 3, "flipped", "long"),
    ]


def agree() -> Named:
    step, honest = "messages/agree", run()
    return [
        ("everybody accepts", honest),
        *every_way(step, honest, "agreement/verdict", 1, "flipped", "missing"),
        *every_way(step, honest, "agreement/confirmation", 2, "flipped", "missing"),
    ]


def run_name() -> Named:
    step = "messages/run-name"
    nonces = [hashlib.sha256(f"nonce {helper}".encode()).hexdigest() for helper in (1, 2, 3)]
    honest: Json = {"nonces": nonces}
    told, echo = "run-name/broadcast", "run-name/echo"
    return [
        ("three nonces", honest),
        ("three nonces that are all the same", {"nonces": ["00" * 32] * 3}),
        ("helper 1 tells helper 2 another nonce", altered(step, honest, told, 1, "flipped", 2)),
        ("helper 1 tells helper 3 another nonce", altered(step, honest, told, 1, "flipped", 3)),
        ("helper 3 tells helper 2 another nonce", altered(step, honest, told, 3, "flipped", 2)),
        *every_way(step, honest, told, 2),
        *every_way(step, honest, echo, 3, "missing", "short", "long", "flipped"),
        ("a nonce that is too short", {"nonces": [nonces[0][2:], *nonces[1:]]}),
        ("a nonce that is too long", {"nonces": [*nonces[:2], nonces[2] + "00"]}),
        ("no nonce of helper 2", {"nonces": [nonces[0], "", nonces[2]]}),
    ]
