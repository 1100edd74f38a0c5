"""Planted mutants of what devices and report collectors make."""

from collections.abc import Callable, Sequence

from mutant_cases import Mutant, Wrong, accepting, on_input, on_output

from ipa.conformance.json_values import Json

LENGTH = 2
"""Bytes of the length before each part of an info."""


def parts_of(info: str) -> list[bytes]:
    data, parts = bytes.fromhex(info), []
    while data:
        size = int.from_bytes(data[:LENGTH], "big")
        parts.append(data[LENGTH : LENGTH + size])
        data = data[LENGTH + size :]
    return parts


def joined(parts: Sequence[bytes]) -> str:
    return b"".join(len(part).to_bytes(LENGTH, "big") + part for part in parts).hex()


def info_parts(change: Callable[[list[bytes]], Sequence[bytes]]) -> Wrong:
    """The info is made of other parts."""
    return on_output(lambda _, output: {"info": joined(change(parts_of(output["info"])))})


def left_out(place: int) -> Wrong:
    return info_parts(lambda parts: [*parts[:place], *parts[place + 1 :]])


def exchanged(first: int, second: int) -> Wrong:
    def change(parts: list[bytes]) -> list[bytes]:
        """Two parts in each other's place."""
        parts[first], parts[second] = parts[second], parts[first]
        return parts

    return info_parts(change)


def little_endian(place: int) -> Wrong:
    return info_parts(lambda parts: [*parts[:place], parts[place][::-1], *parts[place + 1 :]])


def of_plaintext(change: Callable[[bytes, int], bytes]) -> Wrong:
    """Another plaintext, from the right one and the bytes of a share."""

    def other(given: Json, output: Json) -> Json:
        """The plaintext of each share and nonce."""
        size = (given["match_key_bits"] + 7) // 8
        return {"plaintext": change(bytes.fromhex(output["plaintext"]), size).hex()}

    return on_output(other)


def pieces(data: bytes, size: int) -> tuple[list[bytes], list[bytes]]:
    starts = range(0, len(data), size + 16)
    shares = [data[start : start + size] for start in starts]
    return shares, [data[start + size : start + size + 16] for start in starts]


def without_nonces(data: bytes, size: int) -> bytes:
    return b"".join(pieces(data, size)[0])


def nonces_behind(data: bytes, size: int) -> bytes:
    shares, nonces = pieces(data, size)
    return b"".join([*shares, *nonces])


def one_nonce(data: bytes, size: int) -> bytes:
    shares, nonces = pieces(data, size)
    return b"".join(share + nonces[0] for share in shares)


def shares_little_endian(data: bytes, size: int) -> bytes:
    shares, nonces = pieces(data, size)
    return b"".join(share[::-1] + nonce for share, nonce in zip(shares, nonces, strict=True))


def lowest_first(given: Json, output: Json) -> Json:
    """The first field in the lowest bits."""
    last = "breakdown_key_bits" if given["kind"] == "source" else "value_bits"
    widths = [
        given["widths"][name] for name in ("attribution_constraint_id_bits", "timestamp_bits", last)
    ]
    packed = []
    for fields in given["shares"]:
        number = start = 0
        for value, width in zip(fields, widths, strict=True):
            number |= int(value) << start
            start += width
        packed.append(number.to_bytes((sum(widths) + 7) // 8, "big"))
    return {"plaintext": b"".join(packed).hex()}


def whole_bytes(given: Json, output: Json) -> Json:
    """Each field in bytes of its own."""
    last = "breakdown_key_bits" if given["kind"] == "source" else "value_bits"
    names = ("attribution_constraint_id_bits", "timestamp_bits", last)
    return {
        "plaintext": b"".join(
            int(value).to_bytes((given["widths"][name] + 7) // 8, "big")
            for fields in given["shares"]
            for value, name in zip(fields, names, strict=True)
        ).hex()
    }


def packed_always(given: Json) -> Json:
    return given | {"part": 0} if given["part"] else given


def first_context_wins(_: Json, output: Json) -> Json:
    """The site is taken for that on whose behalf the collector acts."""
    context = output["context"]
    return output | {
        "context": context | {"on_behalf_of": context["site"], "site": context["site"]}
    }


CLIENT_MUTANTS = [
    Mutant("the helper is left out of the info", "client/match-key-info", left_out(1)),
    Mutant("on_behalf_of is left out of the info", "client/match-key-info", left_out(5)),
    Mutant("the match key's width is left out of the info", "client/match-key-info", left_out(8)),
    Mutant("site before on_behalf_of in the info", "client/match-key-info", exchanged(5, 6)),
    Mutant("collector before provider in the info", "client/match-key-info", exchanged(3, 4)),
    Mutant("a little-endian epoch in the info", "client/match-key-info", little_endian(7)),
    Mutant("a little-endian key_id in the info", "client/match-key-info", little_endian(10)),
    Mutant("any name is taken", "client/match-key-info", accepting("range")),
    Mutant("the nonces are left out", "client/match-key-plaintext", of_plaintext(without_nonces)),
    Mutant("nonces behind the shares", "client/match-key-plaintext", of_plaintext(nonces_behind)),
    Mutant("one nonce for both shares", "client/match-key-plaintext", of_plaintext(one_nonce)),
    Mutant(
        "little-endian shares", "client/match-key-plaintext", of_plaintext(shares_little_endian)
    ),
    Mutant("version 1 is taken", "client/parse-match-key", accepting("unsupported version")),
    Mutant("whatever does not parse is taken", "client/parse-match-key", accepting("malformed")),
    Mutant(
        "the site stands for both sites", "client/parse-match-key", on_output(first_context_wins)
    ),
    Mutant("any key_id is taken", "client/open-match-key", accepting("unknown or retired key")),
    Mutant("the tag is not checked", "client/open-match-key", accepting("cannot be decrypted")),
    Mutant("the match key's ciphertext is left out", "client/data-info", left_out(6)),
    Mutant("the field is left out of the info", "client/data-info", left_out(4)),
    Mutant("every field is the packed one", "client/data-info", on_input(packed_always)),
    Mutant("field before kind in the info", "client/data-info", exchanged(3, 4)),
    Mutant("the first field in the lowest bits", "client/data-plaintext", on_output(lowest_first)),
    Mutant("each field in bytes of its own", "client/data-plaintext", on_output(whole_bytes)),
]
