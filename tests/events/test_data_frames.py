"""Events from what notebooks hold: frames of pandas and polars, numbers of NumPy, floats with gaps."""

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import pytest

from ipa.errors import EventError
from ipa.events import (
    COLUMNS,
    DataFrame,
    Event,
    SourceEvent,
    TriggerEvent,
    events_from_mappings,
)

EVENTS: list[Event] = [SourceEvent(7, 1, 10, 3), TriggerEvent(7, 1, 20, 250)]


def test_whole_floats_are_integers_as_long_as_they_are_exact() -> None:
    source = dict(zip(COLUMNS[:5], ["source", 7.0, 1.0, 10.0, 3.0], strict=True))
    assert events_from_mappings([source]) == EVENTS[:1]
    (event,) = events_from_mappings([{**source, "match_key": 2.0**53 - 1}])
    assert event.match_key == 2**53 - 1
    assert {type(getattr(event, field)) for field in COLUMNS[1:5]} == {int}
    for rounded in (2.0**53, 2.0**200):
        with pytest.raises(
            EventError, match="row 1: match_key: must be an int from 0: a float this"
        ):
            events_from_mappings([{**source, "match_key": rounded}])


@pytest.mark.parametrize("time", [dt.datetime(2024, 1, 1), dt.date(2024, 1, 1)])
def test_a_date_is_no_timestamp(time: object) -> None:
    source = dict(zip(COLUMNS[:5], ["source", 7, 1, time, 3], strict=True))
    with pytest.raises(
        EventError, match="timestamp: must be an int from 0: seconds since 1970, not"
    ):
        events_from_mappings([source])


def test_a_site_that_is_not_given_is_none() -> None:
    source = dict(zip(COLUMNS[:5], ["source", 7, 1, 10, 3], strict=True))
    for absent in (None, math.nan, ""):
        assert events_from_mappings([{**source, "site": absent}]) == EVENTS[:1]


@pytest.mark.parametrize("rows", [{"report": ["source"]}, "source", 7, None])
def test_what_is_no_rows_at_all(rows: Any) -> None:
    with pytest.raises(EventError, match=r"^there must be a mapping for each event") as caught:
        events_from_mappings(rows)
    assert str(caught.value).endswith(f"not one {type(rows).__name__}")


def frame_rows(absent: object) -> list[dict[str, object]]:
    return [
        dict(zip(COLUMNS, ["source", 7, 1, 10, 3, absent], strict=True)),
        dict(zip(COLUMNS, ["trigger", 7, 1, 20, absent, 250], strict=True)),
    ]


def test_numbers_of_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    for kind in ("uint8", "int64", "uint64", "float16", "float32", "float64"):
        rows = frame_rows(numpy.float64("nan"))
        for row in rows:
            for field in COLUMNS[1:]:
                value: Any = row[field]
                row[field] = numpy.dtype(kind).type(value) if value == value else value
        assert events_from_mappings(rows) == EVENTS
    (source, _) = frame_rows(numpy.datetime64("NaT"))
    assert (
        events_from_mappings([{**source, "site": numpy.str_("a.example")}])[0].site == "a.example"
    )
    for bad in (
        numpy.float32(2**24),
        numpy.float16(2**11),
        numpy.float64(2**53),
        numpy.float64(1.5),
        numpy.int64(-1),
        numpy.bool_(True),
        numpy.datetime64("2024-01-01"),
        numpy.complex128(1),
        numpy.array([1]),
    ):
        with pytest.raises(EventError, match="row 1: timestamp: must be an int from 0"):
            events_from_mappings([{**source, "timestamp": bad}])
    for exact in (numpy.float32(2**24 - 1), numpy.float16(2**11 - 1)):
        (event,) = events_from_mappings([{**source, "timestamp": exact}])
        assert event.timestamp == int(exact)


def test_a_frame_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    for absent in (None, math.nan, pandas.NA, pandas.NaT):
        frame = pandas.DataFrame(frame_rows(absent))
        for kind in (frame, frame.convert_dtypes(), frame.astype({"match_key": "UInt64"})):
            assert events_from_mappings(kind) == EVENTS
            assert events_from_mappings(kind.to_dict("records")) == EVENTS
        assert events_from_mappings(frame.assign(site=absent)) == EVENTS
        assert events_from_mappings(frame.iloc[:0]) == []
    times = frame.assign(timestamp=pandas.to_datetime(["2024-01-01", "2024-01-02"]))
    with pytest.raises(EventError, match="row 1: timestamp: must be an int from 0: seconds since"):
        events_from_mappings(times)
    with pytest.raises(EventError, match="row 2: report: must be 'source' or 'trigger'"):
        events_from_mappings(frame.assign(report=["source", pandas.NA]))
    with pytest.raises(EventError, match="row 1: campaign: unknown field"):
        events_from_mappings(frame.assign(campaign=1))


def test_a_frame_of_polars() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(frame_rows(None))
    assert events_from_mappings(frame) == EVENTS
    assert events_from_mappings(frame.iter_rows(named=True)) == EVENTS
    floats = frame.with_columns(polars.col("trigger_value").cast(polars.Float64))
    assert events_from_mappings(floats) == EVENTS


class FrameLikePandas:
    """What is asked of a frame of pandas, for where there is no pandas."""

    columns = COLUMNS

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def to_dict(self, orient: str) -> list[dict[str, object]]:
        assert orient == "records"
        return frame_rows(math.nan)


class FrameLikePolars(FrameLikePandas):
    """What is asked of a frame of polars, whose `to_dict` gives columns."""

    def to_dict(self, orient: str) -> list[dict[str, object]]:
        raise AssertionError

    def to_dicts(self) -> list[dict[str, object]]:
        return frame_rows(None)


@pytest.mark.parametrize("frame", [FrameLikePandas(), FrameLikePolars()])
def test_a_frame_is_read_by_rows(frame: DataFrame) -> None:
    assert events_from_mappings(frame) == EVENTS
