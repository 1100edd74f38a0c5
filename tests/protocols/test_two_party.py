"""Two-party sharing becomes replicated sharing: right, hidden from each helper, cheap, attacked."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipa.attacks import Change, Tampering
from ipa.errors import ChannelError, MisbehaviourError, MismatchError
from ipa.network.channel import Message, in_memory_channels
from ipa.network.costs import cost_of
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import Interceptor, Transcript
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.parties import HELPERS
from ipa.protocols.primitives.input_check import check_inputs
from ipa.protocols.primitives.two_party import TwoPartyBits, replicate_two_party
from ipa.sharing.bits import columns_from_rows
from ipa.sharing.dealing import only_helper, reconstruct_for_testing
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import ColumnPair
from ipa.sharing.xor import share_xor_two_party

WIDTH = 5


def share_two_party(
    network: str, values: list[int], width: int, randomness: Randomness
) -> TwoPartyBits:
    """What clients send: a share of each value to H1, the other to H2."""
    pairs = [share_xor_two_party(value, width, randomness) for value in values]
    shares = {
        helper: columns_from_rows([pair[helper - 1] for pair in pairs], width) for helper in (1, 2)
    }
    return TwoPartyBits(network, len(values), width, shares)


@given(width=st.integers(1, 70), data=st.data())
def test_the_values_are_unchanged_and_the_copies_agree(width: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, (1 << width) - 1), max_size=20))
    network = simulated_network()
    x = replicate_two_party(network, share_two_party(network.name, values, width, Randomness()))
    assert (x.rows, x.width) == (len(values), width)
    assert reconstruct_for_testing(x) == values
    check_inputs(network, [x], [])
    cost = cost_of(network.costs, "two-party")
    size = width * max(1, (len(values) + 7) // 8)
    assert (cost.rounds, cost.messages, cost.bytes_sent, cost.and_gates) == (1, 2, 2 * size, 0)


def test_a_helper_s_view_does_not_depend_on_the_values() -> None:
    """H3 gets all that is sent; its view is uniform for every value, as H1's and H2's are."""
    seen: dict[int, set[tuple[int, int]]] = {0: set(), 1: set()}
    for value in seen:
        for seed in range(64):
            network = simulated_network(seed)
            shared = share_two_party(network.name, [value], 1, Randomness.from_seed(seed, "c"))
            x = replicate_two_party(network, shared)
            seen[value] |= {
                (helper, own[0] << 1 | right[0])
                for helper in HELPERS
                for own, right in (x.shares_of(helper),)
            }
    everything = {(helper, pair) for helper in HELPERS for pair in range(4)}
    assert seen == {0: everything, 1: everything}


def test_every_conversion_uses_a_fresh_mask() -> None:
    network = simulated_network(1)
    x = share_two_party(network.name, [3] * 64, WIDTH, Randomness())
    first, second = (replicate_two_party(network, x) for _ in range(2))
    assert first.shares_of(1)[1] != second.shares_of(1)[1]
    assert reconstruct_for_testing(first) == reconstruct_for_testing(second) == [3] * 64


def test_only_the_shareholders_send_and_only_to_the_third() -> None:
    transcript = Transcript()
    network = simulated_network(interceptors=[transcript])
    replicate_two_party(network, share_two_party(network.name, [1, 2], WIDTH, Randomness()))
    assert transcript.shape() == [("two-party", 1, 3, WIDTH), ("two-party", 2, 3, WIDTH)]


@pytest.mark.parametrize("change", ["drop", "truncate", "extend"])
@pytest.mark.parametrize("sender", [1, 2])
def test_malformed_messages_are_noticed(sender: int, change: Change) -> None:
    with pytest.raises(ChannelError):
        convert([1, 2, 3], Tampering(sender, "two-party", change))


def test_bits_beyond_the_rows_are_noticed() -> None:
    with pytest.raises(ChannelError, match="padding"):
        convert([1, 2, 3], Tampering(1, "two-party", "flip", bit=7))


@pytest.mark.parametrize("sender", [1, 2])
def test_a_share_changed_on_the_way_is_noticed_before_it_is_used(sender: int) -> None:
    """The sender goes on with the share it did not send: the copies differ."""
    network = simulated_network(interceptors=[Tampering(sender, "two-party", "flip")])
    x = replicate_two_party(network, share_two_party(network.name, [1], WIDTH, Randomness()))
    with pytest.raises(MisbehaviourError, match="different input shares"):
        check_inputs(network, [x], [])


@pytest.mark.parametrize("liar", [1, 2])
@given(value=st.integers(0, 31), delta=st.integers(0, 31))
def test_a_shareholder_that_lies_is_a_client_that_lies(liar: int, value: int, delta: int) -> None:
    """It changes the value by what it adds to its share, blindly, and nobody can notice."""
    network = simulated_network()
    honest = share_two_party(network.name, [value], WIDTH, Randomness())
    changed = [column ^ (delta >> bit & 1) for bit, column in enumerate(honest.shares[liar])]
    x = replicate_two_party(
        network,
        TwoPartyBits(network.name, 1, WIDTH, {**honest.shares, liar: changed}),
    )
    check_inputs(network, [x], [])
    assert reconstruct_for_testing(x) == [value ^ delta]


def test_one_local_helper_per_network_gets_the_same_shares() -> None:
    values = [5, 0, 31, 17]
    shared = share_two_party(simulated_network(3).name, values, WIDTH, Randomness())
    channels, keys = in_memory_channels(timeout=5), pairwise_keys(3)
    results: dict[int, ColumnPair] = {}

    def run(helper: int) -> None:
        network = HelperPartyNetwork(
            shared.network_name, [HelperParty(helper, Prss(*keys[helper]), channels[helper])]
        )
        own = {h: share for h, share in shared.shares.items() if h == helper}
        x = replicate_two_party(network, TwoPartyBits(shared.network_name, len(values), WIDTH, own))
        results[helper] = x.shares_of(helper)

    threads = [threading.Thread(target=run, args=(helper,)) for helper in HELPERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    network = simulated_network(3)
    lockstep = replicate_two_party(
        network, TwoPartyBits(network.name, len(values), WIDTH, shared.shares)
    )
    for helper in HELPERS:
        assert results[helper] == only_helper(lockstep, helper).shares_of(helper)


def test_shares_that_cannot_be_are_refused() -> None:
    network = simulated_network()
    with pytest.raises(MismatchError, match="helper 3 has no share"):
        TwoPartyBits(network.name, 1, 1, {3: [0]})
    for columns in ([], [0, 0], [2]):
        with pytest.raises(MismatchError, match="not 1 columns of 1 rows"):
            TwoPartyBits(network.name, 1, 1, {1: columns})
    with pytest.raises(MismatchError, match="share of helper 2 is missing"):
        replicate_two_party(network, TwoPartyBits(network.name, 1, 1, {1: [0]}))
    with pytest.raises(MismatchError, match="networks differ"):
        replicate_two_party(network, TwoPartyBits("other", 1, 1, {1: [0], 2: [0]}))


def test_repr_shows_no_share() -> None:
    x = share_two_party("net", [3], WIDTH, Randomness())
    assert repr(x) == "TwoPartyBits(network_name='net', rows=1, width=5)"


def convert(values: list[int], *interceptors: Interceptor) -> list[int]:
    network = simulated_network(interceptors=interceptors)
    x = replicate_two_party(network, share_two_party(network.name, values, WIDTH, Randomness()))
    return reconstruct_for_testing(x)


def test_a_message_of_another_step_is_refused() -> None:
    def relabel(message: Message) -> list[Message]:
        return [Message("other", message.sender, message.receiver, message.payload)]

    with pytest.raises(ChannelError, match="another step"):
        convert([1], relabel)
