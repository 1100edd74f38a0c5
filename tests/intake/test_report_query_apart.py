"""A query over encrypted reports by helpers in processes of their own: as in one process."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from intake_cases import HOME, World, with_bytes, with_record, with_records, world
from payment_cases import CHARGED, paying_ledgers, payment_of

from ipa.budget.ledger import Receipt
from ipa.budget.ledger import ask as note_that_it_was_asked
from ipa.budget.ledger_directory import Ledgers, outcomes, queries
from ipa.errors import BudgetError, InputError, IpaError, ParameterError, ReportError
from ipa.network.simulation import RunOptions
from ipa.parties import HELPERS
from ipa.report_answer import Received
from ipa.report_query import ReportQueryResult, run_report_query

LOCKSTEP = RunOptions(seed=3)
APART = RunOptions(seed=3, apart=True)


def ledgers_in(directory: Path) -> Ledgers:
    directory.mkdir()
    return paying_ledgers(directory)


def ask(
    made: World,
    ledgers: Ledgers,
    options: RunOptions,
    accepted: Callable[[int, Receipt | None], None] | None = None,
    registrable_domain: Callable[[str], str | None] = lambda host: host,
) -> ReportQueryResult:
    return run_report_query(
        made.streams,
        made.keys,
        CHARGED,
        submitter=HOME.report_collector,
        payment=payment_of(ledgers, "q1"),
        compressed_match_key_bits=11,
        registrable_domain=registrable_domain,
        options=options,
        on_accepted=accepted,
    )


def test_each_helper_is_given_its_own_stream_keys_and_ledger(tmp_path: Path) -> None:
    made, ledgers = world(), ledgers_in(tmp_path / "own")
    everything = Received(
        dict(zip(HELPERS, made.streams, strict=True)),
        dict(zip(HELPERS, made.keys, strict=True)),
        dict(zip(HELPERS, ledgers, strict=True)),
    )
    for helper, (stream, keys, ledger) in enumerate(
        zip(made.streams, made.keys, ledgers, strict=True), start=1
    ):
        only = everything.only(helper)
        assert (only.streams, only.keys) == ({helper: stream}, {helper: keys})
        assert only.ledgers == {helper: ledger}
    assert replace(everything, ledgers={}).only(2).ledgers == {}


def test_what_comes_out_and_is_charged_is_the_same(tmp_path: Path) -> None:
    made = with_record(world(), 1, 0, b"")
    found = []
    for name, options in (("lockstep", LOCKSTEP), ("apart", APART)):
        ledgers = ledgers_in(tmp_path / name)
        accepted: list[tuple[int, Receipt | None]] = []

        def note(
            rows: int,
            receipt: Receipt | None,
            accepted: list[tuple[int, Receipt | None]] = accepted,
        ) -> None:
            accepted.append((rows, receipt))

        result = ask(made, ledgers, options, note)
        costs = {path: replace(cost, seconds=0.0) for path, cost in result.result.costs.items()}
        result = replace(result, result=replace(result.result, costs=costs))
        assert accepted == [(result.submitted, result.receipt)]
        records = [(queries(ledger), outcomes(ledger)) for ledger in ledgers]
        assert result.receipt is not None and all(record[1] for record in records)
        found.append((result, list(costs), accepted, records))
    assert found[0] == found[1]
    assert found[0][0].dropped


def error_of(
    made: World, ledgers: Ledgers, options: RunOptions, domain: Callable[[str], str | None]
) -> tuple[type[IpaError], str]:
    with pytest.raises(IpaError) as caught:
        ask(made, ledgers, options, registrable_domain=domain)
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("case", "kind", "said"),
    [
        ("stream", ReportError, "the stream of helper 3: "),
        ("differing", ReportError, "different numbers of reports"),
        ("site", ParameterError, "not in the registrable domain"),
        ("ledger", InputError, "ledger"),
        ("asked before", BudgetError, "q1"),
    ],
)
def test_what_is_refused_is_refused_in_the_same_words(
    case: str, kind: type[IpaError], said: str, tmp_path: Path
) -> None:
    """Also where one helper alone refuses, and the two others only hear that it does."""
    made = world()
    if case == "stream":
        made = with_bytes(made, 3, b"no stream")
    elif case == "differing":
        made = with_records(made, 2, lambda records: records[:-1])
    domain = "owner.example" if case == "site" else None
    found = []
    for name, options in (("lockstep", LOCKSTEP), ("apart", APART)):
        ledgers = ledgers_in(tmp_path / name)
        if case == "ledger":
            ledgers[1].path.unlink()
        elif case == "asked before":
            once = ask(made, ledgers_in(tmp_path / f"{name}-once"), LOCKSTEP).receipt
            assert once is not None
            note_that_it_was_asked(ledgers[1], once.query)
        with pytest.raises(IpaError) as caught:
            ask(made, ledgers, options, registrable_domain=lambda host: domain or host)
        found.append((type(caught.value), str(caught.value).replace(name, "-")))
    assert found[0] == found[1]
    assert found[0][0] is kind and said in found[0][1]
