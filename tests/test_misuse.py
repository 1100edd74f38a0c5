"""What a newcomer tries first and gets wrong is refused in words that say what to do instead."""

import inspect
import pickle
from pathlib import Path
from typing import Any

import pytest

import ipa
from ipa import protocols
from ipa.attacks import add_error, run_attack, run_attack_in_threads, tamper
from ipa.client.configuration import generate_configuration
from ipa.client.key_files import create_network_directory, load_configuration
from ipa.errors import EventError, MismatchError, ParameterError, ReportError
from ipa.moments import run_moments_query
from ipa.oracle.steps import query_in_steps
from ipa.planning import plan_caps
from ipa.protocols.circuits import multiplication
from ipa.query import query
from ipa.report_query import run_report_query
from ipa.sharing.dealing import only_helper, share_elements
from ipa.sharing.rings import PRIME_FIELD

NETWORK = ipa.simulated_network(seed=1)
PARAMETERS = ipa.QueryParameters(breakdowns=4, cap=10)
RANDOMNESS = ipa.Randomness.from_seed(1, "misuse")


@pytest.mark.parametrize("value", [1.5, 1.0, "1", None])
def test_only_integers_are_shared(value: Any) -> None:
    kind = type(value).__name__
    with pytest.raises(ParameterError, match=f"^row 1: must be an int, not {kind}$"):
        ipa.share_rows(NETWORK, [1, value], 8, RANDOMNESS)
    with pytest.raises(ParameterError, match=f"^row 1: must be an int, not {kind}$"):
        share_elements(NETWORK, PRIME_FIELD, [1, value], RANDOMNESS)


def test_one_value_at_a_time_is_put_together() -> None:
    reports = ipa.share_events(
        NETWORK, ipa.generate_events(2, breakdowns=4), PARAMETERS, RANDOMNESS
    )
    wrong: Any
    for wrong in (reports, [1, 2], None):
        with pytest.raises(ParameterError, match=r"such as reports\.match_key, and not a "):
            ipa.reconstruct_for_testing(wrong)


@pytest.mark.parametrize("helper", ["H1", 0, 4, None, True, 1.0])
def test_a_helper_is_1_2_or_3(helper: Any) -> None:
    bits = only_helper(ipa.share_rows(NETWORK, [1], 8, RANDOMNESS), 2)
    elements = share_elements(NETWORK, PRIME_FIELD, [1], RANDOMNESS)
    elements = type(elements)(NETWORK.name, PRIME_FIELD, 1, {2: elements.shares_of(2)})
    for value in (bits, elements):
        with pytest.raises(ParameterError, match=r"^helper must be an integer from 1 to 3, not "):
            value.shares_of(helper)
        with pytest.raises(MismatchError, match=r"^the shares of H3 are not here$"):
            value.shares_of(3)


@pytest.mark.parametrize("seed", ["x", -1, 1.0, True])
def test_a_seed_is_an_integer(seed: Any) -> None:
    for use in (
        lambda: ipa.simulated_network(seed=seed),
        lambda: ipa.RunOptions(seed=seed),
        lambda: ipa.generate_events(3, seed=seed),
        lambda: ipa.Randomness.from_seed(seed, "label"),
    ):
        with pytest.raises(ParameterError, match=r"seed .*must be an integer of at least 0, not "):
            use()


def test_a_directory_for_a_network_is_told_which_file(tmp_path: Path) -> None:
    create_network_directory(tmp_path / "net", *generate_configuration("net.example"))
    with pytest.raises(ReportError) as caught:
        load_configuration(tmp_path / "net")
    file = tmp_path / "net" / "network.json"
    assert str(caught.value) == f"{file.parent} is a directory: give the file in it, {file}"
    assert load_configuration(file).name == "net.example"


EVENTS = ipa.generate_events(2, breakdowns=4)
EXACT = ipa.QueryParameters(breakdowns=4, cap=10, security="semi-honest")


@pytest.mark.parametrize("wrong", [{"breakdowns": 4, "cap": 10}, None, 16])
def test_parameters_are_no_dictionary(wrong: Any) -> None:
    attack = add_error(2, "*")
    reports = ipa.share_events(NETWORK, EVENTS, PARAMETERS, RANDOMNESS)
    for use in (
        lambda: ipa.run_query(EVENTS, wrong, no_noise=True),
        lambda: query(NETWORK, reports, wrong),
        lambda: ipa.share_events(NETWORK, EVENTS, wrong, RANDOMNESS),
        lambda: ipa.query_sql(EVENTS, wrong),
        lambda: query_in_steps(EVENTS, wrong),
        lambda: plan_caps(EVENTS, wrong, [1]),
        lambda: ipa.sweep_caps(EVENTS, wrong, [1]),
        lambda: run_moments_query(EVENTS, wrong, no_noise=True),
        lambda: run_attack(EVENTS, wrong, attack),
        lambda: run_attack_in_threads(EVENTS, wrong, attack),
        lambda: run_report_query([], [], wrong, submitter="", no_budget=True, no_noise=True),
    ):
        with pytest.raises(ParameterError, match=r"^parameters must be QueryParameters, not "):
            use()


@pytest.mark.parametrize("wrong", [EVENTS[0], None, 16])
def test_events_come_in_a_list(wrong: Any) -> None:
    for use in (
        lambda: ipa.run_query(wrong, EXACT, no_noise=True),
        lambda: ipa.share_events(NETWORK, wrong, EXACT, RANDOMNESS),
        lambda: plan_caps(wrong, ipa.QueryParameters(breakdowns=4, cap=1, epsilon=1), [1]),
        lambda: run_moments_query(wrong, EXACT, no_noise=True),
        lambda: run_attack(wrong, EXACT, add_error(2, "*")),
        lambda: ipa.write_events_csv(wrong, "events.csv"),
    ):
        with pytest.raises(EventError, match=r"^there must be a list of events, and not one "):
            use()


def test_events_that_can_be_gone_through_once_are_all_there() -> None:
    shared = ipa.share_events(NETWORK, iter(EVENTS), PARAMETERS, RANDOMNESS)
    keys = ipa.reconstruct_for_testing(shared.match_key)
    assert keys == [event.match_key for event in EVENTS]
    noisy = ipa.QueryParameters(breakdowns=4, cap=1, epsilon=1)
    assert plan_caps(iter(EVENTS), noisy, [1, 2]) == plan_caps(EVENTS, noisy, [1, 2])


def test_options_of_a_run_are_no_dictionary() -> None:
    wrong: Any
    for wrong in ({"seed": 1}, 1, None):
        for run in (ipa.run_query, run_moments_query):
            with pytest.raises(ParameterError, match=r"^options must be RunOptions, not "):
                run(EVENTS, EXACT, no_noise=True, options=wrong)
    for wrong in (ipa.Transcript(), 1, [1], None):
        with pytest.raises(ParameterError, match=r"^interceptors must be a list of functions"):
            ipa.RunOptions(interceptors=wrong)
    with pytest.raises(ParameterError, match=r"^on_step must be a function of a step's path"):
        ipa.RunOptions(on_step="query")  # type: ignore[arg-type]
    transcript = ipa.Transcript()
    assert ipa.RunOptions(interceptors=iter([transcript])).interceptors == (transcript,)


def test_a_name_is_no_network_and_a_number_no_randomness() -> None:
    reports = ipa.share_events(NETWORK.name, EVENTS, PARAMETERS, RANDOMNESS)
    wrong: Any
    for wrong in (NETWORK.name, None):
        with pytest.raises(ParameterError, match=r"^a helper party network is wanted, such as "):
            query(wrong, reports, PARAMETERS)
    wrong = NETWORK
    with pytest.raises(ParameterError, match=r"^name must be text, not a HelperPartyNetwork$"):
        ipa.HelperPartyNetwork(wrong, NETWORK.parties.values())
    for wrong in (7, None):
        with pytest.raises(ParameterError, match=r"^randomness must be Randomness\(\) or "):
            ipa.share_rows(NETWORK, [1], 8, wrong)
        with pytest.raises(ParameterError, match=r"^values must be a list of integers, not "):
            ipa.share_rows(NETWORK, wrong, 8, RANDOMNESS)
        with pytest.raises(ParameterError, match=r"^values must be a list of integers, not "):
            share_elements(NETWORK, PRIME_FIELD, wrong, RANDOMNESS)
        with pytest.raises(ParameterError, match=r"^a helper party network or its name is wanted"):
            ipa.share_rows(wrong, [1], 8, RANDOMNESS)
    for wrong in (8.0, "8", None, -1):
        with pytest.raises(ParameterError, match=r"^width must be an integer of at least 0"):
            ipa.share_rows(NETWORK, [1], wrong, RANDOMNESS)


STEPS = [
    name
    for name in protocols.__all__
    if not inspect.isclass(getattr(protocols, name)) and name != "agree_on_run_name"
]


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_is_handed_no_network_says_what_to_hand_in(name: str) -> None:
    step = getattr(protocols, name)
    bits = ipa.share_rows(NETWORK, [1], 8, RANDOMNESS)
    given: list[tuple[Any, str]] = [
        (NETWORK.name, "not a str: the network itself, not its name"),
        (None, "not a NoneType"),
        (bits, "not a SharedBits"),
    ]
    for wrong, said in given:
        for arguments, named in (([wrong, bits, bits, bits], {}), ([], {"network": wrong})):
            with pytest.raises(ParameterError) as caught:
                step(*arguments, **named)
            wanted = "a helper party network is wanted, such as simulated_network gives, "
            assert str(caught.value) == wanted + said


def test_a_step_is_what_it_was() -> None:
    for name in ("multiply", "sort_rows", "helper_bits"):
        step = getattr(protocols, name)
        assert pickle.loads(pickle.dumps(step)) is step
    assert protocols.multiply.__doc__ == multiplication.multiply.__doc__
    bits = ipa.share_rows(NETWORK, [6], 8, RANDOMNESS)
    shared = protocols.multiply(network=NETWORK, x=bits, y=bits)
    assert ipa.reconstruct_for_testing(shared) == [6]
    with pytest.raises(TypeError, match="missing 3 required positional arguments"):
        protocols.multiply()  # type: ignore[call-arg]


@pytest.mark.parametrize("wrong", [NETWORK, EXACT, None, [1]])
def test_costs_are_handed_in_and_not_what_has_them(wrong: Any) -> None:
    said = f"such as result.costs or network.costs, not a {type(wrong).__name__}$"
    for use in (lambda: ipa.cost_of(wrong), lambda: ipa.costs_by_step(wrong, 2)):
        with pytest.raises(ParameterError, match=f"^costs by step are wanted, {said}"):
            use()
    assert ipa.cost_of({"multiply": ipa.Cost(rounds=2)}).rounds == 2


def test_an_attack_is_made_by_a_function_and_a_pattern_is_text() -> None:
    wrong: Any
    for wrong in ("flip", None, tamper):
        for run in (run_attack, run_attack_in_threads):
            with pytest.raises(ParameterError, match=r"^an attack is wanted, such as tamper or "):
                run(EVENTS, EXACT, wrong)
    for wrong in (None, 3):
        with pytest.raises(ParameterError, match=r"^pattern must be text such as 'query/sort/\*'"):
            tamper(2, wrong, "flip")
        with pytest.raises(ParameterError, match=r"^pattern must be text such as 'query/sort/\*'"):
            add_error(2, wrong)
    for wrong in ("x", -1, 1.0):
        with pytest.raises(ParameterError, match=r"^seed must be an integer of at least 0, not "):
            run_attack(EVENTS, EXACT, add_error(2, "*"), seed=wrong)


def test_events_are_written_to_a_path(tmp_path: Path) -> None:
    for path in (tmp_path / "events.csv", str(tmp_path / "again.csv")):
        ipa.write_events_csv(EVENTS, path)
        assert ipa.read_events_csv(path) == EVENTS
    with pytest.raises(
        ipa.InputError, match=r"nowhere/events\.csv: cannot be written: No such file"
    ):
        ipa.write_events_csv(EVENTS, tmp_path / "nowhere" / "events.csv")
    wrong: Any = [{"report": "source"}]
    with pytest.raises(EventError, match=r"^row 1: must be a SourceEvent or a TriggerEvent"):
        ipa.write_events_csv(wrong, tmp_path / "wrong.csv")
    assert not (tmp_path / "wrong.csv").exists()
