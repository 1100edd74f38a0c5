"""What SPEC_NOTES.md says that helper parties send each other is what they send."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import get_args

from budget_cases import NETWORK, commit, commitment, pay, terms
from budget_cases import query as query_record
from spec_notes_cases import MESSAGES, ROOT, rows_under
from worker_processes import quick_directory

import ipa
from ipa.budget import charge_together, create_ledgers
from ipa.client.configuration import helper_keys_from_json
from ipa.client.rejection import Reason
from ipa.network.channel import Message
from ipa.network.sockets import MAX_PAYLOAD_BYTES, MAX_STEP_BYTES
from ipa.parameters import Attribution, Capping, Mechanism, Sort
from ipa.parties import left_of, right_of
from ipa.report_query import run_report_query
from ipa.sharing.rings import PRIME_FIELD
from ipa.sharing.verification.binary_field import BinaryField

FIXED_SIZES = {
    "one byte, 1": 1,
    "32 bytes": 32,
    "SHA-256 of what H1, H2 and H3 sent": 32,
    "1 element": 8,
    "2 elements": 16,
}
"""The beginnings of payloads' descriptions that say how long they are."""


def table(header: str) -> list[tuple[str, ...]]:
    return rows_under(MESSAGES, f"| {header} |")


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
    """Queries over events by either way to cap, sort and aggregate, and over reports of both sharings."""
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
            sort: Sort = "bitonic" if window is None else "shuffle"
            ipa.run_query(events, replace(parameters, sort=sort), options=options)
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
        routes = {"left": left, "both": both, "H3": {(1, 3), (2, 3)}}
        named = {(int(a), int(b)) for a, b in re.findall(r"H(\d) to H(\d)", to)}
        assert receivers[path] == (named or routes[to]), path


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
