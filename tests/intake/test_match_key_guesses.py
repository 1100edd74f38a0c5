"""A corrupt helper and the report collector guess a match key: they learn nothing from the intake."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from intake_cases import HOME, PARAMETERS, World, make_world, opened_events, take_in

from ipa.client.encrypted_match_key import (
    NONCE_BYTES,
    EncryptedMatchKey,
    Nonces,
    SealedShares,
    encode_match_key,
    encrypt_match_key,
    open_match_key,
)
from ipa.client.fanout_query import write_query_stream
from ipa.client.rejection import Reason
from ipa.client.report_collector import CollectedEvent, SourceData, seal_report
from ipa.client.shares import Shares
from ipa.events import SourceEvent
from ipa.parties import HELPERS, left_of, right_of
from ipa.sharing.randomness import Randomness

WIDTH = PARAMETERS.match_key_bits
MATCH_KEY = 0x9A7
GUESSES = (MATCH_KEY, 0x001, MATCH_KEY ^ 1, 0xFFF)


def opened_by(made: World, helper: int, encrypted: EncryptedMatchKey) -> tuple[Shares, Nonces]:
    key = made.keys[helper - 1].keys[0]
    ciphertext = encrypted.sealed[helper - 1].ciphertext
    return open_match_key(key, HOME.info(helper, 1, WIDTH, "three-party"), ciphertext, WIDTH, 2)


def submitted(made: World, match_keys: Sequence[EncryptedMatchKey]) -> World:
    """A query of these match keys, as a collector that checks nothing makes it."""
    events = [
        CollectedEvent(
            SourceData(attribution_constraint_id=0, timestamp=0, breakdown_key=0), match_key
        )
        for match_key in match_keys
    ]
    rows = [seal_report(each, {HOME: 0}, made.query, made.network, Randomness()) for each in events]
    first, second, third = (
        write_query_stream(
            replace(
                made.stream(helper), contexts=(HOME,), records=tuple(r[helper - 1] for r in rows)
            )
        )
        for helper in HELPERS
    )
    return replace(made, streams=(first, second, third))


@pytest.mark.parametrize("corrupt", HELPERS)
@pytest.mark.parametrize("target", [left_of, right_of])
@pytest.mark.parametrize("chosen", ["random", "zero", "of the first share", "of the second share"])
def test_right_and_wrong_guesses_are_dropped_alike(
    corrupt: int, target: object, chosen: str
) -> None:
    """The corrupt helper knows two shares; a guess gives the third, which its neighbours compare.

    The collector seals, to one of them, the share that goes with the guess, and leaves the other
    the device's own ciphertext.
    """
    made = make_world([])
    victim = encrypt_match_key(MATCH_KEY, HOME, made.network, Randomness())
    (own, right), (own_nonce, right_nonce) = opened_by(made, corrupt, victim)
    nonce = {
        "random": Randomness().random_bytes(NONCE_BYTES),
        "zero": bytes(NONCE_BYTES),
        "of the first share": own_nonce,
        "of the second share": right_nonce,
    }[chosen]
    guessed = []
    for guess in GUESSES:
        third = guess ^ own ^ right
        if target is left_of:
            helper, pair, nonces = left_of(corrupt), (third, own), (nonce, own_nonce)
        else:
            helper, pair, nonces = right_of(corrupt), (right, third), (right_nonce, nonce)
        plaintext = encode_match_key(pair, nonces, WIDTH)
        public = made.network.encryption_key(helper)
        sealed = list(victim.sealed)
        sealed[helper - 1] = SealedShares(
            1, public.seal(plaintext, HOME.info(helper, 1, WIDTH, "three-party"))
        )
        guessed.append(EncryptedMatchKey(HOME, tuple(sealed)))
    for match_key in guessed:
        intake = take_in(submitted(made, [match_key]))
        assert (intake.reports.rows, intake.dropped) == (0, {Reason.INCONSISTENT: 1})
    intake = take_in(submitted(made, [*guessed, victim]))
    assert intake.dropped == {Reason.INCONSISTENT: len(GUESSES)}
    assert opened_events(intake) == [SourceEvent(MATCH_KEY, 0, 0, 0, "")]


def test_the_guess_would_show_if_the_nonce_were_known() -> None:
    """That is, the test above makes the attack's shares as they must be."""
    made = make_world([])
    victim = encrypt_match_key(MATCH_KEY, HOME, made.network, Randomness())
    (third, first), (third_nonce, _) = opened_by(made, 3, victim)
    _, (_, unknown) = opened_by(made, 1, victim)
    found = []
    for guess in GUESSES:
        pair = (guess ^ first ^ third, third)
        plaintext = encode_match_key(pair, (unknown, third_nonce), WIDTH)
        sealed = made.network.encryption_key(2).seal(
            plaintext, HOME.info(2, 1, WIDTH, "three-party")
        )
        forged = (victim.sealed[0], SealedShares(1, sealed), victim.sealed[2])
        found.append(take_in(submitted(made, [EncryptedMatchKey(HOME, forged)])).reports.rows)
    assert found == [1, 0, 0, 0]
