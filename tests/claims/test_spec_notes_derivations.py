"""What SPEC_NOTES.md says that helper parties draw and hash is what they draw and hash."""

import hashlib
import hmac
import re
from fractions import Fraction

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from spec_notes_cases import MESSAGES, TEXT, rows_under

import ipa
from ipa.parameters import Security
from ipa.query import query
from ipa.sharing.bits import decode_columns, ones
from ipa.sharing.prss import Prss, ReproducibleKey
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo
from ipa.sharing.verification.binary_field import BinaryField


def table(header: str) -> list[tuple[str, ...]]:
    return rows_under(MESSAGES, f"| {header} |")


KEYS = ReproducibleKey(range(32)), ReproducibleKey(range(32, 64))
NAME, PATH = "a-run", "query/sort/stage-3/multiply#2"


def label() -> bytes:
    """The label of a draw, as the table has it."""
    form = re.match(r"`([^`]+)`", next(how for what, how in table("What") if what == "label"))
    assert form
    words = {"LENGTH": str(len(NAME)), "NAME": NAME, "PATH": PATH}
    return " ".join(words.get(word, word) for word in form[1].split()).encode()


def stream(key: bytes, size: int) -> bytes:
    """The stream of a key, as the table has it."""
    own = hmac.digest(key, label(), "sha256")[:16]
    return Cipher(algorithms.AES(own), modes.CTR(bytes(16))).encryptor().update(bytes(size))


def drawn() -> Prss:
    """A helper of which nothing has been drawn."""
    return Prss(*KEYS).for_session(NAME)


def test_random_columns_and_sharings_of_zero_are_drawn_as_said() -> None:
    width, rows = 3, 13
    own, right = (
        [column & ones(rows) for column in decode_columns(stream(key, width * 2), rows)]
        for key in KEYS
    )
    assert drawn().random_columns(PATH, width, rows) == (own, right)
    zero = [a ^ b for a, b in zip(own, right, strict=True)]
    assert drawn().zero_columns(PATH, width, rows) == zero


@pytest.mark.parametrize(
    ("ring", "size"), [(IntegersModulo(1 << 64), 24), (PRIME_FIELD, 24), (BinaryField(64), 8)]
)
def test_random_elements_are_drawn_as_said(ring: IntegersModulo | BinaryField, size: int) -> None:
    count = 3
    order = ring.modulus if isinstance(ring, IntegersModulo) else ring.order
    own, right = (
        [
            int.from_bytes(stream(key, count * size)[at : at + size], "little") % order
            for at in range(0, count * size, size)
        ]
        for key in KEYS
    )
    assert drawn().random_elements(PATH, ring, count) == (own, right)
    zero = [ring.subtract(a, b) for a, b in zip(own, right, strict=True)]
    assert drawn().zero_elements(PATH, ring, count) == zero


def test_tags_are_made_as_said() -> None:
    messages = [b"", b"share", b"share"]
    expected = []
    for key in KEYS:
        own = hmac.digest(key, b"tags " + label(), "sha256")
        expected.append(
            b"".join(
                hashlib.blake2b(place.to_bytes(4, "big") + message, digest_size=8, key=own).digest()
                for place, message in enumerate(messages)
            )
        )
    assert drawn().tags(PATH, messages, messages) == tuple(expected)


def as_fraction(value: Fraction) -> bytes:
    """Numerator and denominator, each behind its length as u16."""
    numbers = (value.numerator, value.denominator)
    parts = (number.to_bytes((number.bit_length() + 7) // 8, "big") for number in numbers)
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def agreed_fields(title: str, values: dict[str, int | Fraction]) -> bytes:
    """The values as the table `title` of "What helpers agree on" lays them out."""
    section = TEXT.split("### What helpers agree on")[1].split("\n## ")[0]
    table = section.split(f"| {title} |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| (\w+) \| (u\d+|fraction) \|", table, re.MULTILINE)
    assert {name for name, _ in rows} == set(values)
    return b"".join(
        as_fraction(Fraction(values[name]))
        if kind == "fraction"
        else int(values[name]).to_bytes(int(kind[1:]) // 8, "big")
        for name, kind in rows
    )


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
@pytest.mark.parametrize("most", [0, 8, 1 << 32])
def test_what_helpers_agree_on_is_hashed_as_the_tables_say(most: int, security: Security) -> None:
    """The input check's digests, computed from SPEC_NOTES and the shares alone."""
    parameters = ipa.QueryParameters(
        breakdowns=3,
        cap=9,
        capping="truncate",
        aggregate="count",
        attribution="last-touch" if most else "first-touch",
        attribution_window=700,
        max_reports_per_match_key=most or None,
        epsilon=Fraction(3, 2),
        mechanism="laplace-per-helper",
        sort="shuffle" if most else "bitonic",
        security=security,
        value_bits=5,
    )
    transcript = ipa.Transcript()
    network = ipa.simulated_network(1, [transcript], security=security)
    reports = ipa.share_events(network, ipa.generate_events(0), parameters, ipa.Randomness())
    rules = b""
    if security == "malicious":
        fields: dict[str, int | Fraction] = {"degree": 64, "batch_gates": 1 << 26}
        more: dict[str, int | Fraction] = {
            "batch_elements": 1 << 16,
            "smallest_prime_field": 1 << 60,
        }
        rules = agreed_fields("Rules of the check", fields | more)
    choices = {"capping": 1, "aggregate": 1, "security": int(security == "malicious")}
    choices |= {"attribution": 0 if most else 1, "mechanism": 1, "match_keys_can_collide": 0}
    choices |= {"sort": 1 if most else 0}
    widths = {"match_key_bits": 64, "attribution_constraint_id_bits": 16}
    others = {"breakdowns": 3, "cap": 9, "timestamp_bits": 32, "value_bits": 5}
    noise: dict[str, int | Fraction] = {
        "epsilon": Fraction(3, 2),
        "delta": Fraction(1, 10**9),
    }
    others |= {"attribution_window": 700, "max_reports_per_match_key": most}
    agreed = agreed_fields("Query parameters", {**others, **choices, **widths, **noise})
    parts = (b"ipa v2 agreed", network.name.encode(), rules, agreed, b"query-1")
    public = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    query(network, reports, parameters, "query-1")
    sent = {m.sender: m.payload for m in transcript.messages if m.step == "query/input-check"}
    for helper in (1, 2, 3):  # to both neighbours the same: without rows all shares are zero bytes
        tables = b"".join(
            table.width.to_bytes(4, "big") + table.rows.to_bytes(8, "big") + bytes(table.width)
            for table in reports.fields
        )
        assert sent[helper] == hashlib.sha256(public + tables).digest()
