"""Ten thousand mutated, copied and random records: never another error or another report's result."""

import random
from dataclasses import replace
from functools import partial

from intake_cases import (
    HOME,
    PARAMETERS,
    SHOP,
    answer,
    make_world,
    opened_events,
    take_in,
    with_bytes,
    with_records,
    without_sites,
    world,
)

from ipa.client.rejection import Reason
from ipa.errors import ReportError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.oracle.steps import query_in_steps

ROUNDS = 10
BAD = 1000
GOOD = 60


def many_events(source: random.Random, count: int) -> list[Event]:
    events: list[Event] = []
    for _ in range(count):
        key = (source.randrange(8), source.randrange(2), source.randrange(1024))
        if source.random() < 0.5:
            events.append(SourceEvent(*key, source.randrange(4), HOME.site))
        else:
            site = source.choice([HOME.site, SHOP.site])
            events.append(TriggerEvent(*key, source.randrange(128), site))
    return events


def mutate(data: bytes, source: random.Random) -> bytes:
    """Flip a bit, cut, insert, overwrite a stretch, or random bytes altogether; never the same."""
    at = source.randrange(len(data))
    length = source.randrange(1, 9)
    match source.randrange(5):
        case 0:
            changed = data[:at] + bytes([data[at] ^ 1 << source.randrange(8)]) + data[at + 1 :]
        case 1:
            changed = data[:at] + data[at + length :]
        case 2:
            changed = data[:at] + source.randbytes(length) + data[at:]
        case 3:
            changed = data[:at] + source.randbytes(length) + data[at + length :]
        case _:
            changed = source.randbytes(source.choice([0, 1, 9, len(data)]))
    return changed if changed != data else mutate(data, source)


def mutate_rows(rows: set[int], source: random.Random, records: tuple[bytes, ...]) -> list[bytes]:
    return [
        mutate_or_copy(row, source, records) if row in rows else record
        for row, record in enumerate(records)
    ]


def mutate_or_copy(row: int, source: random.Random, records: tuple[bytes, ...]) -> bytes:
    """Mostly the record mutated; else another row's, good or bad, wherever it is."""
    if source.random() < 0.7:
        return mutate(records[row], source)
    return records[(row + source.randrange(1, len(records))) % len(records)]


def test_ten_thousand_mutated_records_never_change_the_result_of_the_others() -> None:
    source = random.Random(2026)
    events = many_events(source, BAD + GOOD)
    made = make_world(events)
    for _ in range(ROUNDS):
        bad = set(source.sample(range(len(events)), BAD))
        changed = made
        for helper in (1, 2, 3):
            mine = {row for row in bad if source.random() < 0.5 or row % 3 + 1 == helper}
            changed = with_records(changed, helper, partial(mutate_rows, mine, source))
        intake = take_in(changed)
        good = [event for row, event in enumerate(events) if row not in bad]
        assert opened_events(intake) == without_sites(good)
        assert sum(intake.dropped.values()) == BAD
        assert set(intake.dropped) <= set(Reason)
    result = answer(changed)
    assert result.dropped == intake.dropped
    assert result.result.sums == query_in_steps(good, PARAMETERS)
    assert any(result.result.sums)


def test_mutated_streams_are_refused_or_lose_rows() -> None:
    source = random.Random(5)
    sums = set()
    refused = 0
    for _ in range(300):
        helper = source.choice([1, 2, 3])
        data = mutate(world().streams[helper - 1], source)
        try:
            intake = take_in(with_bytes(world(), helper, data))
        except ReportError:
            refused += 1
            continue
        kept = opened_events(intake)
        good = opened_events(take_in(world()))
        assert sum(intake.dropped.values()) >= 1
        assert [event for event in good if event in kept] == kept
        sums.add(len(kept))
    assert refused
    assert sums


def test_random_bytes_as_every_stream_are_refused() -> None:
    source = random.Random(6)
    for _ in range(50):
        first, second, third = (
            source.choice([b"", b"IPAQ\1" + bytes([helper])]) + source.randbytes(80)
            for helper in (1, 2, 3)
        )
        try:
            answer(replace(world(), streams=(first, second, third)))
        except ReportError:
            continue
        raise AssertionError("random bytes were answered")
