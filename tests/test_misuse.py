"""What a newcomer tries first and gets wrong is refused in words that say what to do instead."""

from pathlib import Path
from typing import Any

import pytest

import ipa
from ipa.client.configuration import generate_configuration
from ipa.client.key_files import create_network_directory, load_configuration
from ipa.errors import MismatchError, ParameterError, ReportError
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
