"""Real answers of three helper parties to queries over the events of intake_cases, for who reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from intake_cases import HOME, PARAMETERS, world
from payment_cases import CHARGED, NOW, paying_ledgers

from ipa.budget.composition import EpsilonDelta
from ipa.budget.ledger import Ledger
from ipa.names import host_itself
from ipa.network.simulation import simulated_network
from ipa.parties import HELPERS
from ipa.report_answer import Answer, Charge, Received, Request, released_answer
from ipa.service.asked import Asked


@dataclass(frozen=True)
class Answered:
    """A query, and what each helper party answers."""

    asked: Asked
    answers: Mapping[int, Answer]


def asked_of(query_id: str, **parameters: object) -> Asked:
    compressed = parameters.pop("compressed_match_key_bits", None)
    return Asked(
        query_id=query_id,
        submitter=HOME.report_collector,
        parameters=replace(PARAMETERS, **parameters),  # type: ignore[arg-type]
        compressed_match_key_bits=compressed,  # type: ignore[arg-type]
    )


@cache
def exact() -> Answered:
    """Nothing is charged, and the sums have no noise."""
    return answered(asked_of("query-1"))


@cache
def paid() -> Answered:
    """The query is charged, its sums have noise, its match keys are compressed."""
    asked = asked_of("query-2", epsilon=CHARGED.epsilon, compressed_match_key_bits=11)
    promise = EpsilonDelta(epsilon=Fraction(CHARGED.epsilon or 0), delta=CHARGED.delta)
    with TemporaryDirectory() as directory:
        ledgers = dict(zip(HELPERS, paying_ledgers(Path(directory)), strict=True))
        return answered(asked, ledgers, Charge(asked.query_id, NOW, promise))


def answered(
    asked: Asked, ledgers: Mapping[int, Ledger] | None = None, charge: Charge | None = None
) -> Answered:
    answers = released_answer(
        simulated_network(seed=5),
        Received(
            dict(zip(HELPERS, world().streams, strict=True)),
            {own.helper: own for own in world().keys},
            ledgers or {},
        ),
        Request(asked.submitter, asked.parameters, asked.compressed_match_key_bits, charge),
        registrable_domain=host_itself,
    )
    return Answered(asked, answers)
