"""Events as CSV: what is written is read; each kind of bad input names row and field."""

import io
import math

import pytest
from event_cases import EVENTS, LARGEST, PARAMETERS
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from ipa.errors import EventError
from ipa.events import (
    COLUMNS,
    Event,
    SourceEvent,
    TriggerEvent,
    check_events,
    events_from_mappings,
    read_events_csv,
    write_events_csv,
)

HEADER = "report,match_key,attribution_constraint_id,timestamp,breakdown_key,trigger_value\n"
ROWS = "source,7,1,10,3,\ntrigger,7,1,20,,250\n"
ANY_NUMBER = "must be a decimal integer from 0, digits only"

match_keys = st.integers(0, 2**256 - 1)
numbers = st.integers(0, 2**64 - 1)
breakdown_keys = st.integers(0, 2**20 - 1)
sites = st.text(max_size=6).filter(str.isprintable) | st.sampled_from(['"a", b', "é ,"])
sources: st.SearchStrategy[Event] = st.builds(
    SourceEvent, match_keys, numbers, numbers, breakdown_keys, sites
)
triggers: st.SearchStrategy[Event] = st.builds(
    TriggerEvent, match_keys, numbers, numbers, numbers, sites
)


def read(text: str, name: str = "") -> list[Event]:
    return read_events_csv(io.StringIO(text, newline=""), name)


def read_error(text: str, name: str = "e.csv") -> EventError:
    with pytest.raises(EventError) as caught:
        read(text, name)
    assert caught.value.source == name
    assert "\n" not in str(caught.value)
    return caught.value


@examples(50)
@given(st.lists(sources | triggers))
def test_what_is_written_is_read(events: list[Event]) -> None:
    stream = io.StringIO(newline="")
    write_events_csv(events, stream)
    assert ("site" in stream.getvalue().splitlines()[0]) == any(event.site for event in events)
    stream.seek(0)
    assert read_events_csv(stream, "e.csv") == events


def test_written_csv_is_the_documented_one() -> None:
    stream = io.StringIO()
    write_events_csv(EVENTS, stream)
    assert stream.getvalue() == HEADER + ROWS
    assert ",".join(COLUMNS) + "\n" == HEADER


def test_byte_order_mark_crlf_quotes_and_missing_last_newline() -> None:
    text = HEADER + ROWS
    for variant in (
        "\ufeff" + text,
        text.replace("\n", "\r\n"),
        "\ufeff" + text.replace("report", '"report"').replace("source", '"source"'),
        text.removesuffix("\n"),
    ):
        assert read(variant) == EVENTS


@given(st.permutations(range(7)))
@examples(30)
def test_columns_may_be_in_any_order(order: list[int]) -> None:
    lines = [line.split(",") for line in (HEADER + ROWS).splitlines()]
    lines = [[*line, site] for line, site in zip(lines, ["site", "a.example", ""], strict=True)]
    text = "".join(",".join(line[i] for i in order) + "\n" for line in lines)
    assert read(text) == [SourceEvent(7, 1, 10, 3, "a.example"), TriggerEvent(7, 1, 20, 250)]


def test_one_blank_line_at_the_very_end_is_fine() -> None:
    for end in ("\n", "\r\n"):
        assert read(HEADER + ROWS + end) == EVENTS
        assert read(HEADER + end) == []
    for text in (ROWS + "\n\n", ROWS + "\n" + ROWS, ROWS + " \n", ROWS + ",\n"):
        error = read_error(HEADER + text)
        assert (error.row, error.field) == (3, None)
        assert error.problem.endswith("must have 6")


def test_no_rows_is_fine() -> None:
    assert read(HEADER) == read(HEADER.rstrip("\n")) == events_from_mappings([]) == []
    check_events([], PARAMETERS)


@pytest.mark.parametrize("field", COLUMNS)
def test_missing_and_repeated_columns(field: str) -> None:
    if field != "attribution_constraint_id":
        error = read_error(HEADER.replace(field, "site") + ROWS)
        assert (error.row, error.field) == (None, field)
        assert str(error) == f"e.csv: {field}: column is missing"
    error = read_error(HEADER.strip() + f",{field}\n" + ROWS)
    assert str(error) == f"e.csv: {field}: column appears twice"


def test_empty_file_and_unknown_column() -> None:
    assert str(read_error("")).startswith("e.csv: no header; must start with report,match_key,")
    assert read_error("\n" + HEADER).problem == "column is missing"
    assert "unknown column 'Report'" in str(read_error(HEADER.replace("report", "Report")))
    assert "unknown column ' timestamp'" in str(read_error(HEADER.replace(",time", ", time")))


@pytest.mark.parametrize("row", ["source,7,1,10,3", "source,7,1,10,3,,", "", "source"])
def test_too_many_or_too_few_fields(row: str) -> None:
    error = read_error(HEADER + ROWS + row + "\n" + ROWS)
    assert (error.row, error.field) == (3, None)
    assert error.problem == f"{len(row.split(',')) if row else 0} fields, must have 6"


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1_0", " 1", "1 ", "1.0", "1e3", "0x1", "²", "٣", "one", "-" * 79]
)
@pytest.mark.parametrize("kind", ["source", "trigger"])
@pytest.mark.parametrize("column", range(1, 5))
def test_numbers_are_decimal_digits_only(text: str, kind: str, column: int) -> None:
    if text == "" and COLUMNS[column] == "attribution_constraint_id":
        return  # it may be left out
    fields = [kind, "1", "1", "1", "1", ""] if kind == "source" else [kind, "1", "1", "1", "", "1"]
    column += column == 4 and kind == "trigger"
    fields[column] = text
    error = read_error(HEADER + ROWS + ",".join(fields) + "\n")
    assert (error.row, error.field) == (3, COLUMNS[column])
    assert str(error) == f"e.csv: row 3: {COLUMNS[column]}: {ANY_NUMBER}"


@pytest.mark.parametrize("field", LARGEST)
@pytest.mark.parametrize("zeros", ["", "0", "0" * 5000])
def test_a_number_too_large_for_any_query_is_told_the_largest(field: str, zeros: str) -> None:
    kind, other = ("trigger", 4) if field == "trigger_value" else ("source", 5)
    largest, shown = LARGEST[field]

    def line(number: str) -> str:
        fields = [kind, "1", "1", "1", "1", "1"]
        fields[other] = ""
        fields[COLUMNS.index(field)] = zeros + number
        return HEADER + ",".join(fields) + "\n"

    (event,) = read(line(str(largest)))
    assert getattr(event, field) == largest
    expected = f"e.csv: row 1: {field}: too large: must be an integer from 0 to {shown}"
    for number in (str(largest + 1), "9" * 104, "9" * 5000):
        assert str(read_error(line(number))) == expected
    record = {"report": kind, **dict.fromkeys(COLUMNS[1:4], 0), COLUMNS[9 - other]: 0}
    with pytest.raises(EventError) as caught:
        events_from_mappings([{**record, field: largest + 1}])
    assert str(caught.value) == expected.removeprefix("e.csv: ")


@pytest.mark.parametrize("row", ["source,7,1,10,3,0", "trigger,7,1,20,0,250", "trigger,7,1,20, ,5"])
def test_a_field_that_does_not_apply_must_be_empty(row: str) -> None:
    error = read_error(HEADER + row)
    kind, field = ("source", COLUMNS[5]) if row.startswith("s") else ("trigger", COLUMNS[4])
    assert str(error) == f"e.csv: row 1: {field}: must be empty on a {kind} report"


@pytest.mark.parametrize("kind", ["", "Source", "impression", " trigger"])
def test_unknown_kind_of_report(kind: str) -> None:
    error = read_error(HEADER + ROWS + f"{kind},7,1,10,3,\n", name="")
    assert str(error) == "row 3: report: must be 'source' or 'trigger'"


def test_malformed_csv_and_text() -> None:
    assert read_error('"report"x').row is None
    assert read_error(HEADER + 'source,"7"7,1,10,3,\n').row == 1
    assert read_error(HEADER + ROWS + 'source,"7,1,10,3,\n').row == 3
    assert read_error(HEADER + ROWS + "source," + "7" * 200_000 + ",1,10,3,\n").row == 3
    with pytest.raises(EventError, match="not utf-8 text"):
        read_events_csv(io.TextIOWrapper(io.BytesIO(b"report,\xff"), "utf-8"))


def test_an_attribution_constraint_that_is_left_out_is_zero() -> None:
    expected = [SourceEvent(7, 0, 10, 3), TriggerEvent(7, 0, 20, 250)]
    lines = [line.split(",") for line in (HEADER + ROWS).splitlines()]
    assert lines[0][2] == "attribution_constraint_id"
    without = "".join(",".join(line[:2] + line[3:]) + "\n" for line in lines)
    empty = "".join(",".join([*line[:2], "", *line[3:]]) + "\n" for line in lines[1:])
    assert read(without) == read(HEADER + empty) == expected
    source: dict[str, object] = {"report": "source", "match_key": 7, "timestamp": 10}
    trigger: dict[str, object] = {"report": "trigger", "match_key": 7, "timestamp": 20}
    source["breakdown_key"], trigger["trigger_value"] = 3, 250
    for absent in ({}, *({"attribution_constraint_id": value} for value in (None, "", math.nan))):
        assert events_from_mappings([source | absent, trigger | absent]) == expected
