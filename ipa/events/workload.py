"""Synthetic events that behave like real ones, for examples, tests and benchmarks."""

import random

from ipa.events.event import Event, SourceEvent, TriggerEvent
from ipa.parameters import MAX_BREAKDOWNS, MAX_MATCH_KEY_BITS
from ipa.ranges import check_integer

WEEK_SECONDS = 7 * 24 * 3600
"""The timestamps of a workload are seconds of one epoch: 0 up to this, exclusive."""

CONSTRAINT_IDS = 8
"""How many attribution constraint IDs (advertisers, say) a workload has, numbered from 1."""

LARGEST_VALUE = (1 << 16) - 1
"""The tail of trigger values is cut here, the largest value of the default width."""

_TRIGGER_SHARE = 0.25
_SAME_TIME_SHARE = 0.1
_OFF_INTEREST_SHARE = 0.2


def generate_events(
    count: int,
    *,
    users: int | None = None,
    breakdowns: int = 16,
    seed: int = 0,
    match_key_bits: int = 64,
) -> list[Event]:
    """Exactly `count` events of about `users` users in one week; the same for the same arguments.

    Some users are much busier than most. A user cares mostly for one constraint ID, sees several
    impressions and converts now and then, before or after them; some events have the time of the
    user's event before. Breakdown keys are 0 to breakdowns - 1, low ones more often; trigger values
    have a heavy (Pareto) tail. `users` is a fifth of `count` by default; each has a random match
    key of `match_key_bits` bits, so narrow keys can collide. All other fields fit the default
    widths of QueryParameters. It takes time linear in `count`.

    Raises: ParameterError for a number that is out of range.
    """
    if users is None:
        users = max(1, count // 5) if isinstance(count, int) else 1
    check_integer("count", count, 0)
    check_integer("users", users, 1)
    check_integer("breakdowns", breakdowns, 1, MAX_BREAKDOWNS)
    check_integer("match_key_bits", match_key_bits, 1, MAX_MATCH_KEY_BITS)
    check_integer("seed", seed, 0)
    # A seed makes a workload reproducible; nothing here is secret, so no cryptographic randomness.
    # Only random() and getrandbits() are drawn from: their sequences are the same in every Python.
    rng = random.Random(seed)
    match_keys = [rng.getrandbits(match_key_bits) for _ in range(users)]
    last_time: dict[int, int] = {}
    events: list[Event] = []
    for _ in range(count):
        user = _skewed(rng, users, 1.3)
        timestamp = last_time.get(user)
        if timestamp is None or rng.random() >= _SAME_TIME_SHARE:
            timestamp = _below(rng, WEEK_SECONDS)
        last_time[user] = timestamp
        interest = user if rng.random() >= _OFF_INTEREST_SHARE else _below(rng, CONSTRAINT_IDS)
        key = (match_keys[user], 1 + interest % CONSTRAINT_IDS, timestamp)
        if rng.random() < _TRIGGER_SHARE:
            events.append(TriggerEvent(*key, _heavy_tailed_value(rng)))
        else:
            events.append(SourceEvent(*key, _skewed(rng, breakdowns, 2.0)))
    return events


def _below(rng: random.Random, bound: int) -> int:
    """Uniform from 0 to bound - 1, as far as 53 bits of randomness go."""
    return int(rng.random() * bound)


def _skewed(rng: random.Random, bound: int, exponent: float) -> int:
    """From 0 to bound - 1, the low numbers more often, the more so the larger the exponent."""
    return int(rng.random() ** exponent * bound)


def _heavy_tailed_value(rng: random.Random) -> int:
    """Pareto with exponent 1.2, at least 5: most are small, one in some thousands is huge."""
    return min(LARGEST_VALUE, int(5 * (1.0 - rng.random()) ** (-1 / 1.2)))
