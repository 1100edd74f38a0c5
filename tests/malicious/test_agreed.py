"""What the helpers must agree on before the first step, and what an abort leaves behind."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any

import pytest
from malicious_cases import SEED, TINY_EVENTS, MaliciousSimulation, column_errors, tiny

from ipa.errors import (
    MisbehaviourError,
    ParameterError,
    UncheckedProductError,
    VerificationError,
)
from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.product_log import CheckRules
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.parameters import QueryParameters, Security
from ipa.parties import HELPERS
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.primitives.abort import agree_to_release
from ipa.protocols.primitives.coins import public_coins
from ipa.protocols.primitives.input_check import check_inputs
from ipa.protocols.primitives.opening import open_bits
from ipa.protocols.verification.product_check import check_products
from ipa.query import query
from ipa.release import shares_for_collector
from ipa.reports import GenericReports, share_events
from ipa.sharing.dealing import only_helper
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import PRIME_FIELD
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.verification.binary_field import BinaryField

FIELDS = [field.name for field in fields(GenericReports)]


@dataclass(frozen=True)
class Told:
    """What one helper believes that the helpers have in common."""

    parameters: QueryParameters
    query_id: str = ""
    name: str = "apart"
    rules: CheckRules = field(default_factory=CheckRules)


def run_apart(told: dict[int, Told], security: Security) -> list[object]:
    """Each helper in a thread of its own, told its own things: its error, or None."""
    channels, keys = in_memory_channels(timeout=2), pairwise_keys(SEED)
    reports = share_events("apart", TINY_EVENTS, told[1].parameters, Randomness.from_seed(SEED, ""))

    def run(helper: int) -> None:
        party = HelperParty(helper, Prss(*keys[helper]), channels[helper])
        own = told[helper]
        network = HelperPartyNetwork(own.name, [party], security=security, check_rules=own.rules)
        mine = GenericReports(*(renamed(only_helper(x, helper), own.name) for x in reports.fields))
        query(network, mine, own.parameters, own.query_id)

    with ThreadPoolExecutor(3) as pool:
        return [future.exception() for future in [pool.submit(run, h) for h in HELPERS]]


def renamed(x: SharedBits, name: str) -> SharedBits:
    return SharedBits(name, x.rows, x.width, {h: x.shares_of(h) for h in x.holders})


PARAMETERS = tiny()
OTHER_PARAMETERS: dict[str, Any] = {
    "breakdowns": 1,
    "cap": 3,
    "capping": "truncate",
    "aggregate": "count",
    "epsilon": Fraction(1, 2),
    "delta": Fraction(1, 7),
    "mechanism": "laplace-per-helper",
    "match_keys_can_collide": True,
    "attribution": "first-touch",
    "attribution_window": 1,
    "sort": "shuffle",
    "max_reports_per_match_key": 4,
}
OTHERWISE = {
    **{
        f"{name} of the query": Told(replace(PARAMETERS, **{name: value}))
        for name, value in OTHER_PARAMETERS.items()
    },
    "query ID": Told(PARAMETERS, query_id="q2"),
    "name": Told(PARAMETERS, name="elsewhere"),
    "batch of gates": Told(PARAMETERS, rules=CheckRules(batch_gates=1 << 25)),
    "batch of elements": Told(PARAMETERS, rules=CheckRules(batch_elements=1 << 15)),
    "smallest field": Told(PARAMETERS, rules=CheckRules(smallest_prime_field=2)),
    "field": Told(PARAMETERS, rules=CheckRules(bit_field=BinaryField(16))),
}


@pytest.mark.parametrize("what", OTHERWISE)
@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
@pytest.mark.parametrize("told_apart", [1, 2, 3])
def test_helpers_that_are_told_different_things_do_not_start(
    what: str, security: Security, told_apart: int
) -> None:
    """Parameters, query ID, name and rules: whatever the helpers have in common is compared."""
    told = dict.fromkeys(HELPERS, Told(PARAMETERS)) | {told_apart: OTHERWISE[what]}
    told = {
        h: replace(t, parameters=replace(t.parameters, security=security)) for h, t in told.items()
    }
    errors = run_apart(told, security)
    if security == "semi-honest" and told[told_apart].rules != CheckRules():
        assert errors == [None, None, None]  # nothing is checked there
    else:
        assert all(isinstance(error, MisbehaviourError) for error in errors)
        assert all("input-check" in str(error) for error in errors)


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_helpers_that_are_told_the_same_go_on(security: Security) -> None:
    parameters = replace(PARAMETERS, security=security, epsilon=1)
    told = dict.fromkeys(HELPERS, Told(parameters, query_id="q1"))
    assert run_apart(told, security) == [None, None, None]


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("share", [0, 1])
def test_every_field_of_the_input_is_compared(name: str, helper: int, share: int) -> None:
    simulation = MaliciousSimulation(SEED)
    network = simulation.network
    reports = share_events(network.name, TINY_EVENTS, tiny(), simulation.randomness)
    table: SharedBits = getattr(reports, name)
    pairs = {h: tuple([*part] for part in table.shares_of(h)) for h in HELPERS}
    pairs[helper][share][-1] ^= 1 << table.rows - 1
    columns = {h: (own, right) for h, (own, right) in pairs.items()}
    other = SharedBits(network.name, table.rows, table.width, columns)
    with pytest.raises(MisbehaviourError, match="different input shares"):
        query(network, replace(reports, **{name: other}), tiny())


def test_the_shape_of_the_input_is_compared() -> None:
    digests = []
    for rows, width in ((8, 2), (16, 1)):  # the same bytes
        simulation = MaliciousSimulation(SEED)
        zero = {h: ([0] * width, [0] * width) for h in HELPERS}
        check_inputs(
            simulation.network, [SharedBits(simulation.network.name, rows, width, zero)], []
        )
        digests.append({message.payload for message in simulation.transcript.messages})
    assert not digests[0] & digests[1]


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_a_query_does_not_run_with_another_security_than_it_names(security: Security) -> None:
    other: Security = "malicious" if security == "semi-honest" else "semi-honest"
    network = simulated_network(SEED, security=other)
    parameters = replace(tiny(), security=security)
    reports = share_events(network.name, TINY_EVENTS, parameters, Randomness())
    with pytest.raises(ParameterError, match="security"):
        query(network, reports, parameters)
    assert not network.costs


def test_after_an_abort_the_network_takes_no_more_steps() -> None:
    simulation = MaliciousSimulation(SEED)
    network = simulation.network
    reports = share_events(network.name, TINY_EVENTS, tiny(), simulation.randomness)
    keys = reports.match_key
    pairs = {h: keys.shares_of(h) for h in HELPERS}
    pairs[2] = ([column ^ 1 for column in pairs[2][0]], pairs[2][1])
    wrong = replace(reports, match_key=SharedBits(network.name, keys.rows, keys.width, pairs))
    with pytest.raises(MisbehaviourError, match="input-check"):
        query(network, wrong, tiny())
    for run in (
        lambda: open_bits(network, reports.trigger_value),
        lambda: query(network, reports, tiny()),
    ):
        with pytest.raises(MisbehaviourError, match="has aborted"):
            run()


def test_nothing_is_released_before_the_helpers_agreed() -> None:
    simulation = MaliciousSimulation(SEED)
    x = simulation.bits([1, 0, 1], 1)
    product = multiply(simulation.network, x, x)
    check_products(simulation.network)
    with pytest.raises(UncheckedProductError, match="have not agreed"):
        shares_for_collector(simulation.network, product)


def test_an_agreement_does_not_cover_later_products() -> None:
    simulation = MaliciousSimulation(SEED)
    x = simulation.bits([1, 0, 1], 1)
    agree_to_release(simulation.network)
    shares_for_collector(simulation.network, x)
    product = multiply(simulation.network, x, x)
    check_products(simulation.network)
    with pytest.raises(UncheckedProductError, match="have not agreed"):
        shares_for_collector(simulation.network, product)


def test_a_second_run_under_the_same_keys_has_other_coins() -> None:
    coins = []
    for name in ("monday", "tuesday"):
        channels, keys = in_memory_channels(), pairwise_keys(SEED)
        parties = [HelperParty(h, Prss(*keys[h]), channels[h]) for h in HELPERS]
        coins.append(public_coins(HelperPartyNetwork(name, parties), PRIME_FIELD, 2))
    assert not set(coins[0]) & set(coins[1])


def test_an_agreement_does_not_cover_later_products_of_elements() -> None:
    simulation = MaliciousSimulation(SEED)
    x = simulation.numbers(PRIME_FIELD, [1, 2])
    agree_to_release(simulation.network)
    multiply_elements(simulation.network, x, x)
    check_products(simulation.network)
    with pytest.raises(UncheckedProductError, match="have not agreed"):
        shares_for_collector(simulation.network, simulation.bits([1], 1))


@pytest.mark.parametrize("later", ["nothing", "bits", "elements"])
def test_a_check_that_failed_stays_failed_whatever_is_checked_later(later: str) -> None:
    """The wrong batch is no longer pending, and the next one is right."""
    attack = column_errors(2, "multiply", [1])
    simulation = MaliciousSimulation(SEED, attack=attack)
    network = simulation.network
    x = simulation.bits([1, 0, 1], 1)
    multiply(network, x, x)
    with pytest.raises(VerificationError, match="a product is wrong"):
        check_products(network)
    if later == "bits":
        multiply(network, x, x)  # of another step, "multiply#2": without an error
    if later == "elements":
        y = simulation.numbers(PRIME_FIELD, [1])
        multiply_elements(network, y, y)
    with pytest.raises(UncheckedProductError, match="after a check failed"):
        open_bits(network, x)
    if later == "nothing":
        check_products(network)  # there is nothing to check, and nothing to fail
    else:
        with pytest.raises(UncheckedProductError, match="after a check failed"):
            check_products(network)  # its coins cannot be opened either
    with pytest.raises(UncheckedProductError, match="after a check failed"):
        open_bits(network, x)
