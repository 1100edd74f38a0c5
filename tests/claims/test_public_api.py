"""What `import ipa` offers: adding or removing a name is a decision, so it is made here as well."""

import importlib
import inspect
from pathlib import Path

import pytest

import ipa

PUBLIC = """
BudgetError ChannelError Cost Event EventEncoder EventError GenericReports HelperPartyNetwork InputError
IpaError MisbehaviourError MismatchError ParameterError ProductLog QueryParameters QueryResult
Randomness RandomnessReuseError ReportError RunOptions SecrecyError SharedBits SharedElements
SourceEvent StepDisplay Trace Transcript TriggerEvent VerificationError compare_views cost_of
costs_by_step events_from_mappings generate_events query_sql read_events_csv reconstruct_for_testing
run_query share_events share_rows share_table simulated_network sweep_caps write_events_csv
"""


def test_the_public_names() -> None:
    assert ipa.__all__ == PUBLIC.split()
    assert all(hasattr(ipa, name) for name in ipa.__all__)


def test_every_public_class_and_function_has_a_docstring() -> None:
    types = {"Event"}  # a union of types cannot have one
    assert [
        name for name in ipa.__all__ if name not in types and not getattr(ipa, name).__doc__
    ] == []


def test_three_lines_from_dictionaries_to_sums() -> None:
    key = {"match_key": 7, "attribution_constraint_id": 1}
    events = ipa.events_from_mappings(
        [
            {"report": "source", **key, "timestamp": 10, "breakdown_key": 2},
            {"report": "trigger", **key, "timestamp": 20, "trigger_value": 25},
        ]
    )
    parameters = ipa.QueryParameters(breakdowns=4, cap=100)
    result = ipa.run_query(events, parameters, no_noise=True)
    assert (result.sums, result.rows, result.parameters) == ([0, 0, 25, 0], 2, parameters)


def test_what_a_notebook_shows_helps_and_tells_no_secret() -> None:
    secret = 123456789
    parameters = ipa.QueryParameters(breakdowns=4, cap=100)
    network = ipa.simulated_network(seed=1)
    shared = ipa.share_rows(network.name, [secret] * 3, 32, ipa.Randomness())
    events = [ipa.SourceEvent(secret, 1, 10, 2)]
    reports = ipa.share_events(network.name, events, parameters, ipa.Randomness())
    result = ipa.run_query(events, parameters, no_noise=True)
    assert "3 rows x 32 bits" in repr(shared)
    assert "1 rows x 64 bits" in repr(reports)
    assert "H1, H2, H3" in repr(network)
    assert "sums=[0, 0, 0, 0]" in repr(result) and "AND gates" in repr(result)
    for shown in (shared, reports, network, result):
        assert str(secret) not in repr(shown)
    held = [column for pair in shared.shares_of(1) for column in pair if column]
    assert held and not any(str(column) in repr(shared) for column in held if column > 7)


FACES = (
    "attacks",
    "budget",
    "client",
    "events",
    "intake",
    "network",
    "oracle",
    "pictures",
    "protocols",
    "testing",
)
"""The packages whose `__init__` hands on what users need."""


@pytest.mark.parametrize("name", FACES)
def test_a_package_hands_on_what_it_says(name: str) -> None:
    package = importlib.import_module(f"ipa.{name}")
    assert len(set(package.__all__)) == len(package.__all__)
    for public in package.__all__:
        value = getattr(package, public)
        assert not inspect.ismodule(value)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, public


def test_only_these_packages_hand_on_names() -> None:
    root = Path(ipa.__file__).parent
    with_names = {
        path.parent.name for path in root.glob("*/__init__.py") if "__all__" in path.read_text()
    }
    assert with_names == set(FACES)
