"""Impressions in and out of CSV, selections, the workload."""

import io
from collections import Counter

import pytest
from halo_cases import IMPRESSIONS
from hypothesis import given

from ipa.errors import EventError, ParameterError
from ipa.halo.impressions import (
    COLUMNS,
    MAX_DAY,
    Impression,
    Selection,
    check_impressions,
    read_impressions_csv,
    select,
    write_impressions_csv,
)
from ipa.halo.workload import TELEVISION, generate_impressions

HEADER = "person,publisher,campaign,medium,day\n"
ROW = "7,alpha,spring,video,3\n"
SEVEN = Impression("7", "alpha", "spring", "video", 3)


@given(IMPRESSIONS)
def test_what_is_written_is_read(impressions: list[Impression]) -> None:
    stream = io.StringIO()
    write_impressions_csv(impressions, stream)
    assert read_impressions_csv(io.StringIO(stream.getvalue())) == impressions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEADER, []),
        (HEADER + ROW, [SEVEN]),
        (HEADER + ROW + "\n", [SEVEN]),
        ("\ufeff" + HEADER + ROW, [SEVEN]),
        ((HEADER + ROW).replace("\n", "\r\n"), [SEVEN]),
        ("day,person,medium,campaign,publisher\n003,7,video,spring,alpha", [SEVEN]),
        (HEADER + f'"a, b",x,y,z,{MAX_DAY}\n', [Impression("a, b", "x", "y", "z", MAX_DAY)]),
    ],
)
def test_what_is_accepted(text: str, expected: list[Impression]) -> None:
    assert read_impressions_csv(io.StringIO(text, newline="")) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no header"),
        ("person,publisher,campaign,medium\n", "day: column is missing"),
        (HEADER.replace("day", "date"), "unknown column 'date'"),
        (HEADER.replace("day", "person"), "person: column appears twice"),
        (HEADER + ROW + "8,alpha,spring\n", "row 2: 3 fields, must have 5"),
        (HEADER + "\n" + ROW, "row 1: 0 fields"),
        (HEADER + ROW + "\n\n", "row 2: 0 fields"),
        (HEADER.replace(",", ";") + ROW, "one column holds them all"),
        (HEADER + ROW + "7,alpha,spring,video,-3\n", "row 2: day: must be a decimal integer"),
        (HEADER + f"7,alpha,spring,video,{MAX_DAY + 1}\n", "row 1: day"),
        (HEADER + "7,alpha,spring,video,\n", "row 1: day"),
        (HEADER + "7,alpha,spring,video,1_0\n", "row 1: day"),
        (HEADER + "7,alpha,spring,video,٣\n", "row 1: day"),
        (HEADER + f"7,alpha,spring,video,{'9' * 5000}\n", "row 1: day"),
        (HEADER + ",alpha,spring,video,3\n", "row 1: person: must be 1 to 255"),
        (HEADER + "7,alpha,sp\ting,video,3\n", "row 1: campaign: must be"),
        (HEADER + "7,alpha,spring," + "x" * 256 + ",3\n", "row 1: medium: must be"),
        (HEADER + '7,alpha,"spring,video,3\n', "row 1: not CSV"),
    ],
)
def test_what_is_refused_names_row_and_field(text: str, said: str) -> None:
    with pytest.raises(EventError, match=f"^file: {said}"):
        read_impressions_csv(io.StringIO(text, newline=""), "file")


@pytest.mark.parametrize(
    ("impression", "field"),
    [
        (Impression("", "a", "b", "c", 1), "person"),
        (Impression("1", "a", "b", 5, 1), "medium"),  # type: ignore[arg-type]
        (Impression("1", "a", "b", "c", -1), "day"),
        (Impression("1", "a", "b", "c", True), "day"),
        (("1", "a", "b", "c", 1), "must be an Impression"),
    ],
)
def test_impressions_made_in_python_are_checked(impression: Impression, field: str) -> None:
    with pytest.raises(EventError, match=f"row 2: {field}"):
        check_impressions([SEVEN, impression])
    check_impressions([SEVEN])


def test_a_selection_goes_by_every_field() -> None:
    chosen = [
        Selection(publishers=frozenset(["alpha"])),
        Selection(campaigns=frozenset(["spring"])),
        Selection(media=frozenset(["video"])),
        Selection(days=(3, 3)),
    ]
    others = [
        Impression("7", "beta", "spring", "video", 3),
        Impression("7", "alpha", "summer", "video", 3),
        Impression("7", "alpha", "spring", "tv", 3),
        Impression("7", "alpha", "spring", "video", 4),
    ]
    for place, selection in enumerate(chosen):
        kept = [other for number, other in enumerate(others) if number != place]
        assert select([SEVEN, *others], [selection]) == [SEVEN, *kept]
    assert select([SEVEN, SEVEN], chosen) == [SEVEN, SEVEN]
    assert Selection(days=(2, 3)).matches(SEVEN)
    assert not Selection(days=(0, 2)).matches(SEVEN)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((3, 2), "days must run from a first to a last"),
        ((-1, 2), "a day must be an integer from 0"),
        ((0, MAX_DAY + 1), "a day must be an integer from 0"),
    ],
)
def test_days_are_an_interval(days: tuple[int, int], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Selection(days=days)


def test_the_workload_is_heavy_tailed_and_overlaps() -> None:
    impressions = generate_impressions(3000, persons=600, publishers=3, seed=5)
    check_impressions(impressions)
    assert impressions == generate_impressions(3000, persons=600, publishers=3, seed=5)
    assert impressions != generate_impressions(3000, persons=600, publishers=3, seed=6)
    times = Counter(item.person for item in impressions)
    assert max(times.values()) > 5 * len(impressions) / len(times)
    audiences = {
        name: {item.person for item in impressions if item.publisher == name}
        for name in ("publisher-1", "publisher-2", "publisher-3")
    }
    assert {item.publisher for item in impressions} == set(audiences)
    first, second, panel = audiences.values()
    assert first & second and first & panel and second - first and first - second
    assert len(panel) < 0.2 * len(times)
    assert {item.medium for item in impressions if item.publisher == "publisher-3"} == {TELEVISION}


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("publishers", [1, 2])
def test_small_workloads(count: int, publishers: int) -> None:
    impressions = generate_impressions(count, publishers=publishers, campaigns=1, days=1)
    assert len(impressions) == count
    check_impressions(impressions)
    assert {item.day for item in impressions} <= {0}


@pytest.mark.parametrize("name", ["persons", "publishers", "campaigns", "days", "seed"])
def test_the_workload_checks_its_arguments(name: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} must be an integer of at least"):
        generate_impressions(5, **{name: -1})
    with pytest.raises(ParameterError, match="count must be an integer"):
        generate_impressions(-1)


def test_the_columns() -> None:
    assert ",".join(COLUMNS) + "\n" == HEADER
