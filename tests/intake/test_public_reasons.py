"""Whether a report is used never depends on what its shares say, whatever a stranger chooses.

The reports' match keys are those of honest devices, with the shares in which an oracle would show
first: all bits zero, all one, the highest alone, any. Each field of a query, a stream and a record is
changed by whoever submits it, at one helper or at all; whatever becomes of one of the reports must
become of all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from collector_change_cases import CASES, CHANGES, CONTAINERS, WIDTH, Change, next_ciphertexts
from intake_cases import HOME, PARAMETERS, SHOP
from payment_cases import CHARGED, paying_ledgers, payment_of

from ipa.budget.ledger_directory import queries
from ipa.client.configuration import HelperKeys, NetworkConfiguration, generate_configuration
from ipa.client.encrypted_match_key import (
    EncryptedMatchKey,
    ReportContext,
    SealedShares,
    encrypt_match_key,
)
from ipa.client.fanout_query import FanoutQuery, FieldWidths, Form, QueryStream, write_query_stream
from ipa.client.rejection import Reason
from ipa.client.report_collector import CollectedEvent, SourceData, seal_report
from ipa.client.report_format import Record
from ipa.client.shares import Sharing
from ipa.errors import ReportError
from ipa.intake.query_comparison import compare_queries
from ipa.intake.report_intake import take_in_reports
from ipa.network.simulation import simulated_network
from ipa.parties import HELPERS
from ipa.report_query import run_report_query
from ipa.sharing.randomness import Randomness

ONES = (1 << WIDTH) - 1
HIGHEST = 1 << WIDTH - 1
MATCH_KEYS = (0, ONES, HIGHEST, HIGHEST - 1, 0x5A3)
CIPHERTEXTS = 32


class Masks(Randomness):
    """A device whose masks happen to be this, and whose nonces are random as ever."""

    def __init__(self, mask: int) -> None:
        super().__init__()
        self.mask = mask

    def random_bits(self, width: int) -> int:
        return self.mask & ((1 << width) - 1)


def randomness() -> list[Randomness]:
    return [Masks(0), Masks(ONES), Masks(HIGHEST), Randomness()]


@dataclass(frozen=True)
class Setting:
    """A network, the query that its honest devices made their match keys for, and these."""

    network: NetworkConfiguration
    keys: tuple[HelperKeys, ...]
    query: FanoutQuery
    match_keys: tuple[EncryptedMatchKey, ...]


def setting(sharing: Sharing, form: Form = "packed") -> Setting:
    network, keys = generate_configuration(HOME.network_name, "X25519", WIDTH, sharing)
    query = FanoutQuery(
        context=HOME,
        fanout="source",
        widths=FieldWidths.of(PARAMETERS),
        match_key_bits=WIDTH,
        form=form,
        sharing=sharing,
    )
    match_keys = tuple(
        encrypt_match_key(match_key, HOME, network, drawn)
        for match_key, drawn in product(MATCH_KEYS, randomness())
    )
    return Setting(network, keys, query, match_keys)


def streams_of(
    made: Setting, query: FanoutQuery, match_keys: Sequence[EncryptedMatchKey]
) -> dict[int, QueryStream]:
    """The streams of a collector that checks nothing and seals its own fields for the query."""
    contexts = (HOME, SHOP)
    table = {HOME: 0, SHOP: 1}
    data = SourceData(attribution_constraint_id=0, timestamp=0, breakdown_key=0)
    rows = [
        seal_report(CollectedEvent(data, each), table, query, made.network, Randomness())
        for each in match_keys
    ]
    return {
        helper: QueryStream(
            helper,
            made.network.encryption_key(helper).fingerprint,
            query,
            contexts,
            tuple(row[helper - 1] for row in rows),
        )
        for helper in HELPERS
    }


def outcome(made: Setting, streams: dict[int, QueryStream]) -> str:
    """What became of the reports, the same for all of them."""
    network = simulated_network()
    keys = dict(zip(HELPERS, made.keys, strict=True))
    data = {helper: write_query_stream(stream) for helper, stream in streams.items()}
    submitters = {h: stream.query.context.report_collector for h, stream in streams.items()}
    try:
        intake = take_in_reports(network, compare_queries(network, data, keys, submitters))
    except ReportError as error:
        return f"refused: {error}"
    fates = set(intake.dropped) | ({"used"} if intake.reports.rows else set())
    assert len(fates) == 1, intake.dropped
    return str(fates.pop())


def test_every_field_that_a_collector_chooses_is_changed() -> None:
    chosen = {
        f"{each.__name__}.{field.name}"
        for each in (ReportContext, FieldWidths, FanoutQuery, QueryStream, Record, SealedShares)
        for field in fields(each)
    }
    assert chosen - CONTAINERS == CHANGES.keys()


@pytest.mark.parametrize("sharing", get_args(Sharing))
def test_unchanged_reports_are_all_used(sharing: Sharing) -> None:
    made = setting(sharing)
    assert outcome(made, streams_of(made, made.query, made.match_keys)) == "used"


@pytest.mark.parametrize("helpers", [HELPERS, (1,), (2,)], ids=["all", "H1", "H2"])
@pytest.mark.parametrize("sharing", get_args(Sharing))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_what_becomes_of_a_report_does_not_depend_on_its_shares(
    case: tuple[str, Change], sharing: Sharing, helpers: tuple[int, ...]
) -> None:
    name, change = case
    made = setting(sharing)
    streams = streams_of(made, made.query, made.match_keys)
    bare = sharing == "two-party" and name.split(".")[0] in ("Record", "SealedShares")
    for helper in helpers:
        if not (bare and helper == 3) and not (change is next_ciphertexts and helper == 3):
            streams[helper] = change(streams[helper])
    outcome(made, streams)


@pytest.mark.parametrize("sharing", get_args(Sharing))
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in CHANGES
        if name.split(".")[0] not in ("QueryStream", "Record", "SealedShares")
    ],
)
def test_nor_does_it_if_the_collector_seals_its_fields_for_the_changed_query(
    name: str, sharing: Sharing
) -> None:
    made = setting(sharing)
    plain = streams_of(made, made.query, made.match_keys)
    for change in CHANGES[name]:
        query = change(plain[1]).query
        padded = [
            replace(each, sealed=(*each.sealed, each.sealed[0])[:3]) for each in made.match_keys
        ]
        outcome(made, streams_of(made, query, padded))


@pytest.mark.parametrize("width", [WIDTH - 1, WIDTH + 4])
def test_a_width_of_the_collector_s_choice_tells_no_bit_of_a_match_key(width: int) -> None:
    """The attack: 32 ciphertexts of a device told its highest bit, by how many rows were dropped.

    The query is refused whole. Were a helper's own key file changed as well, nothing would open.
    """
    fates = []
    for match_key in (HIGHEST, 0):
        made = setting("three-party")
        device = [
            encrypt_match_key(match_key, HOME, made.network, Randomness())
            for _ in range(CIPHERTEXTS)
        ]
        streams = streams_of(made, replace(made.query, match_key_bits=width), device)
        refused = outcome(made, streams)
        assert refused.startswith("refused: the stream of helper 1: the query is for three-party")
        keys = tuple(replace(own, match_key_bits=width) for own in made.keys)
        fates.append(outcome(replace(made, keys=keys), streams))
    assert fates == [Reason.CANNOT_DECRYPT, Reason.CANNOT_DECRYPT]


def test_a_query_of_another_width_or_sharing_is_refused_before_it_is_charged(
    tmp_path: Path,
) -> None:
    ledgers = paying_ledgers(tmp_path)
    made = setting("three-party")
    for change, parameters in (
        ({"match_key_bits": WIDTH - 1}, replace(CHARGED, match_key_bits=WIDTH - 1)),
        ({"sharing": "two-party"}, CHARGED),
    ):
        streams = streams_of(made, replace(made.query, **change), made.match_keys[:2])
        with pytest.raises(ReportError) as caught:
            run_report_query(
                [write_query_stream(streams[helper]) for helper in HELPERS],
                made.keys,
                parameters,
                submitter=HOME.report_collector,
                payment=payment_of(ledgers, "q"),
            )
        assert caught.value.reason == Reason.WRONG_MATCH_KEYS
    assert not queries(*ledgers)
