"""An adapter for `ipa conform`, from the documents alone: a product, and the passes of last touch."""

import hmac
import json
import sys
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # for AES alone


def check(stage: str, **wrong: bool) -> None:
    """Refuse the input for the first reason that holds."""
    for reason in filter(wrong.get, wrong):
        raise ValueError(stage, reason)


def multiply(given: Any) -> Any:
    """The three messages of a multiplication. A table's columns are one number: bits stay in place."""
    x, y, name, z, messages = given["x"], given["y"], given["session"], list[str](), list[Any]()
    check("keys", length=any(len(key) != 64 for key in given["keys"]))
    check("input", mismatch=x["rows"] != y["rows"] or x["width"] not in (1, y["width"]))
    column = ((1 << y["rows"]) - 1).to_bytes(max(1, (y["rows"] + 7) // 8), "little") * y["width"]
    keep, label = int(column.hex(), 16), f"ipa prss 0 {len(name)} {name} multiply".encode()
    keys = [hmac.digest(bytes.fromhex(key), label, "sha256")[:16] for key in given["keys"]]
    aes = [Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor() for key in keys]
    masks = [int(stream.update(bytes(len(column))).hex(), 16) & keep for stream in aes]
    a = [int(share * (y["width"] // x["width"]), 16) for share in x["shares"]]
    b = [int(share, 16) for share in y["shares"]]
    for i, j, left in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):  # helper i + 1 has shares i and j
        z.append(f"{a[i] & (b[i] ^ b[j]) ^ a[j] & b[i] ^ masks[i] ^ masks[j]:0{2 * len(column)}x}")
        messages.append({"step": "multiply", "from": i + 1, "to": left + 1, "payload": z[i]})
    arrived = given.get("delivered", messages[0])["payload"]  # whichever message it is
    check("multiply", missing=arrived is None)
    check("multiply", length=len(arrived) != len(z[0]), padding=int("0" + arrived, 16) & ~keep > 0)
    return {"messages": messages, "result": y | {"shares": z}}


def passes(given: Any) -> Any:
    """Every pass of last touch attribution, in the clear."""
    same, trigger = given["same_match_key_and_constraint"], given["is_trigger"]
    stop, credit, done = [1] * len(same), [int(value) for value in given["trigger_value"]], []
    check("input", mismatch=not len(same) == len(trigger) == len(credit))
    check("input", range=not {*same, *trigger} <= {0, 1} or min(credit, default=0) < 0)
    for distance in [1 << k for k in range(len(same[1:]).bit_length())]:
        ahead = [column[distance:] + [0] * distance for column in (same, trigger, stop, credit)]
        flag = [s & h & t for s, h, t in zip(stop, *ahead[:2], strict=True)]
        stop = [f & s for f, s in zip(flag, ahead[2], strict=True)]
        credit = [c + f * more for c, f, more in zip(credit, flag, ahead[3], strict=True)]
        done.append({"distance": distance, "flag": flag, "credit": credit})
    return {"passes": done}


STEPS: Any = {"messages/multiply": multiply, "clear/last-touch-passes": passes}
for request in map(json.loads, sys.stdin):
    answer = STEPS.get(request["step"], lambda _: {"steps": [*STEPS]})  # capabilities
    try:
        result = {"output": answer(request["input"])}
    except ValueError as refusal:
        result = {"reject": dict(zip(("stage", "reason"), refusal.args, strict=True))}
    print(json.dumps({"id": request["id"], **result}), flush=True)
