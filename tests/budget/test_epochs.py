"""The clock of epochs: to the second, and in words."""

from typing import Any

import pytest

from ipa.budget.epochs import LAST_SECOND, WEEK, EpochClock, seconds_from_utc_text, utc_text
from ipa.errors import BudgetError, ParameterError

CLOCK = EpochClock(start=1_000, seconds=100, open_epochs=2)


@pytest.mark.parametrize(
    ("now", "epoch"), [(999, -1), (0, -10), (1_000, 0), (1_099, 0), (1_100, 1), (1_950, 9)]
)
def test_the_running_epoch(now: int, epoch: int) -> None:
    assert CLOCK.epoch_at(now) == epoch


def test_an_epoch_is_a_week_and_its_budget_open_for_another_unless_said_otherwise() -> None:
    clock = EpochClock(start=0)
    assert (clock.seconds, clock.open_epochs) == (7 * 86_400, 1) == (WEEK, 1)
    assert clock.closes_at(0) == 2 * WEEK


def test_a_budget_is_open_from_the_first_second_of_its_epoch_to_the_last_one_before_it_closes() -> (
    None
):
    """Epoch 3 runs from 1300, and two more epochs follow it."""
    assert (CLOCK.begins_at(3), CLOCK.closes_at(3)) == (1_300, 1_600)
    for now in (1_300, 1_399, 1_400, 1_599):
        CLOCK.check_open(3, now)
    with pytest.raises(BudgetError, match="epoch 3 has not begun: it begins 1970-01-01T00:21:40Z"):
        CLOCK.check_open(3, 1_299)
    with pytest.raises(BudgetError, match="epoch 3 is closed since 1970-01-01T00:26:40Z"):
        CLOCK.check_open(3, 1_600)
    with pytest.raises(BudgetError, match="epoch 4000000000 has not begun"):
        CLOCK.check_open(4_000_000_000, 1_600)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_site_commits_before_the_epoch_or_in_its_first_one(is_first: bool) -> None:
    committed = []
    for epoch in range(8):
        try:
            CLOCK.check_can_be_committed(epoch, 1_300, is_first=is_first)
        except BudgetError:
            continue
        committed.append(epoch)
    assert committed == ([3, 4] if is_first else [4])


def test_before_the_first_epoch_only_it_can_be_committed_to() -> None:
    CLOCK.check_can_be_committed(0, 999, is_first=True)
    for epoch, now in ((1, 999), (0, 899)):
        with pytest.raises(BudgetError, match="begins"):
            CLOCK.check_can_be_committed(epoch, now, is_first=True)


@pytest.mark.parametrize(
    "changed",
    [
        *({"start": value} for value in (-1, LAST_SECOND + 1, 1.0, True)),
        *({"seconds": value} for value in (0, -1, LAST_SECOND + 1, 1.5)),
        *({"open_epochs": value} for value in (-1, 1 << 32, None)),
    ],
)
def test_clocks_that_cannot_be(changed: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="epoch"):
        EpochClock(**{"start": 0} | changed)


def test_times_in_words() -> None:
    assert utc_text(0) == "1970-01-01T00:00:00Z"
    assert utc_text(LAST_SECOND) == "9999-12-31T23:59:59Z"
    assert utc_text(LAST_SECOND + 1) == "after 9999"
    assert utc_text(-1) == "before 1970"


@pytest.mark.parametrize("seconds", [0, 1_700_000_000, LAST_SECOND])
def test_a_time_is_read_as_it_was_written(seconds: int) -> None:
    assert seconds_from_utc_text(utc_text(seconds)) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13:20+00:00", "after 9999"),
        *("2023-1-14T22:13:20Z", "2023-02-30T22:13:20Z", "1969-12-31T23:59:59Z", 0, None, []),
    ],
)
def test_another_text_is_no_time(text: object) -> None:
    with pytest.raises(ParameterError, match="a time must be in UTC, such as 1970-01-01T00:00:00Z"):
        seconds_from_utc_text(text)
