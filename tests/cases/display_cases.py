"""One of every object that a notebook shows, made from secrets that one would recognise."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from budget_cases import commit, commitment, new_ledger, pay, share
from budget_cases import query as record_of
from encoder_cases import SOURCE, TRIGGER, fresh
from intake_cases import answer, world

import ipa
from ipa.attacks import add_error, run_attack
from ipa.budget import budgets, queries
from ipa.display.records import html_of
from ipa.halo.measurement import run_measurement
from ipa.halo.network import simulated_workers
from ipa.halo.specification import MeasurementSpecification
from ipa.halo.workload import generate_impressions
from ipa.moments import run_moments_query
from ipa.planning import plan_caps
from ipa.protocols import helper_bits
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.dealing import only_helper, share_elements
from ipa.sharing.rings import PRIME_FIELD
from ipa.sharing.rows.shared_rows import SharedRows

MATCH_KEY = 0xFEEDFACECAFEBEEF
VALUE = 0xBEAD
SECRETS = (
    f"{MATCH_KEY:x}",
    str(MATCH_KEY),
    f"{MATCH_KEY:,}",
    f"{VALUE:x}",
    str(VALUE),
    f"{VALUE:,}",
)
"""How the secrets would look, in any of the forms in which numbers are shown."""

PARAMETERS = ipa.QueryParameters(breakdowns=4, cap=100, epsilon=Fraction(1, 2))
EVENTS: list[ipa.Event] = [
    ipa.SourceEvent(MATCH_KEY, 7, 100, 2),
    ipa.TriggerEvent(MATCH_KEY, 7, 200, VALUE),
] * 4


def shared_objects() -> Iterator[object]:
    """Shares of the secrets, and what has been done with them in a network."""
    transcript = ipa.Transcript()
    network = ipa.simulated_network(1, [transcript], security="malicious")
    randomness = ipa.Randomness.from_seed(1, "clients")
    keys = ipa.share_rows(network, [MATCH_KEY] * 20, 64, randomness)
    reports = ipa.share_events(network, EVENTS, PARAMETERS, randomness)
    yield from (keys, reports, only_helper(keys, 2))
    yield share_elements(network, PRIME_FIELD, [VALUE] * 3, randomness)
    yield SharedRows(network.name, 1, 8, {1: [b"ab"], 2: [b"bc"]})
    multiply(network, keys, keys)
    yield from (helper_bits(network, reports), network, network.costs, transcript)


def results() -> Iterator[object]:
    """Results of every kind of query, and reports of attacks."""
    for parameters in (PARAMETERS, ipa.QueryParameters(breakdowns=4, cap=100)):
        options = ipa.RunOptions(seed=1)
        exact = parameters.epsilon is None
        yield ipa.run_query(EVENTS, parameters, no_noise=exact, options=options)
        yield run_moments_query(EVENTS, parameters, no_noise=exact, options=options)
    yield run_attack(EVENTS, PARAMETERS, add_error(2, "query/sort/*"), seed=1)
    yield run_attack(
        EVENTS, ipa.QueryParameters(breakdowns=4, cap=100), add_error(2, "query/sort/*"), seed=1
    )
    yield plan_caps(EVENTS, PARAMETERS, [10, 100])
    encoder = ipa.EventEncoder(breakdown_labels=range(4), value_step="0.001")
    yield ipa.sweep_caps(EVENTS, PARAMETERS, ["1.2", "120"], encoder)
    yield from labelled_objects()
    yield answer(world())
    yield simulated_workers(4, seed=1)
    for most in (None, 3):
        specification = MeasurementSpecification(max_frequency=most)
        impressions = generate_impressions(50, seed=1)
        yield run_measurement(impressions, specification, "hmss", no_noise=True, seed=1)


def labelled_objects() -> Iterator[object]:
    """What a query is asked and what it answers in a table's words, from an encoder that has a key."""
    encoder = fresh(hash_key=bytes.fromhex(f"{MATCH_KEY:016x}") * 2, other_label="other")
    numbering = fresh()
    people = [{**row, "user": f"{MATCH_KEY:x}"} for row in (SOURCE, TRIGGER)]
    for each in (encoder, numbering):
        each.encode(people)
        yield each
    for epsilon in (1, None):
        asked = encoder.parameters(cap=20, epsilon=epsilon, attribution_window=3600)
        yield asked
        sums = ipa.QueryResult([123456, -5, 0], 2, asked, {}).labelled(encoder)
        yield from (sums, sums[0])


def ledgers(directory: Path) -> Iterator[object]:
    """A ledger with queries, what it says, and one that is not there."""
    ledger = new_ledger(directory)
    commit(ledger, commitment(share()))
    yield pay(ledger, record_of("q1"))
    yield from (ledger, queries(ledger), budgets(ledger, now=0))
    yield type(ledger)(directory / "<b>nowhere</b>", ledger.board)


@cache
def shown_objects() -> list[object]:
    """All of them, but those that need files."""
    return [*shared_objects(), *results()]


def parsed(html: str) -> ElementTree.Element:
    """The markup as a tree: it is XML, or this raises."""
    return ElementTree.fromstring(html)


def words_of(html: str) -> str:
    """What can be read, without the style sheet."""
    tree = parsed(html)
    for style in tree.iter("style"):
        style.text = ""
    return " ".join("".join(part.itertext()) for part in tree)


def html(shown: object) -> str:
    """The HTML of an object that has one."""
    make: Callable[[], str] | None = getattr(shown, "_repr_html_", None)
    assert make is not None, type(shown)
    return html_of(shown)
