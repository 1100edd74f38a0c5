"""Agreement on reports under attack: a helper that lies is caught, or drops rows and no more."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_cases import (
    EVENTS,
    PARAMETERS,
    opened_events,
    take_in,
    with_record,
    without_rows,
    without_sites,
    world,
)

import ipa.intake.report_intake
from ipa.attacks import Change, Tampering
from ipa.client.rejection import Reason
from ipa.errors import MisbehaviourError, RandomnessReuseError, VerificationError
from ipa.intake.query_comparison import compare_queries
from ipa.intake.report_intake import take_in_reports
from ipa.network.channel import in_memory_channels
from ipa.network.costs import cost_of
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import InterceptedChannel, Transcript
from ipa.network.simulation import RunOptions, pairwise_keys, simulated_network
from ipa.parties import HELPERS, left_of, right_of
from ipa.protocols.primitives.broadcast import broadcast
from ipa.protocols.primitives.report_comparison import compare_repeats, compare_rows
from ipa.report_query import run_report_query
from ipa.sharing.prss import TAG_BYTES, Prss

PARTS = {"query": 68, "rows": 17 * len(EVENTS), "repeats": len(EVENTS)}
"""What the helpers settle one after another, and how many bytes each broadcasts for it."""
STEPS = [f"intake/{part}/{round}" for part in PARTS for round in ("broadcast", "echo")]
SEED = 7


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("to_both", [True, False])
def test_every_bit_flipped_in_every_message_is_noticed(
    step: str, helper: int, to_both: bool
) -> None:
    receivers = [None] if to_both else [left_of(helper), right_of(helper)]
    size = PARTS[step.split("/")[1]]
    bits = range(0, 8 * (32 if step.endswith("echo") else size), 29)
    for receiver in receivers:
        for bit in bits:
            tampering = Tampering(helper, step, "flip", receiver=receiver, bit=bit)
            with pytest.raises(VerificationError) as caught:
                take_in(world(), simulated_network(interceptors=[tampering]))
            assert tampering.tampered
            assert caught.value.step == step.replace("broadcast", "echo")
            assert set(caught.value.detected_by) - {helper}


@pytest.mark.parametrize("change", ["flip", "drop", "truncate", "extend", "replay", "delay"])
@pytest.mark.parametrize("step", STEPS)
def test_a_query_with_a_tampered_comparison_is_not_answered(step: str, change: Change) -> None:
    malicious = replace(PARAMETERS, security="malicious")
    for helper in HELPERS:
        for receiver in (None, right_of(helper), left_of(helper)):
            tampering = Tampering(helper, step, change, receiver=receiver, bit=60)
            with pytest.raises(MisbehaviourError):
                run_report_query(
                    world().streams,
                    world().keys,
                    malicious,
                    submitter=world().query.context.report_collector,
                    no_budget=True,
                    no_noise=True,
                    options=RunOptions(interceptors=[tampering]),
                )
            assert tampering.tampered


@pytest.mark.parametrize("step", STEPS)
def test_different_lies_to_the_two_end_both_honest_helpers(step: str) -> None:
    for liar in HELPERS:
        errors = run_in_threads(liar, Tampering(liar, step, "flip", receiver=right_of(liar)))
        assert set(HELPERS) - {liar} <= set(errors)
        assert "no message" not in "".join(map(str, errors.values()))  # nobody waits in vain


def run_in_threads(liar: int, tampering: Tampering) -> dict[int, MisbehaviourError]:
    """The intake and a last word from everybody, one helper per thread; the errors by helper."""
    keys, channels = pairwise_keys(), in_memory_channels(timeout=5)
    errors: dict[int, MisbehaviourError] = {}

    def run(helper: int) -> None:
        channel = channels[helper]
        if helper == liar:
            channel = InterceptedChannel(channel, [tampering])
        network = HelperPartyNetwork("threads", [HelperParty(helper, Prss(*keys[helper]), channel)])
        try:
            streams = compare_queries(
                network,
                {helper: world().streams[helper - 1]},
                {helper: world().keys[helper - 1]},
                {helper: world().query.context.report_collector},
            )
            take_in_reports(network, streams)
            broadcast(network, {helper: b"done"}, 4)
        except MisbehaviourError as error:
            errors[helper] = error

    threads = [threading.Thread(target=run, args=(helper,)) for helper in HELPERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


class LyingPrss(Prss):
    """PRSS of a helper that lies, to everybody alike, about its copy of a share of one row."""

    def __init__(self, keys: tuple[bytes, bytes], row: int, share: int) -> None:
        super().__init__(*keys)
        self.row = row
        self.share = share

    def tags(self, step: str, own: Sequence[bytes], right: Sequence[bytes]) -> tuple[bytes, bytes]:
        copies = [list(own), list(right)]
        copies[self.share][self.row] += b"?"
        return super().tags(step, *copies)


@pytest.mark.parametrize("liar", HELPERS)
@pytest.mark.parametrize("share", [0, 1])
def test_a_helper_that_lies_about_a_share_drops_that_row_alone(liar: int, share: int) -> None:
    for row in range(len(EVENTS)):
        network = simulated_network(SEED)
        lying = LyingPrss(pairwise_keys(SEED)[liar], row, share)
        bound = lying.for_session(network.name)
        network.parties[liar] = replace(network.parties[liar], prss=bound)
        intake = take_in(world(), network)
        assert intake.dropped == {Reason.INCONSISTENT: 1}
        assert opened_events(intake) == without_sites(without_rows(row))


@pytest.mark.parametrize("liar", HELPERS)
def test_a_helper_with_another_key_drops_everything_and_learns_nothing_more(liar: int) -> None:
    network = simulated_network(SEED)
    own, _ = pairwise_keys(SEED)[liar]
    other = Prss(own, bytes(32)).for_session(network.name)
    network.parties[liar] = replace(network.parties[liar], prss=other)
    intake = take_in(world(), network)
    assert intake.dropped == {Reason.INCONSISTENT: len(EVENTS)}


def test_a_status_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ipa.intake.report_intake._CODES, Reason.MALFORMED, 200)
    with pytest.raises(VerificationError, match="status 200"):
        take_in(with_record(world(), 2, 3, b""))


@given(
    rows=st.integers(0, 5),
    data=st.data(),
)
def test_compared_rows_are_those_that_two_holders_have_differently(
    rows: int, data: st.DataObject
) -> None:
    share = st.binary(max_size=2)
    copies = {
        helper: (
            data.draw(st.lists(share, min_size=rows, max_size=rows)),
            data.draw(st.lists(share, min_size=rows, max_size=rows)),
        )
        for helper in HELPERS
    }
    statuses = {helper: data.draw(st.binary(min_size=rows, max_size=rows)) for helper in HELPERS}
    network = simulated_network()
    compared = compare_rows(network, rows, statuses, copies)
    assert compared.statuses == (statuses[1], statuses[2], statuses[3])
    assert compared.differing == {
        row
        for row in range(rows)
        for helper in HELPERS
        if copies[helper][1][row] != copies[right_of(helper)][0][row]
    }
    cost = cost_of(network.costs)
    assert (cost.rounds, cost.bytes_sent, cost.and_gates) == (2, 3 * (34 * rows + 64), 0)


@given(rows=st.lists(st.integers(0, 99), max_size=5, unique=True), data=st.data())
def test_a_row_repeats_if_one_helper_says_so(rows: list[int], data: st.DataObject) -> None:
    bits = st.lists(st.sampled_from([0, 0, 1]), min_size=len(rows), max_size=len(rows))
    repeats = {helper: bytes(data.draw(bits)) for helper in HELPERS}
    network = simulated_network()
    found = compare_repeats(network, rows, repeats)
    assert found == {
        row for place, row in enumerate(rows) if any(said[place] for said in repeats.values())
    }
    cost = cost_of(network.costs)
    assert (cost.rounds, cost.bytes_sent, cost.and_gates) == (2, 3 * (2 * len(rows) + 64), 0)


def test_neither_yes_nor_no_is_refused() -> None:
    for liar in HELPERS:
        repeats = {helper: b"\0\2" if helper == liar else b"\0\1" for helper in HELPERS}
        with pytest.raises(VerificationError, match="neither yes nor no"):
            compare_repeats(simulated_network(), [3, 5], repeats)


def test_the_intake_costs_six_rounds_and_shows_how_many_reports_are_dropped() -> None:
    """Two worlds with bad reports, as many but others, look the same; only the last part differs."""
    shapes = []
    for rows in ((), (0, 6), (2, 3)):
        made = world()
        for row, helper in zip(rows, (1, 3), strict=False):
            made = with_record(made, helper, row, b"?")
        transcript = Transcript()
        network = simulated_network(interceptors=[transcript])
        take_in(made, network)
        cost = cost_of(network.costs, "intake")
        agreed = len(EVENTS) - len(rows)
        assert cost.rounds == 6
        assert cost.bytes_sent == 3 * (200 + 34 * len(EVENTS) + 64 + 2 * agreed + 64)
        shapes.append(transcript.shape())
    assert shapes[1] == shapes[2]


def test_tags_agree_between_holders_and_depend_on_key_step_position_and_message() -> None:
    prss = {helper: Prss(*pairwise_keys(1)[helper]) for helper in HELPERS}
    messages = [b"a", b"a", b"b", b""]
    first = {helper: prss[helper].tags("s", messages, messages) for helper in HELPERS}
    other_step = prss[1].tags("t", messages, messages)
    for helper in HELPERS:
        assert first[helper][1] == first[right_of(helper)][0]
        assert len(first[helper][0]) == TAG_BYTES * len(messages)
    everything = b"".join([*(first[helper][0] for helper in HELPERS), *other_step])
    tags = [everything[at : at + TAG_BYTES] for at in range(0, len(everything), TAG_BYTES)]
    assert len(set(tags)) == len(tags) == 20
    with pytest.raises(RandomnessReuseError):
        prss[1].tags("s", messages, messages)


def test_tags_and_keystreams_are_of_different_keys() -> None:
    """One step may draw randomness under the name that another network uses for tags."""
    once, again = (Prss(*pairwise_keys(1)[1]) for _ in range(2))
    own, _ = once.tags("s", [b""], [b""])
    columns, _ = again.random_columns("s", TAG_BYTES, 8)
    assert own != bytes(columns)


def test_broadcast_gives_everybody_the_three_messages() -> None:
    network = simulated_network()
    messages = {1: b"one", 2: b"two", 3: b"six"}
    assert broadcast(network, messages, 3) == messages
    cost = cost_of(network.costs)
    assert (cost.rounds, cost.bytes_sent, cost.messages) == (2, 3 * (6 + 64), 12)
