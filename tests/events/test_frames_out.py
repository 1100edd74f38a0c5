"""Results and plans as frames, by label and in the unit of the table, with and without the libraries."""

import sys
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from encoder_cases import ENCODER, SOURCE, TRIGGER, fresh

import ipa
from ipa.errors import MismatchError, ParameterError
from ipa.planning import plan_caps
from ipa.result import LabelledSum

NOISY = ENCODER.parameters(cap=20, epsilon=1)
RESULT = ipa.QueryResult([1999, -5, 0], 2, NOISY, {})
EXACT = ipa.QueryResult([1999, 5, 0], 2, ENCODER.parameters(cap=20), {})


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for pandas and polars, whose frames are a pair of the library and the columns."""
    for name in ("pandas", "polars"):
        module = SimpleNamespace(DataFrame=lambda columns, name=name: (name, columns))
        monkeypatch.setitem(sys.modules, name, module)


def test_sums_by_label_are_exact() -> None:
    noise = RESULT.noise
    assert noise is not None
    within = Decimal(noise.interval_95) / 100
    assert within > 0
    first, second, _ = RESULT.labelled(ENCODER)
    total = Decimal("19.99")
    assert first == LabelledSum("spring", total, total - within, total + within)
    assert (second.label, second.total) == ("letter", Decimal("-0.05"))
    assert EXACT.labelled(ENCODER)[0] == LabelledSum("spring", *[total] * 3)
    assert EXACT.labelled()[1] == LabelledSum(1, 5, 5, 5)
    with pytest.raises(MismatchError, match="has 2 labels, and the result 3 sums"):
        EXACT.labelled(fresh(breakdown_labels=["a", "b"]))


@pytest.mark.usefixtures("libraries")
def test_a_result_as_a_frame() -> None:
    frame: Any = RESULT.to_frame(ENCODER)
    library, columns = frame
    assert library == "pandas"
    assert list(columns) == ["campaign", "sum", "low", "high"]
    assert columns["campaign"] == ["spring", "letter", "other"]
    assert columns["sum"] == [19.99, -0.05, 0.0]
    rows = RESULT.labelled(ENCODER)
    assert columns["low"] == [float(row.low) for row in rows]
    assert columns["high"] == [float(row.high) for row in rows]
    exact: Any = EXACT.to_frame(library="polars")
    assert exact == ("polars", {"breakdown_key": [0, 1, 2], "sum": [1999, 5, 0]})
    count = ipa.QueryResult([1], 2, ipa.QueryParameters(breakdowns=1, cap=1, aggregate="count"), {})
    counted: Any = count.to_frame()
    assert counted == ("pandas", {"breakdown_key": [0], "count": [1]})


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, other in (("pandas", "polars"), ("polars", "pandas")):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ParameterError) as caught:
            EXACT.to_frame(library=name)  # type: ignore[arg-type]
        assert f"pip install 'ipa-reference[{name}]', or ask for library='{other}'" in str(
            caught.value
        )
    with pytest.raises(ParameterError, match="library must be pandas or polars, not 'dask'"):
        EXACT.to_frame(library="dask")  # type: ignore[arg-type]


@pytest.mark.usefixtures("libraries")
def test_a_sweep_over_caps_is_in_the_unit_of_the_table() -> None:
    events = fresh().encode([SOURCE, TRIGGER])
    sweep = ipa.sweep_caps(events, NOISY, [30, "0.05", 30, Decimal(5)], ENCODER)
    assert list(sweep.plans) == plan_caps(events, NOISY, [5, 500, 3000])
    assert sweep.best_cap == min(sweep.plans, key=lambda plan: plan.error).cap * Decimal("0.01")
    frame: Any = sweep.to_frame()
    _, columns = frame
    assert list(columns) == ["cap", "kept", "bias", "noise", "error"]
    assert columns["cap"] == [0.05, 5.0, 30.0]
    for name in ("bias", "noise", "error"):
        assert columns[name] == [getattr(plan, name) * 0.01 for plan in sweep.plans]
    assert columns["kept"] == [plan.kept for plan in sweep.plans]
    plain: Any = ipa.sweep_caps(events, NOISY, [5]).to_frame(library="polars")
    assert plain[0] == "polars"
    assert plain[1]["cap"] == [5]
    assert plain[1]["noise"] == [sweep.plans[0].noise]
    with pytest.raises(ParameterError, match=r"cap must be a whole number of steps of 0.01"):
        ipa.sweep_caps(events, NOISY, ["0.001"], ENCODER)


def test_from_a_frame_of_pandas_to_a_frame_of_sums() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([SOURCE, TRIGGER])
    frame["time"] = pandas.to_datetime(frame["time"])
    for table in (frame, frame.convert_dtypes(), frame.astype({"campaign": "category"})):
        events = fresh().encode(table)
        assert events == fresh().encode([SOURCE, TRIGGER])
    result = ipa.run_query(events, ENCODER.parameters(cap=20), no_noise=True)
    sums: Any = result.to_frame(ENCODER)
    expected = {"campaign": ["spring", "letter", "other"], "sum": [0.0, 19.99, 0.0]}
    assert sums.equals(pandas.DataFrame(expected))
    naive = fresh(start=SOURCE["time"].replace(day=1, hour=0, minute=0, second=0, tzinfo=None))
    for unit in ("s", "ms", "us", "ns"):
        table = frame.assign(time=frame["time"].dt.tz_localize(None).astype(f"datetime64[{unit}]"))
        assert [event.timestamp for event in naive.encode(table)] == [90, 86_400]
    (event,) = fresh(value_step="0.01").encode(frame[1:].assign(value=19.99))
    assert event == ENCODER.encode([SOURCE, TRIGGER])[1]


def test_from_a_frame_of_polars_to_a_frame_of_sums() -> None:
    polars = pytest.importorskip("polars")
    rows = [SOURCE, {**TRIGGER, "campaign": None}]
    frame = polars.DataFrame(rows, infer_schema_length=None)
    assert fresh().encode(frame) == fresh().encode([SOURCE, TRIGGER])
    sums: Any = EXACT.to_frame(ENCODER, library="polars")
    assert sums.to_dict(as_series=False) == {
        "campaign": ["spring", "letter", "other"],
        "sum": [19.99, 0.05, 0.0],
    }


def test_times_of_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    naive = fresh(start=ENCODER.start.replace(tzinfo=None) if ENCODER.start else None)
    for time in ("2026-03-01T00:01:30", "2026-03-01T00:01:30.999999999"):
        assert naive.encode([{**SOURCE, "time": numpy.datetime64(time)}])[0].timestamp == 90
    (event,) = fresh().encode([{**TRIGGER, "value": numpy.float32(19.99)}])
    assert event == fresh().encode([TRIGGER])[0]
