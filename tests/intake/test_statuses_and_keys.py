"""What a helper says of a report is one byte; which keys and contexts a report may name."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from intake_cases import EVENTS, HOME, PARAMETERS, answer, with_stream, world

from ipa.client.rejection import Reason
from ipa.client.rotation import add_key
from ipa.errors import VerificationError
from ipa.intake import report_intake
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parties import HELPERS
from ipa.protocols.primitives.report_comparison import ComparedRows, Copies, compare_rows
from ipa.report_query import ReportQueryResult, run_report_query

LAST = len(Reason) + 1


def told(patch: pytest.MonkeyPatch, status: int) -> ReportQueryResult:
    """The query when H3 says `status` of the first report, to both others."""

    def lying(
        network: HelperPartyNetwork,
        rows: int,
        statuses: Mapping[int, bytes],
        copies: Mapping[int, Copies],
    ) -> ComparedRows:
        said = {**statuses, 3: bytes([status]) + statuses[3][1:]}
        return compare_rows(network, rows, said, copies)

    patch.setattr(report_intake, "compare_rows", lying)
    made = world()
    return run_report_query(
        made.streams,
        made.keys,
        PARAMETERS,
        submitter=HOME.report_collector,
        no_budget=True,
        no_noise=True,
    )


@pytest.mark.parametrize("status", [LAST + 1, 100, 255])
def test_a_status_that_does_not_exist_ends_the_query(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with pytest.raises(VerificationError, match=f"the status {status}, which does not exist"):
        told(monkeypatch, status)


def test_the_last_status_that_exists_drops_the_report_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = told(monkeypatch, LAST)
    assert result.dropped == {[*Reason][-1]: 1}
    assert result.result.rows == len(EVENTS) - 1


def test_a_query_for_any_active_key_of_a_helper_is_answered() -> None:
    """A new key does not refuse what was made for the one before it, as long as that is active."""
    old = world()
    network, own = add_key(old.network, old.keys[1])
    assert network.encryption_key(2).key_id == 2
    result = answer(replace(old, keys=(old.keys[0], own, old.keys[2])))
    assert (result.dropped, result.result.rows) == ({}, len(EVENTS))


def test_a_context_just_behind_the_last_one_is_malformed() -> None:
    changed = world()
    for helper in HELPERS:
        stream = changed.stream(helper)
        first = stream.records[0]
        behind = first[:1] + len(stream.contexts).to_bytes(4, "big") + first[5:]
        records = (behind, *stream.records[1:])
        changed = with_stream(changed, helper, replace(stream, records=records))
    assert answer(changed).dropped == {Reason.MALFORMED: 1}
