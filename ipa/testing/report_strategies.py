"""Strategies for what devices and report collectors make: names, contexts, match keys, shared reports."""

from functools import lru_cache
from typing import get_args

from hypothesis import strategies as st

from ipa.client.configuration import NetworkConfiguration
from ipa.client.encrypted_match_key import EncryptedMatchKey, ReportContext, encrypt_match_key
from ipa.client.fanout_query import FanoutQuery, FieldWidths, Form
from ipa.client.shares import Sharing
from ipa.names import MAX_EPOCH
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import MAX_FIELD_BITS, MAX_MATCH_KEY_BITS, Fanout
from ipa.reports import GenericReports, share_events
from ipa.sharing.randomness import Randomness
from ipa.testing.event_strategies import events_within, small_queries
from ipa.testing.table_strategies import below


def identifiers() -> st.SearchStrategy[str]:
    """Names of sites and parties."""
    usual = st.sampled_from(["news.example", "shoes.example", "a", "login.example", "0"])
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    label = st.text(letters, min_size=1, max_size=12)
    return usual | st.lists(label, min_size=1, max_size=3).map(".".join)


def contexts(network_name: str | None = None) -> st.SearchStrategy[ReportContext]:
    """Contexts of encrypted match keys, of the network of that name or any."""
    return st.builds(
        ReportContext,
        network_name=identifiers() if network_name is None else st.just(network_name),
        match_key_provider=identifiers(),
        report_collector=identifiers(),
        on_behalf_of=identifiers(),
        site=identifiers(),
        epoch=below(MAX_EPOCH + 1),
    )


def field_widths() -> st.SearchStrategy[FieldWidths]:
    """Widths of the fields that a report collector adds."""
    width = st.sampled_from([1, 8, MAX_FIELD_BITS]) | st.integers(1, MAX_FIELD_BITS)
    return st.builds(
        FieldWidths,
        attribution_constraint_id_bits=width,
        timestamp_bits=width,
        breakdown_key_bits=width,
        value_bits=width,
    )


@st.composite
def fanout_queries(draw: st.DrawFn) -> FanoutQuery:
    """What a report collector asks, and binds every ciphertext to."""
    context = draw(contexts())
    fields = {**vars(context), "site": context.on_behalf_of}
    return FanoutQuery(
        context=ReportContext(**fields),
        fanout=draw(st.sampled_from(get_args(Fanout))),
        widths=draw(field_widths()),
        match_key_bits=draw(st.integers(1, MAX_MATCH_KEY_BITS)),
        form=draw(st.sampled_from(get_args(Form))),
        sharing=draw(st.sampled_from(get_args(Sharing))),
    )


@st.composite
def encrypted_match_keys(
    draw: st.DrawFn, configuration: NetworkConfiguration
) -> tuple[int, EncryptedMatchKey]:
    """A match key, and what a device gives a site for it.

    HPKE draws its own randomness; within a process the same match key in the same context has the same
    ciphertexts each time, so that examples can be shrunk.
    """
    match_key = draw(below(1 << configuration.match_key_bits))
    context = draw(contexts(configuration.name))
    return match_key, _encrypted(match_key, context, configuration)


@lru_cache(maxsize=4096)
def _encrypted(
    match_key: int, context: ReportContext, configuration: NetworkConfiguration
) -> EncryptedMatchKey:
    return encrypt_match_key(match_key, context, configuration, Randomness.from_seed(1, "device"))


@st.composite
def generic_reports(
    draw: st.DrawFn, network: HelperPartyNetwork, max_reports: int = 40
) -> GenericReports:
    """Reports of a small query, shared among the helpers of a simulated network."""
    _, asked = draw(small_queries(max_events=0))
    events = draw(events_within(asked, draw(st.integers(0, max_reports))))
    randomness = Randomness.from_seed(draw(st.integers(0, 2**32)), "client shares")
    return share_events(network, events, asked, randomness)
