"""Before a helper party listens: keys, ledger and certificate must be its own, each with its own error."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from budget_cases import new_ledger
from intake_cases import HOME, world
from service_cases import Parties, new_ledgers, new_parties

from ipa.budget.board import FileBoard, MemoryBoard
from ipa.budget.ledger import Ledger
from ipa.client.configuration import generate_configuration
from ipa.errors import InputError, ParameterError
from ipa.names import host_itself
from ipa.network.identities import validity_of
from ipa.service.run import HelperPart
from ipa.service.start_check import check_start

PARTIES = new_parties(network=(world().network, world().keys))
OTHERS = new_parties(network=(world().network, world().keys))


def part(helper: int = 2, ledger: Ledger | None = None, **changed: Any) -> HelperPart:
    keys = replace(PARTIES.keys[helper - 1], **changed)
    return HelperPart(keys=keys, ledger=ledger, registrable_domain=host_itself)


def check(of: HelperPart, parties: Parties = PARTIES, now: float | None = None) -> None:
    at = time.time() if now is None else now
    check_start(of, parties.configuration, parties.identities[of.helper], at)


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_what_belongs_together_is_fine(helper: int, tmp_path: Path) -> None:
    check(part(helper))
    check(part(helper, new_ledgers(tmp_path)[helper - 1]))


def other_key() -> HelperPart:
    _, keys = generate_configuration(HOME.network_name, match_key_bits=12)
    own = PARTIES.keys[1]
    return part(keys=tuple(replace(k, key_id=own.keys[0].key_id) for k in keys[1].keys))


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (lambda: part(network_name="other.example"), "the keys are of network other.example"),
        (lambda: part(match_key_bits=13), "their match keys differ"),
        (lambda: part(sharing="two-party"), "their match keys differ"),
        (lambda: part(helper=3, keys=PARTIES.keys[1].keys), "of helper 3 is not the one that the"),
        (other_key, "of helper 2 is not the one that the network published"),
    ],
)
def test_keys_that_are_anothers(made: Callable[[], HelperPart], problem: str) -> None:
    with pytest.raises(ParameterError, match=problem):
        check(made())


def test_a_network_without_services() -> None:
    bare = replace(PARTIES.configuration, services=(), report_collectors=())
    with pytest.raises(ParameterError, match="publishes no services"):
        check(part(), replace(PARTIES, configuration=bare))


def test_a_certificate_that_is_anothers() -> None:
    for identities in (OTHERS.identities, {2: PARTIES.identities[3]}):
        with pytest.raises(ParameterError, match="not the one published of helper 2"):
            check(part(), replace(PARTIES, identities=identities))


def test_a_certificate_is_good_in_its_first_and_last_second_and_not_outside() -> None:
    begins, ends = validity_of(PARTIES.identities[2].certificate)
    for now in (begins, ends):
        check(part(), now=now)
    for now in (begins - 1, ends + 1):
        with pytest.raises(
            ParameterError, match=r"certificate of helper 2 is good from 20.* not now"
        ):
            check(part(), now=now)


def test_a_ledger_that_is_anothers(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"the ledger is of helper 1 of net.example"):
        check(part(ledger=new_ledgers(tmp_path)[0]))
    other = new_ledger(tmp_path, network_name="other.example", helper=2)
    with pytest.raises(ParameterError, match=r"the ledger is of helper 2 of other.example"):
        check(part(ledger=other))


def test_a_board_that_is_not_there_or_anothers(tmp_path: Path) -> None:
    ledger = new_ledgers(tmp_path)[1]
    with pytest.raises(InputError, match="there is no commitment board here"):
        check(part(ledger=replace(ledger, board=FileBoard(tmp_path / "nowhere"))))
    terms = ledger.board.terms
    more = replace(terms, clock=replace(terms.clock, open_epochs=terms.clock.open_epochs + 1))
    with pytest.raises(ParameterError, match="the commitment board has another budget or clock"):
        check(part(ledger=replace(ledger, board=MemoryBoard(more))))


def test_a_ledger_that_is_not_there_or_none(tmp_path: Path) -> None:
    board = new_ledgers(tmp_path)[1].board
    with pytest.raises(InputError, match="there is no budget ledger here"):
        check(part(ledger=Ledger(tmp_path / "nowhere", board)))
    (tmp_path / "text").write_text("x" * 5000)
    with pytest.raises(InputError, match="not a budget ledger"):
        check(part(ledger=Ledger(tmp_path / "text", board)))
