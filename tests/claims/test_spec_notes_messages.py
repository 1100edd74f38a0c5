"""What SPEC_NOTES.md says that helper parties send each other is what they send."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from budget_cases import NETWORK, commit, commitment, pay, terms
from budget_cases import query as query_record
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from worker_processes import quick_directory

import ipa
from ipa.budget import charge_together, create_ledgers
from ipa.client.configuration import helper_keys_from_json
from ipa.client.rejection import Reason
from ipa.network.channel import Message
from ipa.network.sockets import MAX_PAYLOAD_BYTES, MAX_STEP_BYTES
from ipa.parameters import Attribution, Capping, Mechanism, Security
from ipa.parties import left_of, right_of
from ipa.query import query
from ipa.report_query import run_report_query
from ipa.sharing.bits import decode_columns, ones
from ipa.sharing.prss import Prss, ReproducibleKey
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo
from ipa.sharing.verification.binary_field import BinaryField

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SPEC_NOTES.md").read_text(encoding="utf-8")
MESSAGES = TEXT.split("\n## What helper parties send each other\n")[1].split("\n## ", 1)[0]

FIXED_SIZES = {
    "one byte, 1": 1,
    "32 bytes": 32,
    "SHA-256 of what H1, H2 and H3 sent": 32,
    "1 element": 8,
    "2 elements": 16,
}
"""The beginnings of payloads' descriptions that say how long they are."""


def table(header: str) -> list[tuple[str, ...]]:
    lines = MESSAGES[MESSAGES.index(f"| {header} |") :].split("\n\n", 1)[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]


def row_of(step: str) -> str:
    """A step's path as the table has it: without `#2`, its numbers as letters."""
    plain = re.sub(r"#\d+", "", step)
    return re.sub(r"distance-\d+", "distance-D", re.sub(r"stage-\d+", "stage-N", plain))


class Remembered(list[Message]):
    """Every message of a run."""

    def __call__(self, message: Message) -> Iterator[Message]:
        self.append(message)
        yield message


@cache
def messages_of_queries() -> list[Message]:
    """Queries over events by either way to cap and to aggregate, and over reports of both sharings."""
    seen = Remembered()
    options = ipa.RunOptions(seed=1, interceptors=[seen])
    ways: list[tuple[int, Capping]] = [(4, "proportional"), (4, "truncate"), (300, "proportional")]
    for breakdowns, capping in ways:
        events = ipa.generate_events(20, breakdowns=breakdowns, seed=1)
        parameters = ipa.QueryParameters(
            breakdowns=breakdowns, cap=5, capping=capping, max_reports_per_match_key=4
        )
        ipa.run_query(events, parameters, no_noise=True, options=options)
    for attribution in get_args(Attribution):
        noises: list[tuple[int | None, Mechanism]] = [(None, "laplace"), (9, "laplace-per-helper")]
        for window, mechanism in noises:
            parameters = replace(
                parameters,
                breakdowns=300,
                attribution=attribution,
                attribution_window=window,
                max_reports_per_match_key=None,
                epsilon=1,
                mechanism=mechanism,
            )
            ipa.run_query(events, parameters, options=options)
    vectors = json.loads((ROOT / "tests/vectors/query_streams.json").read_text(encoding="utf-8"))
    for case in (vectors["cases"][0], vectors["cases"][2]):
        run_report_query(
            [bytes.fromhex(helper["bytes"]) for helper in case["helpers"]],
            [helper_keys_from_json(json.dumps(keys)) for keys in case["helper_keys"]],
            ipa.QueryParameters(
                breakdowns=1 << case["query"]["widths"]["breakdown_key_bits"],
                cap=5,
                match_key_bits=case["query"]["match_key_bits"],
                **{k: v for k, v in case["query"]["widths"].items() if k != "breakdown_key_bits"},
            ),
            submitter=case["query"]["context"]["report_collector"],
            compressed_match_key_bits=8,
            no_budget=True,
            no_noise=True,
            options=options,
        )
    charge_with_a_difference(options.new_network("semi-honest"))
    return seen


def charge_with_a_difference(network: ipa.HelperPartyNetwork) -> None:
    """A charge by three helpers, one of which had lost an earlier one."""
    with quick_directory() as directory:
        ledgers = create_ledgers(directory / "l", terms(), network_name=NETWORK)
        commit(ledgers[0], commitment())
        for ledger in ledgers[:2]:
            pay(ledger, query_record("lost"))
        each = dict(zip((1, 2, 3), ledgers, strict=True))
        charge_together(network, each, dict.fromkeys((1, 2, 3), query_record("q")))


def test_the_table_has_every_message_of_a_query() -> None:
    rows = {path.strip("`"): (to, payload) for path, to, payload in table("Step path")}
    seen = messages_of_queries()
    assert {row_of(message.step) for message in seen} == rows.keys()
    receivers: dict[str, set[tuple[int, int]]] = {}
    for message in seen:
        receivers.setdefault(row_of(message.step), set()).add((message.sender, message.receiver))
    left = {(helper, left_of(helper)) for helper in (1, 2, 3)}
    both = left | {(helper, right_of(helper)) for helper in (1, 2, 3)}
    for path, (to, _) in rows.items():
        assert receivers[path] == {"left": left, "both": both, "H3": {(1, 3), (2, 3)}}[to], path


def test_payloads_of_a_length_that_is_said_have_it() -> None:
    rows = {path.strip("`"): payload for path, _, payload in table("Step path")}
    checked = set()
    for message in messages_of_queries():
        payload = rows[row_of(message.step)]
        for beginning, size in FIXED_SIZES.items():
            if payload.startswith(beginning):
                assert len(message.payload) == size, message
                checked.add(beginning)
    assert checked == FIXED_SIZES.keys()


def test_the_limits_of_a_frame() -> None:
    limits = {name: text for name, _, text in table("Frame")}
    assert limits["step_length"].endswith(f"at most {MAX_STEP_BYTES:,}")
    assert limits["payload_length"].endswith(f"at most {MAX_PAYLOAD_BYTES:,}")


def test_the_statuses_are_those_of_the_reasons() -> None:
    listed = [(int(status), reason) for status, reason in table("Status")]
    assert listed == [(number, str(reason)) for number, reason in enumerate(Reason, 2)]


def test_the_fields_of_the_check() -> None:
    field = BinaryField(64)
    rows = {name: (modulus, points) for name, modulus, points in table("Field")}
    exponents = [int(power or 1) for power in re.findall(r"x(?:\^(\d+))?", rows["GF(2^64)"][0])]
    assert sum(1 << exponent for exponent in exponents) + 1 == field.modulus
    assert rows["GF(2^64)"][1] == f"1, {field.omega:#x}, {field.omega ^ 1:#x}"
    assert rows["Z/p"][0] == f"p = 2^{PRIME_FIELD.modulus.bit_length()} - 1"
    assert (1 << PRIME_FIELD.modulus.bit_length()) - 1 == PRIME_FIELD.modulus


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


def charge_table(header: str) -> list[tuple[str, str]]:
    """The rows of a table under "Charges"."""
    section = MESSAGES.split("### Charges\n")[1].split("\n### ")[0]
    rows = section.split(f"| {header} |")[1].split("\n\n")[0]
    return re.findall(r"^\| (\w+) \| ([^|]+?) \|", rows, re.MULTILINE)


def test_the_charges_that_helpers_compare_are_as_the_tables_say() -> None:
    """Computed from SPEC_NOTES alone: helpers 1 and 2 have a charge that helper 3 lacks."""
    texts = {
        name: str(value)
        for name, value in vars(query_record("lost", fanout="trigger")).items()
        if name not in ("epsilon", "delta")
    } | {"epsilon": "0.25", "delta": "1e-12"}
    fields = [name for name, _ in charge_table("Record")]

    def record(**changed: str) -> bytes:
        values = texts | changed
        parts = [values[name].encode() for name in fields]
        return b"".join(len(part).to_bytes(2, "big") + part for part in parts)

    lost = record(fanout="source")
    known = len(lost).to_bytes(4, "big") + lost
    question = record(fanout="source", query_id="q", charged_at="0")
    values = {
        "question": hashlib.sha256(question).digest(),
        "clock": int(texts["charged_at"]).to_bytes(8, "big"),
        "list_digest": hashlib.sha256(known).digest(),
        "list_bytes": len(known).to_bytes(4, "big"),
    }
    compared = b"".join(values[name] for name, _ in charge_table("Compared"))
    seen = messages_of_queries()
    sent = {(m.step, m.sender): m.payload for m in seen if m.step.startswith("budget")}
    for helper in (1, 2):
        assert sent["budget/compare/broadcast", helper] == compared
        assert sent["budget/settle/broadcast", helper] == known
    assert sent["budget/settle/broadcast", 3] == bytes(len(known))
