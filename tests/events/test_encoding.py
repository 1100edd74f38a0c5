"""A researcher's table to events and back: labels, people, times and money, and what is refused."""

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from encoder_cases import COLUMNS, ENCODER, MARCH, SOURCE, TRIGGER, fresh

import ipa
from ipa.errors import EventError, ParameterError
from ipa.events import SourceEvent, TriggerEvent
from ipa.events.encoding import EventEncoder


def test_rows_become_events() -> None:
    assert fresh().encode([SOURCE, TRIGGER]) == [
        SourceEvent(0, 0, 90, 1),
        TriggerEvent(0, 0, 86_400, 1999),
    ]


def test_people_and_sites_are_numbered_as_they_come_and_remembered() -> None:
    encoder = fresh()
    others = [{**SOURCE, "user": "bob", "advertiser": "hats.example"}, {**SOURCE, "user": 7}]
    events = encoder.encode([SOURCE, *others]) + encoder.encode([TRIGGER, *others])
    assert [event.match_key for event in events] == [0, 1, 2, 0, 1, 2]
    assert [event.attribution_constraint_id for event in events] == [0, 1, 0, 0, 1, 0]
    assert [event.match_key for event in fresh().encode(others)] == [0, 1]
    assert fresh().encode([{**SOURCE, "advertiser": None}])[0].attribution_constraint_id == 0


def test_too_many_people_for_the_width_are_refused() -> None:
    rows = [{**SOURCE, "user": user} for user in range(5)]
    assert len(fresh(match_key_bits=2).encode(rows[:4])) == 4
    with pytest.raises(
        EventError, match=r"^row 5: user: more than 4 different labels, which 2 bits"
    ):
        fresh(match_key_bits=2).encode(rows)


def test_a_keyed_hash_is_the_same_everywhere_and_depends_on_the_key() -> None:
    key = bytes(range(16))
    hashed = [fresh(hash_key=key).encode([SOURCE])[0].match_key for _ in range(2)]
    # HMAC-SHA-256 of b"text ada" as openssl computes it, the first 64 bits.
    assert hashed == [0x4E4EC1BF888BEFD3] * 2
    assert fresh(hash_key=key[::-1]).encode([SOURCE])[0].match_key != hashed[0]
    assert fresh(hash_key=key, match_key_bits=16).encode([SOURCE])[0].match_key == hashed[0] >> 48
    rows = [{**SOURCE, "user": user} for user in (7, 7.0, "7", "e\u0301", "\u00e9")]
    seven, whole, text, apart, composed = (
        event.match_key for event in fresh(hash_key=key).encode(rows)
    )
    assert seven == whole != text
    assert apart == composed
    assert str(key) not in repr(fresh(hash_key=key))
    for user in (1.5, dt.date(2026, 3, 1), None, ["ada"]):
        with pytest.raises(EventError, match=r"^row 1: user: (to be hashed|must be|is missing)"):
            fresh(hash_key=key).encode([{**SOURCE, "user": user}])


def test_hashed_people_can_collide_and_numbered_ones_cannot() -> None:
    assert not ENCODER.parameters(cap=1).match_keys_can_collide
    assert fresh(hash_key=bytes(16)).parameters(cap=1).match_keys_can_collide


def test_another_label_is_refused_or_counts_for_the_other_one() -> None:
    for label in ("autumn", None, ["spring"]):
        row = {**SOURCE, "campaign": label}
        with pytest.raises(EventError, match=r"^row 1: campaign: is not one of breakdown_labels$"):
            fresh().encode([row])
        assert fresh(other_label="other").encode([row]) == [SourceEvent(0, 0, 90, 2)]


def test_sources_and_triggers_from_tables_of_their_own() -> None:
    encoder = fresh(columns={**COLUMNS, "site": "site"})
    source = {
        **{k: v for k, v in SOURCE.items() if k not in ("type", "value")},
        "site": "a.example",
    }
    trigger = {k: v for k, v in TRIGGER.items() if k not in ("type", "campaign")}
    assert encoder.encode([source], "source") == [SourceEvent(0, 0, 90, 1, "a.example")]
    with pytest.raises(EventError, match=r"^row 1: site: column is missing$"):
        encoder.encode([trigger], "trigger")
    assert ENCODER.encode([trigger], "trigger")[0] == TriggerEvent(0, 0, 86_400, 1999)
    with pytest.raises(ParameterError, match="kind must be source or trigger, not 'both'"):
        encoder.encode([source], "both")  # type: ignore[arg-type]


def test_without_columns_they_are_called_like_the_fields() -> None:
    row = dict(zip(("report", "match_key", "timestamp"), ("source", "ada", 10), strict=True))
    plain = EventEncoder(breakdown_labels=range(4))
    event = plain.encode([{**row, "breakdown_key": 3, "trigger_value": None}])
    assert event == [SourceEvent(0, 0, 10, 3)]
    assert (plain.label_column, ENCODER.label_column) == ("breakdown_key", "campaign")
    with pytest.raises(EventError, match=r"^row 1: breakdown_key: column is missing$"):
        plain.encode([row], "source")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"user": None}, "user: is missing"),
        ({"user": {}}, "user: must be text or a number, not dict"),
        ({"type": "click"}, "type: must be one of 'impression', 'purchase'"),
        ({"type": []}, "type: must be one of 'impression', 'purchase'"),
        ({"value": 0}, "value: must be empty on a source report"),
        ({"type": "purchase", "value": 1}, "campaign: must be empty on a trigger report"),
        ({"time": None}, "time: is missing"),
        ({"time": "2026-03-02"}, "time: must be a datetime: pandas.to_datetime"),
        ({"time": dt.datetime(2026, 3, 2)}, "time: has no time zone, and start has one"),
        ({"time": dt.date(2026, 3, 2)}, "time: has no time zone, and start has one"),
        ({"time": MARCH - dt.timedelta(microseconds=1)}, "time: is before start"),
        ({"time": MARCH + dt.timedelta(days=60)}, "time: is later than 22 bits can count"),
    ],
)
def test_a_wrong_row_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(EventError) as caught:
        fresh().encode([SOURCE, {**SOURCE, **change}])
    assert str(caught.value).startswith(f"row 2: {said}")


def test_times_without_a_zone_and_other_steps() -> None:
    naive = fresh(start=dt.datetime(2026, 3, 1), time_step=dt.timedelta(hours=1))
    for time, step in (
        (dt.datetime(2026, 3, 1, 1, 59, 59), 1),
        (dt.date(2026, 3, 2), 24),
    ):
        assert naive.encode([{**SOURCE, "time": time}])[0].timestamp == step
    with pytest.raises(EventError, match="time: has a time zone, and start has none"):
        naive.encode([SOURCE])
    elsewhere = MARCH.astimezone(dt.timezone(dt.timedelta(hours=5)))
    assert fresh().encode([{**SOURCE, "time": elsewhere}])[0].timestamp == 0
    assert (
        naive.parameters(cap=1, attribution_window=dt.timedelta(days=7)).attribution_window == 168
    )
    with pytest.raises(ParameterError, match="attribution_window must be a multiple of 1:00:00"):
        naive.parameters(cap=1, attribution_window=dt.timedelta(minutes=90))
    with pytest.raises(EventError, match="time: must be an int from 0"):
        fresh(start=None).encode([SOURCE])


@pytest.mark.parametrize("value", ["19.99", 19.99, Decimal("19.990"), Fraction(1999, 100)])
def test_an_amount_is_a_whole_number_of_steps(value: object) -> None:
    assert fresh().encode([{**TRIGGER, "value": value}])[0] == TriggerEvent(0, 0, 86_400, 1999)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.1 + 0.2, "must be a whole number of steps of 0.01: round the column to 2 places"),
        (Decimal("0.001"), "must be a whole number of steps of 0.01"),
        (-1, "must not be negative"),
        (math.nan, "is missing"),
        (None, "is missing"),
        (math.inf, "must be finite"),
        (Decimal("NaN"), "must be finite"),
        (2.0**53, "is a float so large that it may have been rounded"),
        ("1,99", "must be a decimal, such as 19.99"),
        ("1e3", "must be a decimal, such as 19.99"),
        (True, "must be a number"),
        ([1], "must be a number"),
        (Decimal("500.01"), "is above largest_value, 500.00: clip the column or declare a larger"),
    ],
)
def test_an_amount_that_is_none_is_refused(value: object, said: str) -> None:
    with pytest.raises(EventError) as caught:
        fresh().encode([{**TRIGGER, "value": value}])
    assert str(caught.value).startswith(f"row 1: value: {said}")
    assert fresh().encode([{**TRIGGER, "value": 500}])[0] == TriggerEvent(0, 0, 86_400, 50_000)


def test_the_parameters_have_the_widths_that_are_declared() -> None:
    parameters = ENCODER.parameters(cap="20.50", epsilon=1, security="semi-honest")
    assert parameters == ipa.QueryParameters(
        breakdowns=3,
        cap=2050,
        epsilon=1,
        security="semi-honest",
        timestamp_bits=22,
        value_bits=16,
    )
    assert fresh(largest_value="0.08").parameters(cap=1).value_bits == 4
    assert ENCODER.parameters(cap=3, aggregate="count").cap == 3
    assert ENCODER.parameters(cap=1, value_bits=20).value_bits == 20
    for cap in ("0.001", 0, 0.5, "x", Decimal("inf"), True):
        with pytest.raises(ParameterError, match=r"^cap must be a "):
            ENCODER.parameters(cap=cap)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"breakdown_labels": "spring"}, "breakdown_labels must be a list of labels, not str"),
        ({"breakdown_labels": []}, "breakdown_labels must have at least one label"),
        ({"breakdown_labels": ["a", "a"]}, "breakdown_labels has a label twice"),
        ({"breakdown_labels": ["a", None]}, "breakdown_labels must be text or numbers"),
        ({"other_label": "autumn"}, "other_label must be one of breakdown_labels"),
        ({"columns": {"match_key": "user"}}, "columns must name fields by column, as in"),
        ({"columns": {"a": "site", "b": "site"}}, "columns has two columns for site"),
        ({"kinds": {"impression": "view"}}, "kinds must say 'source' or 'trigger'"),
        ({"kinds": {}}, "kinds must say 'source' or 'trigger'"),
        ({"start": "2026-03-01"}, "start must be a datetime, not str"),
        ({"time_step": dt.timedelta(0)}, "time_step must be a timedelta above 0"),
        ({"value_step": 0.01}, "value_step must be a Decimal, an int or text such as '0.01'"),
        ({"value_step": 0}, "value_step must be a Decimal"),
        ({"largest_value": "0.005"}, "largest_value must be a whole number of steps of 0.01"),
        ({"largest_value": "1" + "0" * 20}, "largest_value in steps must be an integer from 1"),
        ({"hash_key": b"short"}, "hash_key must be at least 16 secret bytes"),
        ({"timestamp_bits": 65}, "timestamp_bits must be an integer from 1 to 64"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        fresh(**change)
    assert str(caught.value).startswith(said)


def test_a_column_that_is_not_declared_is_asked_for() -> None:
    encoder = fresh(columns={"user": "match_key"})
    with pytest.raises(EventError, match=r"^columns must say which column is the timestamp$"):
        encoder.encode([SOURCE], "source")
    with pytest.raises(EventError, match=r"^row 1: must be a mapping, not tuple$"):
        encoder.encode([("ada",)])  # type: ignore[list-item]


def test_sums_come_back_in_the_unit_exactly() -> None:
    assert ENCODER.in_unit(1999) == Decimal("19.99")
    assert ENCODER.in_unit(-5) == Decimal("-0.05")
    assert ENCODER.in_unit(7, "count") == 7
    assert fresh(value_step=1).in_unit(7) == 7
    large = 10**40 + 1
    assert str(ENCODER.in_unit(large)) == f"{large // 100}.01"
    assert type(fresh(value_step=5).in_unit(7)) is Decimal
