"""Whose query a match key can be in: one collector's, on behalf of one site, submitted by itself."""

from dataclasses import replace
from pathlib import Path

import pytest
from intake_cases import EVENTS, HOME, PARAMETERS, SHOP, World, answer, make_world, world
from payment_cases import CHARGED, paying_ledgers, payment_of

from ipa.budget.ledger_directory import queries
from ipa.client.encrypted_match_key import EncryptedMatchKey, ReportContext
from ipa.client.fanout_query import QueryStream, write_query_stream
from ipa.client.rejection import Reason
from ipa.client.report_collector import CollectedEvent, SourceData, seal_report
from ipa.client.user_agent import UserAgent
from ipa.errors import ParameterError, ReportError
from ipa.intake.query_comparison import compare_queries
from ipa.network.simulation import simulated_network
from ipa.oracle.steps import query_in_steps
from ipa.parties import HELPERS
from ipa.report_query import run_report_query
from ipa.sharing.randomness import Randomness

DELEGATE = replace(HOME, report_collector="dsp.example", site="video.example")
"""A delegate's context: it collects on video.example, on behalf of HOME's site."""


def submitted(made: World, asking: ReportContext, match_keys: list[EncryptedMatchKey]) -> World:
    """A trigger fanout query of `asking`'s, with these match keys in source reports."""
    query = replace(made.query, context=asking, fanout="trigger")
    data = SourceData(timestamp=1, breakdown_key=0)
    table = {each.context: 0 for each in match_keys}
    table = {context: place for place, context in enumerate(table)}
    rows = [
        seal_report(CollectedEvent(data, each), table, query, made.network, Randomness())
        for each in match_keys
    ]
    first, second, third = (
        write_query_stream(
            QueryStream(
                helper,
                made.network.encryption_key(helper).fingerprint,
                query,
                tuple(table),
                tuple(row[helper - 1] for row in rows),
            )
        )
        for helper in HELPERS
    )
    return replace(made, query=query, streams=(first, second, third))


def asking(site: str, collector: str = DELEGATE.report_collector) -> ReportContext:
    return replace(DELEGATE, report_collector=collector, on_behalf_of=site, site=site)


def collected_by_delegate(made: World, on_behalf_of: str) -> EncryptedMatchKey:
    device = UserAgent([made.network], epoch=HOME.epoch)
    return device.get_encrypted_match_key(
        DELEGATE.site,
        DELEGATE.report_collector,
        on_behalf_of=on_behalf_of,
        network_name=HOME.network_name,
    )


def test_a_delegate_s_match_key_is_used_for_the_site_it_was_collected_for_alone() -> None:
    """The attack: one ciphertext made for a delegate, in the queries of both of its sites."""
    made = make_world([])
    match_key = collected_by_delegate(made, HOME.site)
    own = submitted(made, asking(HOME.site), [match_key])
    assert answer(own, submitter=DELEGATE.report_collector).dropped == {}
    others = submitted(made, asking(SHOP.site), [match_key])
    result = answer(others, submitter=DELEGATE.report_collector)
    assert (result.dropped, result.result.rows) == ({Reason.WRONG_ASKING_SITE: 1}, 0)
    lying = replace(match_key, context=replace(match_key.context, on_behalf_of=SHOP.site))
    relabelled = submitted(made, asking(SHOP.site), [lying])
    result = answer(relabelled, submitter=DELEGATE.report_collector)
    assert (result.dropped, result.result.rows) == ({Reason.CANNOT_DECRYPT: 1}, 0)


def test_a_delegate_gets_a_ciphertext_for_each_of_its_sites() -> None:
    made = make_world([])
    device = UserAgent([made.network], epoch=HOME.epoch)
    for_each = [
        device.get_encrypted_match_key(
            DELEGATE.site,
            DELEGATE.report_collector,
            on_behalf_of=site,
            network_name=HOME.network_name,
        )
        for site in (HOME.site, SHOP.site)
    ]
    for match_key, site in zip(for_each, (HOME.site, SHOP.site), strict=True):
        own = submitted(made, asking(site), [match_key])
        assert answer(own, submitter=DELEGATE.report_collector).dropped == {}


def test_a_captured_match_key_is_of_no_use_in_a_query_of_one_s_own() -> None:
    """The attack: a page's other script has seen a match key, and asks about it for itself."""
    made = make_world([])
    captured = collected_by_delegate(made, HOME.site)
    evil = asking(HOME.site, "evil.example")
    result = answer(submitted(made, evil, [captured]), submitter="evil.example")
    assert (result.dropped, result.result.rows) == ({Reason.WRONG_COLLECTOR: 1}, 0)
    lying = replace(captured, context=replace(captured.context, report_collector="evil.example"))
    result = answer(submitted(made, evil, [lying]), submitter="evil.example")
    assert (result.dropped, result.result.rows) == ({Reason.CANNOT_DECRYPT: 1}, 0)


@pytest.mark.parametrize("submitter", ["evil.example", "", "collector.example.", HOME.site])
def test_nor_in_a_query_in_the_collector_s_name(submitter: str, tmp_path: Path) -> None:
    """It is refused whole and not charged: the budget is not for others to spend."""
    ledgers = paying_ledgers(tmp_path)
    with pytest.raises(ReportError, match=r"submitted by .* of report collector") as caught:
        run_report_query(
            world().streams,
            world().keys,
            CHARGED,
            submitter=submitter,
            payment=payment_of(ledgers, "q"),
        )
    assert caught.value.reason == Reason.WRONG_COLLECTOR
    assert not queries(*ledgers)
    assert answer(world()).result.sums == query_in_steps(EVENTS, PARAMETERS)


@pytest.mark.parametrize("helper", HELPERS)
def test_each_helper_judges_for_itself_who_submits(helper: int) -> None:
    streams = dict(zip(HELPERS, world().streams, strict=True))
    keys = dict(zip(HELPERS, world().keys, strict=True))
    submitters = dict.fromkeys(HELPERS, HOME.report_collector) | {helper: "evil.example"}
    with pytest.raises(ReportError, match=f"the stream of helper {helper}: .* 'evil.example'"):
        compare_queries(simulated_network(), streams, keys, submitters)


def test_a_host_of_a_site_has_no_query_and_so_no_budget_of_its_own(tmp_path: Path) -> None:
    """The attack: a site that makes up hosts, each with a budget, if helpers took hosts for sites."""
    ledgers = paying_ledgers(tmp_path)
    sites = {HOME.site: "example", SHOP.site: SHOP.site}
    with pytest.raises(ParameterError, match=r"registrable domain: example, not news\.example"):
        run_report_query(
            world().streams,
            world().keys,
            CHARGED,
            submitter=HOME.report_collector,
            payment=payment_of(ledgers, "q"),
            registrable_domain=lambda host: sites[host],
        )
    assert not queries(*ledgers)
