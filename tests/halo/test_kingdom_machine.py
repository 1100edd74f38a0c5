"""The Kingdom against a model of its states: every method at any time."""

from contextlib import ExitStack
from fractions import Fraction

import pytest
from bucket_cases import grant, ledger_in
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from kingdom_cases import ONE_DAY, PROVIDERS, TINY, kingdom
from worker_processes import quick_directory

from ipa.budget.bucket_ledger import BucketCharge
from ipa.errors import ParameterError
from ipa.halo.lifecycle import MeasurementState, RequisitionState


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
