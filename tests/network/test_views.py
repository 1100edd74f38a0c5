"""What one helper sees, and whether it depends on the secret: planted leaks are found."""

from collections.abc import Callable
from typing import Any

import pytest

import ipa
from ipa.errors import MismatchError, ParameterError
from ipa.network.channel import Message
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.view import View
from ipa.network.view_comparison import ViewComparison, compare_views
from ipa.parties import HELPERS, left_of, right_of
from ipa.protocols.circuits.bitonic_sort import bitonic_sort
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.primitives.opening import open_bits
from ipa.sharing.dealing import only_helper, share_elements
from ipa.sharing.rings import IntegersModulo
from ipa.sharing.shared_bits import SharedBits

Protocol = Callable[[HelperPartyNetwork, SharedBits], object]


def viewed(helper: int, protocol: Protocol) -> Callable[[list[int], int], View]:
    """Runs of a protocol on secret rows of three bits, as the helper sees them."""

    def run(secret: list[int], seed: int) -> View:
        transcript = ipa.Transcript()
        network = ipa.simulated_network(seed, [transcript])
        shared = ipa.share_rows(network, secret, 3, ipa.Randomness.from_seed(seed, "client"))
        protocol(network, shared)
        return transcript.seen_by(helper, secret=shared)

    return run


def compared(helper: int, protocol: Protocol) -> ViewComparison:
    return compare_views(viewed(helper, protocol), [0, 0, 0, 0], [7, 1, 6, 5])


def test_a_view_is_what_one_helper_holds_and_receives() -> None:
    transcript = ipa.Transcript()
    network = ipa.simulated_network(1, [transcript])
    randomness = ipa.Randomness.from_seed(1, "x")
    bits = ipa.share_rows(network, [1, 2], 3, randomness)
    numbers = share_elements(network, IntegersModulo(257), [1, 2], randomness)
    product = multiply(network, bits, bits)
    for helper in HELPERS:
        view = transcript.seen_by(helper, bits=bits, numbers=numbers)
        assert [value.holders for value in view.held.values()] == [(helper,)] * 2
        assert view.held["bits"].shares_of(helper) == bits.shares_of(helper)
        (message,) = view.received
        assert (message.sender, message.receiver) == (right_of(helper), helper)
        assert list(message.payload) == product.shares_of(helper)[1]
        assert view.keys == (
            f"k{helper} (with H{left_of(helper)})",
            f"k{right_of(helper)} (with H{right_of(helper)})",
        )
        assert f"its share x{helper} of bits" in dict(view.parts())
        assert repr(view) == f"<View of H{helper}: shares of 2 values, 1 message received, 3 bytes>"
        assert view._repr_html_().count("ipa-shown") > 2


def test_a_view_is_of_a_helper_whose_shares_are_here() -> None:
    transcript = ipa.Transcript()
    bits = ipa.share_rows("run", [1], 3, ipa.Randomness.from_seed(1, "x"))
    wrong: Any
    for wrong in (0, 4, True, "2"):
        with pytest.raises(ParameterError, match="helper must be an integer from 1 to 3"):
            transcript.seen_by(wrong)
    with pytest.raises(MismatchError, match="the shares of H2 are not here"):
        transcript.seen_by(2, bits=only_helper(bits, 1))


@pytest.mark.parametrize("helper", HELPERS)
def test_a_product_and_a_sort_show_no_helper_anything(helper: int) -> None:
    def protocol(network: HelperPartyNetwork, shared: SharedBits) -> None:
        multiply(network, shared, shared)
        if helper == 2:
            bitonic_sort(network, shared, 3)

    found = compared(helper, protocol)
    assert not found.differs
    assert found.verdict.startswith(f"no difference found in what H{helper} sees")
    assert sum(part.tests for part in found.parts) > 5_000
    assert 0.3 < found.bound < 0.45


def test_opened_shares_are_found_although_each_message_is_random() -> None:
    """The third share and the two it has: only the XOR of three bits tells."""
    found = compared(2, open_bits)
    assert found.differs
    assert [part.what for part in found.parts if part.differs] == ["XORs of 3 bits"]
    assert found.verdict == "H2 can tell the two secrets apart: XORs of 3 bits"
    assert "differs" in found._repr_html_()


def seed_of(network: HelperPartyNetwork) -> int:
    """The seed that the simulation was made from."""
    return int(network.name.removeprefix("simulation-"))


def leak_bit(network: HelperPartyNetwork, shared: SharedBits) -> None:
    """A message that is the secret's first column, in the clear."""
    column = ipa.reconstruct_for_testing(shared[0])
    payload = sum(bit << row for row, bit in enumerate(column)).to_bytes(1, "little")
    with network.step("leak"):
        network.send_left(dict.fromkeys(network.helpers, payload), 1)


def leak_masked(network: HelperPartyNetwork, shared: SharedBits) -> None:
    """The secret under a mask that the receiver is sent too: only XORs of two bits tell."""
    column = ipa.reconstruct_for_testing(shared[0])
    mask = ipa.Randomness.from_seed(seed_of(network), "mask").random_bits(4)
    secret = sum(bit << row for row, bit in enumerate(column)) ^ mask
    for name, byte in (("mask", mask), ("masked", secret)):
        with network.step(name):
            network.send_left(dict.fromkeys(network.helpers, bytes([byte])), 1)


def leak_bias(network: HelperPartyNetwork, shared: SharedBits) -> None:
    """A message that is random for one secret, and 0 for the other."""
    payload = bytes(1)
    if any(ipa.reconstruct_for_testing(shared)):
        payload = ipa.Randomness.from_seed(seed_of(network), "b").random_bytes(1)
    with network.step("leak"):
        network.send_left(dict.fromkeys(network.helpers, payload), 1)


@pytest.mark.parametrize(
    ("leak", "where"),
    [
        (leak_bit, "leak, from H3"),
        (leak_masked, "XORs of 2 bits"),
        (leak_bias, "leak, from H3"),
    ],
)
def test_planted_leaks_are_found(leak: Protocol, where: str) -> None:
    found = compared(2, leak)
    assert found.differs
    assert where in [part.what for part in found.parts if part.differs]
    assert "can tell the two secrets apart" in repr(found)
    assert found.verdict in found._repr_html_().replace("&#x27;", "'")


def test_a_number_of_messages_that_depends_on_the_secret_is_found() -> None:
    def protocol(network: HelperPartyNetwork, shared: SharedBits) -> None:
        for _ in range(ipa.reconstruct_for_testing(shared)[0]):
            multiply(network, shared, shared)

    found = compared(1, protocol)
    assert found.differs and not found.same_shape
    assert found.verdict == "H1 can tell the two secrets apart by which messages it receives"


def test_runs_that_cannot_be_compared_are_refused() -> None:
    def run(_: int, seed: int) -> View:
        return View(1, {}, (Message("s", 2, 1, bytes(seed % 3)),))

    with pytest.raises(ParameterError, match="between runs of one secret"):
        compare_views(run, 0, 1)
    with pytest.raises(ParameterError, match="runs must be an integer of at least 100"):
        compare_views(run, 0, 1, runs=99)


def test_secrets_that_are_equal_do_not_differ_in_many_trials() -> None:
    """A false alarm has probability 10^-6: in twenty comparisons there is none."""
    for trial in range(20):

        def run(secret: int, seed: int, trial: int = trial) -> View:
            payload = ipa.Randomness.from_seed(1000 * trial + seed, "x").random_bytes(8)
            return View(1, {}, (Message("s", 2, 1, payload),))

        assert not compare_views(run, 0, 1, runs=100).differs
