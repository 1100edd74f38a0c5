"""Copying and pickling a share: what comes of it, and what is refused."""

import copy
import pickle
from typing import Any

import pytest
from strategies import Simulation

from ipa.errors import SecrecyError
from ipa.sharing.dealing import only_helper
from ipa.sharing.rings import PRIME_FIELD
from ipa.sharing.rows.shared_rows import SharedRows
from ipa.sharing.shared_elements import SharedElements

SIMULATION = Simulation(1)
BITS = SIMULATION.bits([1, 2, 3], 5)
NUMBERS = SIMULATION.numbers(PRIME_FIELD, [1, 2, 3])
ROWS = SharedRows("network", 1, 8, {1: [b"ab"], 2: [b"bc"]})


@pytest.mark.parametrize("value", [BITS, NUMBERS, ROWS], ids=["bits", "numbers", "rows"])
def test_a_copy_is_the_value_itself(value: Any) -> None:
    assert copy.copy(value) is value
    assert copy.deepcopy([value])[0] is value


@pytest.mark.parametrize("value", [BITS, NUMBERS, ROWS], ids=["bits", "numbers", "rows"])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_shares_of_several_helpers_are_not_pickled(value: Any, protocol: int) -> None:
    with pytest.raises(SecrecyError, match="only_helper"):
        pickle.dumps(value, protocol)


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_what_one_helper_holds_is_pickled(helper: int) -> None:
    bits = only_helper(BITS, helper)
    again = pickle.loads(pickle.dumps(bits))
    assert again.shares_of(helper) == bits.shares_of(helper)
    assert repr(again) == repr(bits)
    numbers = SharedElements("network", PRIME_FIELD, 3, {helper: NUMBERS.shares_of(helper)})
    assert pickle.loads(pickle.dumps(numbers)).shares_of(helper) == NUMBERS.shares_of(helper)
