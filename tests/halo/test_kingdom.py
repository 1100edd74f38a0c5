"""A Kingdom's whole lives, what cannot be created, and the budget that a measurement is charged."""

from fractions import Fraction
from pathlib import Path

import pytest
from bucket_cases import grant, ledger_in
from kingdom_cases import HALF, KEY, OF_ANOTHER, ONE_DAY, TINY, kingdom

from ipa.budget.bucket_ledger import BucketCharge
from ipa.errors import InputError, ParameterError
from ipa.halo.kingdom import Kingdom
from ipa.halo.protocol_choice import check_protocol, choose_protocol


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
