"""What a notebook shows: well-formed, escaped, bounded, and without a secret."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from display_cases import (
    EVENTS,
    MATCH_KEY,
    SECRETS,
    html,
    ledgers,
    parsed,
    shown_objects,
    words_of,
)
from hypothesis import given
from hypothesis import strategies as st

import ipa
from ipa.attacks import AttackReport, add_error
from ipa.errors import MisbehaviourError, MismatchError, ParameterError
from ipa.halo.lifecycle import Measurement, MeasurementState, RequisitionState
from ipa.halo.reporting import Report, ReportRow
from ipa.network.channel import Message
from ipa.network.costs import Cost, Costs
from ipa.planning import CapPlans, CapSweep, best_cap
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.sharing.dealing import only_helper, share_elements
from ipa.sharing.rings import PRIME_FIELD
from ipa.sharing.share_table import share_table

KINDS = """
AttackReport CapPlans CapSweep Costs EventEncoder GenericReports HelperBits HelperPartyNetwork
LabelledSum LabelledSums Ledger MeasurementResult MomentsResult QueryParameters QueryResult Receipt Records
ReportQueryResult SharedBits SharedElements SharedRows Transcript WorkerNetwork
"""

PACKAGE = Path(ipa.__file__).parent


class Balanced(HTMLParser):
    """A reader of HTML that checks that elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_kind_of_object_is_looked_at(tmp_path: Path) -> None:
    kinds = {type(shown).__name__ for shown in [*shown_objects(), *ledgers(tmp_path)]}
    assert sorted(kinds) == KINDS.split()


def test_all_are_well_formed_and_say_something(tmp_path: Path) -> None:
    for shown in [*shown_objects(), *ledgers(tmp_path)]:
        page = html(shown)
        reader = Balanced()
        reader.feed(page)
        reader.close()
        assert reader.open == []
        assert len(words_of(page)) > 10
        assert parsed(page).get("class") == "ipa-shown"
        assert "<script" not in page and "http" not in page


def test_none_shows_a_secret() -> None:
    for shown in shown_objects():
        for said in (repr(shown), words_of(html(shown))):
            for secret in SECRETS:
                assert secret not in said.lower().replace(" ", ""), type(shown)


@given(st.lists(st.integers(1 << 63, (1 << 64) - 1), min_size=1, max_size=12), st.integers(1, 3))
def test_no_secret_is_in_a_table_of_shares_or_a_view(secrets: list[int], helper: int) -> None:
    """Sixteen hexadecimal digits of a secret are none of a share's, but with probability 2^-64."""
    transcript = ipa.Transcript()
    network = ipa.simulated_network(1, [transcript])
    value = ipa.share_rows(network, secrets, 64, ipa.Randomness.from_seed(secrets[0], "x"))
    product = multiply(network, value, value)
    view = transcript.seen_by(helper, value=value, product=product)
    for shown in (value, product, only_helper(value, helper), view, transcript):
        page = words_of(html(shown)).replace(" ", "")
        assert not any(f"{secret:x}" in page or str(secret) in page for secret in secrets)


def test_a_share_shows_only_what_the_helpers_here_hold() -> None:
    network = ipa.simulated_network(1)
    value = ipa.share_rows(network, [MATCH_KEY], 64, ipa.Randomness.from_seed(1, "x"))
    alone = only_helper(value, 2)
    held = {helper: value.first_rows()[helper] for helper in (1, 2, 3)}
    page = html(alone)
    assert f"{held[2][0][0]:016x}" in page and f"{held[2][1][0]:016x}" in page
    assert f"{held[1][0][0]:016x}" not in page
    assert f"{held[1][0][0]:016x}" in html(value)
    assert "H2: x3" in page and "H3" not in words_of(page)


def test_the_secret_is_beside_its_shares_when_it_is_handed_in() -> None:
    network = ipa.simulated_network(1)
    value = ipa.share_rows(network, [MATCH_KEY, 5], 64, ipa.Randomness.from_seed(1, "x"))
    assert f"{MATCH_KEY:x}" not in share_table(value)._repr_html_()
    secret = ipa.reconstruct_for_testing(value)
    page = words_of(share_table(value, secret)._repr_html_())
    assert f"{MATCH_KEY:x} = {MATCH_KEY:,}" in page
    with pytest.raises(MismatchError, match="1 numbers for 2 rows"):
        share_table(value, [1])


def test_large_tables_are_cut() -> None:
    network = ipa.simulated_network(1)
    randomness = ipa.Randomness.from_seed(1, "x")
    value = ipa.share_rows(network, range(100_000), 17, randomness)
    page = html(value)
    assert "... 99,990 more rows" in page
    assert len(page) < 10_000
    wide = ipa.share_rows(network, [1], 4000, randomness)
    assert len(html(wide)) < 4_000


def test_a_digest_is_shown_as_a_whole_and_a_longer_message_in_a_line_as_long() -> None:
    for size in (32, 33, 4000):
        transcript = ipa.Transcript()
        transcript(Message("step", 1, 2, bytes(range(32)) + bytes(size - 32)))
        (shown,) = (
            "".join(cell.itertext())
            for cell in parsed(html(transcript)).iter("td")
            if "wrap" in cell.get("class", "")
        )
        assert len(shown) <= 71
        assert shown.endswith(" 1c1d1e1f") if size == 32 else shown.endswith(" 18191a1b ...")


def test_many_messages_sums_and_steps_are_cut() -> None:
    transcript = ipa.Transcript()
    for number in range(5000):
        transcript(Message(f"step-{number}", 1, 2, bytes(1000)))
    page = html(transcript)
    assert "... 4,936 more messages" in page and "5,000 messages" in page
    costs = Costs({f"query/stage-{number}/multiply": Cost(rounds=1) for number in range(5000)})
    assert "stage: 5,000 steps5,000" in words_of(html(costs)), "and their rounds"
    assert "... 4,968 more steps" in html(costs)
    result = ipa.run_query(
        [], ipa.QueryParameters(breakdowns=300, cap=10, security="semi-honest"), no_noise=True
    )
    assert "... 236 more breakdown keys" in html(result)
    assert max(map(len, (page, html(costs), html(result)))) < 80_000


def test_what_comes_from_outside_is_escaped(tmp_path: Path) -> None:
    bad = "<script>alert('&\"')</script>\x00\x1b"
    transcript = ipa.Transcript()
    transcript(Message(bad, 1, 2, b"<b>"))
    network = ipa.HelperPartyNetwork(bad, ipa.simulated_network(1).parties.values())
    error = MisbehaviourError(bad, bad, [1])
    report = AttackReport("aborted", bad, (1,), {1: error}, attack=add_error(2, bad))
    costs = Costs({bad: Cost()})
    missing = list(ledgers(tmp_path))[-1]
    for shown in (transcript, network, report, costs, missing):
        page = html(shown)
        assert parsed(page) is not None
        assert "<script" not in page and "<b>" not in page
    assert "alert" in html(report) and "malformed" in html(transcript)


def test_a_result_shows_its_intervals_and_its_noise() -> None:
    results = [shown for shown in shown_objects() if isinstance(shown, ipa.QueryResult)]
    noisy, exact = results
    assert noisy.noise is not None
    total, reach = noisy.sums[0], noisy.noise.interval_95
    assert f"{total - reach:,} to {total + reach:,}" in words_of(html(noisy))
    assert "no noise: exact, and not private" in words_of(html(exact))
    assert " to " not in words_of(html(exact)).replace("touch", "")


def test_an_attack_report_says_what_was_done_who_noticed_and_where() -> None:
    aborted, released = (shown for shown in shown_objects() if isinstance(shown, AttackReport))
    words = words_of(html(aborted))
    assert "H2 adds an error to its products in steps query/sort/*" in words
    assert "aborted: no result came out" in words and aborted.step in words
    assert re.search(r"H1\s*honest\s*yes", words) and re.search(r"H2\s*corrupted\s*no", words)
    wrong = words_of(html(replace(released, outcome="released", result_is_right=False)))
    assert "A WRONG RESULT" in wrong


def test_the_best_cap_of_a_plan_is_marked() -> None:
    (plans,) = (shown for shown in shown_objects() if isinstance(shown, CapPlans))
    rows = ["|".join(row.itertext()) for row in parsed(html(plans)).iter("tr")]
    best = best_cap(plans)
    assert [row.startswith(f"{best.cap}|") for row in rows if "least error" in row] == [True]


def test_a_sweep_of_caps_is_shown_in_the_unit_of_the_table() -> None:
    (sweep,) = (shown for shown in shown_objects() if isinstance(shown, CapSweep))
    page = html(sweep)
    rows = ["|".join(row.itertext()) for row in parsed(page).iter("tr")]
    error = best_cap(sweep.plans).error / 1000
    assert [row.startswith("1.200|") for row in rows if "least error" in row] == [True]
    assert f"|{error:.4g}|" in next(row for row in rows if "least error" in row)
    assert "of one sum, in the table's unit" in words_of(page)
    assert html(replace(sweep, unit=1)) == html(sweep.plans)
    assert html(replace(sweep, plans=CapPlans()))


def test_fields_that_a_repr_hides_are_hidden() -> None:
    measurement = Measurement(
        name="m",
        consumer="c",
        protocol="hmss",
        requisitions={"provider": RequisitionState.FULFILLED},
        charge=None,
        state=MeasurementState.SUCCEEDED,
        sealed_result=b"sealed",
    )
    assert "sealed" not in html(measurement)
    assert "provider" in html(measurement)


def test_a_report_of_reach_shows_its_rows() -> None:
    row = ReportRow("a AND b", (1, 7), 120, 118)
    words = words_of(html(Report((row,), ("a AND b fell",), 3)))
    for expected in ("3 measurements", "a AND b", "120", "118", "a AND b fell"):
        assert expected in words


def test_a_page_is_saved(tmp_path: Path) -> None:
    network = ipa.simulated_network(1)
    value = ipa.share_rows(network, [1], 3, ipa.Randomness.from_seed(1, "x"))
    file = tmp_path / "shares.html"
    share_table(value).save(file)
    assert parsed(file.read_text().replace("<!DOCTYPE html>", "")).tag == "html"
    with pytest.raises(ParameterError, match=r"must end in \.html"):
        share_table(value).save(tmp_path / "shares.txt")


def test_markup_is_made_in_one_package() -> None:
    """A file elsewhere that writes a tag would escape what it shows by itself, or not at all."""
    tags = re.compile(
        r"</?(table|t[rhd]|div|span|svg|rect|line|path|details|summary|style|p|b)[ >/]"
    )
    found = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if tags.search(path.read_text()) and path.parent.name != "display"
    ]
    assert found == []


def test_a_step_that_was_taken_again_counts_with_the_first_time() -> None:
    costs = Costs({"check": Cost(rounds=2), "check#2/open": Cost(rounds=3, bytes_sent=70)})
    tree = parsed(html(costs))
    lines = ["|".join(part.itertext()) for part in tree.iter("span") if part.get("class") == "step"]
    assert lines == [
        "step|rounds|bytes sent|AND gates|seconds",
        "all steps|5|70|0|0.000",
        "check|5|70|0|0.000",
        "open|3|70|0|0.000",
    ]


def test_ring_products_have_a_column_of_their_own_where_there_are_any() -> None:
    network = ipa.simulated_network(1, security="malicious")
    numbers = share_elements(network, PRIME_FIELD, [1, 2], ipa.Randomness.from_seed(1, "x"))
    multiply_elements(network, numbers, numbers)
    bits = ipa.share_rows(network, [1] * 5, 1, ipa.Randomness.from_seed(1, "x"))
    assert "ring products" not in html(Costs({"multiply": Cost(and_gates=3)}))
    multiply(network, bits, bits)
    steps = [
        part for part in parsed(html(network.costs)).iter("span") if part.get("class") == "step"
    ]
    assert all("grid-template-columns" in part.get("style", "") for part in steps)
    lines = [[*part.itertext()][:-1] for part in steps]  # all but the seconds
    assert lines[0] == ["step", "rounds", "bytes sent", "AND gates", "ring products"]
    assert [line[:2] + line[3:] for line in lines[1:]] == [
        ["all steps", "2", "5", "2"],
        ["multiply-numbers", "1", "0", "2"],
        ["multiply", "1", "5", "0"],
    ]
    words = words_of(html(network))
    assert "AND gates5 made, 0 of them checked" in words
    assert "ring products2 made, 0 of them checked" in words
    assert "ring products" not in words_of(html(ipa.simulated_network(1, security="malicious")))


def test_costs_look_like_a_dictionary_and_say_their_total() -> None:
    result = ipa.run_query(EVENTS, ipa.QueryParameters(breakdowns=4, cap=100), no_noise=True)
    assert isinstance(result.costs, Costs)
    assert isinstance(result.costs, dict)
    assert repr(result.costs).startswith(f"<Costs of {len(result.costs)} steps: ")
