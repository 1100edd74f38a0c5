"""The Kingdom against a model of its states, and the budget that a measurement is charged."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import pytest
from bucket_cases import grant, ledger_in
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from worker_processes import quick_directory

from ipa.budget.bucket_ledger import BucketCharge, BucketLedger
from ipa.client.keys import generate_key
from ipa.errors import InputError, ParameterError
from ipa.halo.buckets import buckets_of
from ipa.halo.kingdom import Kingdom
from ipa.halo.lifecycle import MeasurementState, RequisitionState
from ipa.halo.protocol_choice import check_protocol, choose_protocol
from ipa.halo.registers import SamplingInterval

KEY = generate_key(1).public()
PROVIDERS = ["alpha", "beta", "tv"]
HALF = Fraction(1, 2)
TINY = Fraction(1, 10**6)
ONE_DAY = buckets_of("shop", (3, 3), SamplingInterval(), slices=1)
OF_ANOTHER = buckets_of("another", (3, 3), SamplingInterval(), slices=1)


def kingdom(ledger: BucketLedger | None = None) -> Kingdom:
    made = Kingdom(3, ledger)
    made.add_consumer("shop", KEY)
    for name in PROVIDERS:
        made.add_provider(name, share_shuffle=name != "tv")
    return made


class KingdomMachine(RuleBasedStateMachine):
    """Every method at any time; a model of sets says what must come of it."""

    @initialize(
        providers=st.sampled_from([["alpha"], ["alpha", "beta"], ["alpha", "tv"], PROVIDERS]),
        reach_only=st.booleans(),
        affordable=st.booleans(),
    )
    def create(self, providers: list[str], reach_only: bool, affordable: bool) -> None:
        self.opened = ExitStack()
        self.ledger = ledger_in(self.opened.enter_context(quick_directory()), grant())
        self.kingdom = kingdom(self.ledger)
        self.providers, self.affordable = providers, affordable
        charge = BucketCharge(ONE_DAY, Fraction(1) if affordable else Fraction(2), TINY)
        made = self.kingdom.create(
            "m", consumer="shop", providers=providers, reach_only=reach_only, charge=charge
        )
        self.direct = len(providers) == 1
        self.legions = "tv" in providers
        expected = "direct" if self.direct else "hmss"
        if self.legions:
            expected = "reach-only-llv2" if reach_only else "llv2"
        assert made.protocol == expected
        self.ready: set[int] = set()
        self.confirmed: set[int] = set()
        self.fulfilled: set[str] = set()
        self.refused: set[str] = set()
        self.ended = ""

    def teardown(self) -> None:
        self.opened.close()

    def expect(self, allowed: bool, action: object, *words: object) -> None:
        assert callable(action)
        before = self.kingdom.measurement("m")
        if allowed:
            action("m", *words)
        else:
            with pytest.raises(ParameterError):
                action("m", *words)
            assert self.kingdom.measurement("m") == before

    @property
    def open_to_providers(self) -> bool:
        return not self.ended and (self.direct or len(self.ready) == 3)

    @property
    def all_fulfilled(self) -> bool:
        return self.fulfilled == set(self.providers)

    @property
    def computing(self) -> bool:
        return (
            not self.ended and self.all_fulfilled and (not self.legions or len(self.confirmed) == 3)
        )

    def start_if_possible(self) -> None:
        if self.computing and not self.affordable:
            self.ended = "failed"

    @rule(worker=st.integers(0, 4))
    def set_params(self, worker: int) -> None:
        allowed = not self.ended and not self.direct and worker in {1, 2, 3} - self.ready
        self.expect(allowed, self.kingdom.set_requisition_params, worker)
        if allowed:
            self.ready.add(worker)

    @rule()
    def all_set_params(self) -> None:
        for worker in (1, 2, 3):
            self.set_params(worker)

    @rule()
    def all_fulfil(self) -> None:
        for provider in self.providers:
            self.fulfil(provider)

    @rule()
    def all_confirm(self) -> None:
        for worker in (1, 2, 3):
            self.confirm(worker)

    @rule(provider=st.sampled_from([*PROVIDERS, "nobody"]))
    def fulfil(self, provider: str) -> None:
        allowed = self.open_to_providers and provider in set(self.providers) - self.fulfilled
        self.expect(allowed, self.kingdom.fulfil, provider)
        if allowed:
            self.fulfilled.add(provider)
            self.start_if_possible()

    @rule(provider=st.sampled_from(PROVIDERS))
    def refuse(self, provider: str) -> None:
        allowed = self.open_to_providers and provider in set(self.providers) - self.fulfilled
        self.expect(allowed, self.kingdom.refuse, provider, "no consent")
        if allowed:
            self.refused.add(provider)
            self.ended = "failed"

    @rule(worker=st.integers(0, 4))
    def confirm(self, worker: int) -> None:
        allowed = (
            not self.ended
            and self.legions
            and self.all_fulfilled
            and worker in {1, 2, 3} - self.confirmed
        )
        self.expect(allowed, self.kingdom.confirm, worker)
        if allowed:
            self.confirmed.add(worker)
            self.start_if_possible()

    @rule()
    def deliver(self) -> None:
        allowed = self.computing
        self.expect(allowed, self.kingdom.deliver, b"sealed")
        if allowed:
            self.ended = "succeeded"

    @rule(consumer=st.sampled_from(["shop", "other"]))
    def cancel(self, consumer: str) -> None:
        allowed = not self.ended and consumer == "shop"
        self.expect(allowed, self.kingdom.cancel, consumer)
        if allowed:
            self.ended = "cancelled"

    @rule()
    def fail(self) -> None:
        allowed = not self.ended
        self.expect(allowed, self.kingdom.fail, "out of memory")
        if allowed:
            self.ended = "failed"

    @invariant()
    def the_states_are_the_model_s(self) -> None:
        measurement = self.kingdom.measurement("m")
        state = measurement.state
        if self.ended:
            assert state == self.ended and state.is_final
        elif self.computing:
            assert state == MeasurementState.PENDING_COMPUTATION
        elif self.all_fulfilled:
            assert state == MeasurementState.PENDING_PARTICIPANT_CONFIRMATION
        elif self.open_to_providers:
            assert state == MeasurementState.PENDING_REQUISITION_FULFILLMENT
        else:
            assert state == MeasurementState.PENDING_REQUISITION_PARAMS
        for provider, known in measurement.requisitions.items():
            if provider in self.fulfilled:
                assert known == RequisitionState.FULFILLED
            elif provider in self.refused:
                assert known == RequisitionState.REFUSED
            elif self.ended:
                assert known == RequisitionState.WITHDRAWN
            elif self.open_to_providers:
                assert known == RequisitionState.UNFULFILLED
            else:
                assert known == RequisitionState.PENDING_PARAMS
        assert (measurement.sealed_result is not None) == (self.ended == "succeeded")

    @invariant()
    def it_is_charged_just_when_the_computation_began(self) -> None:
        began = self.all_fulfilled and (not self.legions or len(self.confirmed) == 3)
        assert ("m" in self.ledger.charges()) == (began and self.affordable)


TestKingdomMachine = KingdomMachine.TestCase


TestKingdomMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("providers", [["alpha"], ["alpha", "beta"], ["beta", "tv"]])
def test_a_whole_life(providers: list[str], tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path, grant())
    made = kingdom(ledger)
    charge = BucketCharge(ONE_DAY, HALF, TINY)
    measurement = made.create("m", consumer="shop", providers=providers, charge=charge)
    states = [measurement.state]
    if len(providers) > 1:
        states += [made.set_requisition_params("m", worker).state for worker in (3, 1, 2)]
        assert states == ["pending requisition params"] * 3 + ["pending requisition fulfillment"]
    assert set(made.measurement("m").requisitions.values()) == {"unfulfilled"}
    for provider in providers:
        assert ledger.charges() == {}
        measurement = made.fulfil("m", provider)
    if "tv" in providers:
        states = [measurement.state, *(made.confirm("m", worker).state for worker in (2, 3))]
        assert states == ["pending participant confirmation"] * 3 and ledger.charges() == {}
        measurement = made.confirm("m", 1)
    assert measurement.state == "pending computation"
    assert ledger.charges() == {"m": charge}
    done = made.deliver("m", b"sealed")
    assert (done.state, done.sealed_result) == ("succeeded", b"sealed")
    assert set(done.requisitions.values()) == {"fulfilled"}


def test_there_are_three_workers_by_default() -> None:
    assert Kingdom().workers == {1, 2, 3}


def test_the_choice_of_protocol() -> None:
    assert [
        choose_protocol(number, share_shuffle=capable, reach_only=reach_only)
        for number in (1, 2)
        for capable in (True, False)
        for reach_only in (True, False)
    ] == ["direct"] * 4 + ["hmss"] * 2 + ["reach-only-llv2", "llv2"]


def test_who_can_take_part_in_what() -> None:
    made = kingdom()
    made.create("a", consumer="shop", providers=["alpha"], protocol="llv2")
    with pytest.raises(ParameterError, match="direct is for one data provider, not 2"):
        made.create("b", consumer="shop", providers=["alpha", "beta"], protocol="direct")
    with pytest.raises(ParameterError, match="hmss needs data providers that can"):
        made.create("b", consumer="shop", providers=["alpha", "tv"], protocol="hmss")
    with pytest.raises(
        ParameterError, match="one of hmss, hmss-malicious, llv2, reach-only-llv2, direct"
    ):
        check_protocol("psi", 1, share_shuffle=True)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="there is no measurement 'b'"):
        made.measurement("b")


@pytest.mark.parametrize(
    ("name", "consumer", "providers", "said"),
    [
        ("a", "shop", ["alpha"], "a measurement needs a name of its own, not 'a'"),
        ("", "shop", ["alpha"], "needs a name"),
        ("b", "nobody", ["alpha"], "there is no consumer 'nobody'"),
        ("b", "shop", ["gamma"], "there is no data provider 'gamma'"),
        ("b", "shop", [], "at least one data provider"),
        ("b", "shop", ["alpha", "alpha"], "each once"),
    ],
)
def test_what_cannot_be_created(name: str, consumer: str, providers: list[str], said: str) -> None:
    made = kingdom()
    made.create("a", consumer="shop", providers=["alpha"])
    with pytest.raises(ParameterError, match=said):
        made.create(name, consumer=consumer, providers=providers)
    with pytest.raises(ParameterError, match="a consumer needs a name of its own"):
        made.add_consumer("shop", KEY)
    with pytest.raises(ParameterError, match="a data provider needs a name of its own"):
        made.add_provider("alpha")
    with pytest.raises(ParameterError, match="workers must be an integer of at least 2"):
        Kingdom(1)


def test_a_failed_charge_says_why(tmp_path: Path) -> None:
    made = kingdom(ledger_in(tmp_path, grant(HALF)))
    charge = BucketCharge(ONE_DAY, Fraction(1), TINY)
    made.create("m", consumer="shop", providers=["alpha"], charge=charge)
    failed = made.fulfil("m", "alpha")
    assert (
        failed.state == "failed"
        and "m asks for more epsilon than shop has left on day 3" in failed.reason
    )
    assert made.consumer_key("m") == KEY


@pytest.mark.parametrize(
    ("name", "charge", "said"),
    [
        ("m", None, "measurement 'm' needs a charge to the budget of 'shop'"),
        ("m", BucketCharge(OF_ANOTHER, HALF, TINY), "needs a charge to the budget of 'shop'"),
        ("m", BucketCharge(ONE_DAY | OF_ANOTHER, HALF, TINY), "a charge to the budget of 'shop'"),
        (
            "M m",
            BucketCharge(ONE_DAY, HALF, TINY),
            "name must be 1 to 255 bytes of printable lower",
        ),
    ],
)
def test_where_there_is_a_ledger_nothing_is_free(
    name: str, charge: BucketCharge | None, said: str, tmp_path: Path
) -> None:
    made = kingdom(ledger_in(tmp_path, grant()))
    with pytest.raises(ParameterError, match=said):
        made.create(name, consumer="shop", providers=["alpha"], charge=charge)
    with pytest.raises(ParameterError, match="there is no measurement"):
        made.measurement(name)


def test_a_ledger_that_is_gone_stops_the_measurement_and_changes_nothing(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path, grant())
    made = kingdom(ledger)
    charge = BucketCharge(ONE_DAY, HALF, TINY)
    before = made.create("m", consumer="shop", providers=["alpha"], charge=charge)
    away = ledger.path.rename(ledger.path.with_name("away"))
    with pytest.raises(InputError, match="there is no bucket ledger here"):
        made.fulfil("m", "alpha")
    assert made.measurement("m") == before
    away.rename(ledger.path)
    assert made.fulfil("m", "alpha").state == "pending computation"
