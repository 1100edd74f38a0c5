"""What newcomers get wrong with events, and what they are told."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ipa import query_sql, run_query, share_events, simulated_network
from ipa.errors import EventError, InputError, ParameterError
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
from ipa.parameters import QueryParameters
from ipa.sharing.randomness import Randomness

HEADER = "report,match_key,attribution_constraint_id,timestamp,breakdown_key,trigger_value\n"
EVENTS: list[Event] = [SourceEvent(7, 1, 10, 3), TriggerEvent(7, 1, 20, 250)]
ROWS = "source,7,1,10,3,\ntrigger,7,1,20,,250\n"
PARAMETERS = QueryParameters(
    breakdowns=5,
    cap=1,
    match_key_bits=8,
    attribution_constraint_id_bits=2,
    timestamp_bits=5,
    value_bits=9,
)


def test_csv_is_read_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "é.csv"
    site = "\ufeff" + HEADER.replace("\n", ",site\n") + "source,7,1,10,3,,ф.example\n"
    path.write_text(site, encoding="utf-8")
    for file in (path, str(path)):
        assert read_events_csv(file) == [SourceEvent(7, 1, 10, 3, "ф.example")]
    path.write_text(HEADER + "view,7,1,10,3,\n", encoding="utf-8")
    with pytest.raises(EventError) as caught:
        read_events_csv(path)
    assert str(caught.value).startswith(f"{path}: row 1: report: ")
    with pytest.raises(EventError, match=r"^mine: row 1"):
        read_events_csv(path, "mine")
    for missing in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError) as failed:
            read_events_csv(missing)
        assert str(failed.value).startswith(f"{missing}: cannot be read: ")
    with pytest.raises(InputError, match="this is CSV itself"):
        read_events_csv(HEADER + ROWS)


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (";", ", and not by semicolons"),
        ("\t", ", and not by tabs"),
        ("|", ", and not by bars"),
        (" ", ", and not by spaces"),
        ("-", ""),
    ],
)
def test_one_column_that_holds_them_all(mark: str, said: str) -> None:
    with pytest.raises(EventError) as caught:
        read_events_csv(io.StringIO((HEADER + ROWS).replace(",", mark)), "e.csv")
    assert (
        str(caught.value)
        == f"e.csv: one column holds them all: columns are separated by commas{said}"
    )


@pytest.mark.parametrize(
    ("time", "unit"),
    [
        (10**11, "milliseconds"),
        (1_700_000_000_000, "milliseconds"),
        (10**14 - 1, "milliseconds"),
        (10**14, "microseconds"),
        (1_700_000_000_000_000, "microseconds"),
        (10**17, "nanoseconds"),
        (1_700_000_000_000_000_000, "nanoseconds"),
        (2**63 - 1, "nanoseconds"),
        (10**11 - 1, None),
        (2**63, None),
    ],
)
def test_times_in_smaller_units_than_seconds_are_recognised(time: int, unit: str | None) -> None:
    said = f": these look like {unit} since 1970, and timestamps are seconds" if unit else ""
    expected = f"row 1: timestamp: must be an integer from 0 to 4294967295{said}"
    with pytest.raises(EventError) as caught:
        check_events([SourceEvent(7, 1, time, 0)], QueryParameters(breakdowns=1, cap=1))
    assert str(caught.value) == expected
    wide = QueryParameters(breakdowns=1, cap=1, timestamp_bits=64)
    check_events([SourceEvent(7, 1, time, 0)], wide)
    with pytest.raises(EventError) as other:
        check_events([SourceEvent(7, time, 1, 0)], QueryParameters(breakdowns=1, cap=1))
    assert "look like" not in str(other.value)


def test_sites_are_registrable_domains_where_somebody_tells_them() -> None:
    asked: list[str] = []

    def registrable_domain(host: str) -> str | None:
        asked.append(host)
        return host.partition(".")[2] if host.startswith("www.") else None

    hosts = ["www.a.example", "", "www.a.example", "app:com.A"]
    row: Mapping[str, object] = dict(zip(COLUMNS[:5], ["source", 7, 1, 10, 3], strict=True))
    rows = [{**row, "site": host} for host in hosts]
    events = events_from_mappings(rows, registrable_domain=registrable_domain)
    assert [event.site for event in events] == ["a.example", "", "a.example", "app:com.A"]
    assert asked == ["www.a.example"]  # each host once
    stream = io.StringIO()
    write_events_csv(events_from_mappings(rows), stream)
    stream.seek(0)
    assert read_events_csv(stream, registrable_domain=registrable_domain) == events
    rows[2]["site"] = "com"
    with pytest.raises(EventError, match=r"^row 3: site: com is no site"):
        events_from_mappings(rows, registrable_domain=registrable_domain)
    assert events_from_mappings(rows)[2].site == "com"


def test_check_events_takes_events_only() -> None:
    with pytest.raises(EventError, match="row 1: must be a SourceEvent or a TriggerEvent, not int"):
        check_events([7], PARAMETERS)  # type: ignore[list-item]
    network = simulated_network(seed=1)
    for use in (
        lambda events: check_events(events, PARAMETERS),
        lambda events: run_query(events, PARAMETERS, no_noise=True),
        lambda events: query_sql(events, PARAMETERS),
        lambda events: share_events(network, events, PARAMETERS, Randomness()),
    ):
        with pytest.raises(
            EventError, match=r"row 2: .* not dict: events_from_mappings makes them"
        ):
            use([EVENTS[0], {"report": "source"}])


def test_parameters_are_no_dictionary() -> None:
    network = simulated_network(seed=1)
    parameters: Any = {"breakdowns": 4, "cap": 10}
    for use in (
        lambda: check_events(EVENTS, parameters),
        lambda: run_query(EVENTS, parameters, no_noise=True),
        lambda: query_sql(EVENTS, parameters),
        lambda: share_events(network, EVENTS, parameters, Randomness()),
    ):
        with pytest.raises(ParameterError, match=r"not dict: QueryParameters\(\*\*dictionary\)"):
            use()
