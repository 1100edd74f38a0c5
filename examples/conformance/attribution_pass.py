"""An adapter for `ipa conform`, from the documents alone: every message of a pass of last touch."""

import hmac
import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # for AES alone

Column = tuple[int, ...]  # two shares each of helper 1, of helper 2 and of helper 3


def xor(a: Column, b: Column) -> Column:
    """The sum of two columns of bits."""
    return tuple(map(int.__xor__, a, b))


class Run:
    """Three helpers, and what they send; ValueError(stage, reason) where one of them refuses."""

    def __init__(self, given: Any) -> None:
        self.given, self.messages, self.times = given, list[Any](), Counter[str]()
        self.keys = [bytes.fromhex(key) for key in given["keys"]]
        if any(len(key) != 32 for key in self.keys):
            raise ValueError("keys", "length")
        rows = {given[name]["rows"] for name in ("x", "y", "flag", "credit") if name in given}
        if len(rows) > 1:
            raise ValueError("input", "mismatch")
        self.rows = rows.pop()
        self.size = max(1, (self.rows + 7) // 8)

    def decoded(self, data: bytes) -> list[int]:
        """A number for each column."""
        starts = range(0, len(data), self.size)
        return [int.from_bytes(data[start : start + self.size], "little") for start in starts]

    def encoded(self, columns: Sequence[int]) -> bytes:
        """The columns as they travel."""
        return b"".join(column.to_bytes(self.size, "little") for column in columns)

    def table(self, name: str) -> list[Column]:
        """A table of the input: helper i holds shares i and i + 1."""
        x, y, z = (self.decoded(bytes.fromhex(share)) for share in self.given[name]["shares"])
        return list(zip(x, y, y, z, z, x, strict=True))

    def shown(self, table: Sequence[Column]) -> Any:
        """A table of the output: of each helper its first share."""
        shares = [self.encoded([column[i] for column in table]).hex() for i in (0, 2, 4)]
        return {"rows": self.rows, "width": len(table), "shares": shares}

    def send(self, step: str, sender: int, receiver: int, summand: Sequence[int]) -> list[int]:
        """What arrives of a helper's summand at another helper."""
        route = {"step": step, "from": sender, "to": receiver}
        payload = self.encoded(summand).hex()
        self.messages.append({**route, "payload": payload})
        delivered = self.given.get("delivered", {})
        arrived = delivered["payload"] if route.items() <= delivered.items() else payload
        if arrived is None or len(arrived) != len(payload):
            raise ValueError(step, "missing" if arrived is None else "length")
        columns = self.decoded(bytes.fromhex(arrived))
        if any(column >> self.rows for column in columns):
            raise ValueError(step, "padding")
        return columns

    def multiply(self, step: str, x: Sequence[Column], y: Sequence[Column]) -> list[Column]:
        """AND, column by column: every helper sends its summand, masked, to its left neighbour."""
        self.times[step] += 1
        step += f"#{self.times[step]}" if self.times[step] > 1 else ""
        label = f"ipa prss 0 {len(self.given['session'])} {self.given['session']} {step}".encode()
        masks, keep = list[list[int]](), (1 << self.rows) - 1
        for key in self.keys:
            aes = algorithms.AES(hmac.digest(key, label, "sha256")[:16])
            stream = Cipher(aes, modes.CTR(bytes(16))).encryptor()
            masks.append(self.decoded(stream.update(bytes(self.size * len(y)))))
        shares = list[list[int]]()
        for i, j in ((0, 1), (1, 2), (2, 0)):
            zero = map(int.__xor__, masks[i], masks[j])
            own = [
                (a[2 * i] & (b[2 * i] ^ b[2 * i + 1]) ^ a[2 * i + 1] & b[2 * i] ^ mask) & keep
                for a, b, mask in zip(x, y, zero, strict=True)
            ]
            shares += [own, self.send(step, i + 1, (i + 2) % 3 + 1, own)]
        own_1, from_1, own_2, from_2, own_3, from_3 = shares
        return list(zip(own_1, from_2, own_2, from_3, own_3, from_1, strict=True))

    def add(self, step: str, a: Sequence[Column], b: Sequence[Column]) -> list[Column]:
        """The sum modulo 2^width, with Sklansky's prefix network for the carries."""
        total = list(map(xor, a, b))
        propagate, distance = total[:-1], 1
        generate = self.multiply(f"{step}/multiply", a[:-1], b[:-1]) if propagate else []
        while distance < len(propagate):
            upper = [j for j in range(len(propagate)) if j & distance]
            inner = [j for j in upper if j >= 2 * distance]  # the lowest block needs no propagate
            factors = [propagate[j] for j in [*upper, *inner]]
            lower = [generate[j // distance * distance - 1] for j in upper]
            lower += [propagate[j // distance * distance - 1] for j in inner]
            products = self.multiply(f"{step}/multiply", factors, lower)
            for j, product in zip(upper, products, strict=False):
                generate[j] = xor(generate[j], product)
            for j, product in zip(inner, products[len(upper) :], strict=True):
                propagate[j] = product
            distance *= 2
        return [total[0], *map(xor, total[1:], generate)]


def multiply(run: Run) -> Any:
    """One product; a single column multiplies every column of the other table."""
    x, y = run.table("x"), run.table("y")
    if len(x) not in (1, len(y)):
        raise ValueError("input", "mismatch")
    return {"result": run.shown(run.multiply("multiply", x * (len(y) // len(x)), y))}


def add(run: Run) -> Any:
    """One addition."""
    x, y = run.table("x"), run.table("y")
    if len(x) != len(y):
        raise ValueError("input", "mismatch")
    return {"result": run.shown(run.add("add", x, y))}


def last_touch_pass(run: Run) -> Any:
    """taken = flag AND (flag, credit) from `distance` rows ahead."""
    distance, width = run.given["distance"], run.given["width"]
    flag, credit = run.table("flag"), run.table("credit")
    if width < len(credit):
        raise ValueError("input", "range")

    def ahead(table: Sequence[Column]) -> list[Column]:
        """Rows past the end are 0."""
        return [tuple(share >> distance for share in column) for column in table]

    step = f"distance-{distance}"
    looked_at = ahead([*flag, *credit])
    taken = run.multiply(f"{step}/multiply", flag * len(looked_at), looked_at)
    blank = [(0,) * 6] * (width - len(credit))
    sums = run.add(f"{step}/add", [*credit, *blank], [*taken[1:], *blank])
    return {"flag": run.shown(taken[:1]), "credit": run.shown(sums)}


STEPS = {
    "messages/multiply": multiply,
    "messages/add": add,
    "messages/last-touch-pass": last_touch_pass,
}
for request in map(json.loads, sys.stdin):
    answer: Any = {"id": request["id"]}
    try:
        if request["step"] == "capabilities":
            answer["output"] = {"steps": list(STEPS)}
        else:
            run = Run(request["input"])
            output = STEPS[request["step"]](run)
            answer["output"] = {"messages": run.messages, **output}
    except ValueError as refusal:
        answer["reject"] = dict(zip(("stage", "reason"), refusal.args, strict=True))
    print(json.dumps(answer), flush=True)
