"""The clock of epochs: when each begins, and how long its budget can be spent.

Spec: Other Key Terms ("a set period of time, e.g., a week"). All helper party networks that share a
commitment board have one clock (SPEC_NOTES: epoch-clock).
"""

import reprlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ipa.errors import BudgetError, ParameterError
from ipa.names import MAX_EPOCH
from ipa.ranges import check_integer

WEEK = 7 * 24 * 60 * 60
"""A week in seconds."""

LAST_SECOND = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
"""The last second, in Unix time, that has a date."""

_UTC_FORM = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True)
class EpochClock:
    """When epochs begin and how long their budgets stay open, in whole seconds of Unix time.

    Epoch e begins at `start` + e * `seconds` and ends when the next one begins. Its budget can be
    spent from its beginning until `open_epochs` further epochs have ended: reports that were made in
    the last second of an epoch still need time to be collected and asked about. From then on every
    query over it is refused, so a key that was used in no later epoch can be retired.

    Raises: ParameterError for a number out of range.
    """

    start: int
    seconds: int = WEEK
    open_epochs: int = 1

    def __post_init__(self) -> None:
        check_integer("epoch start", self.start, 0, LAST_SECOND)
        check_integer("epoch seconds", self.seconds, 1, LAST_SECOND)
        check_integer("open epochs", self.open_epochs, 0, MAX_EPOCH)

    def epoch_at(self, now: int) -> int:
        """The epoch that is running at the time; below 0 before the clock's start."""
        return (now - self.start) // self.seconds

    def begins_at(self, epoch: int) -> int:
        """When the epoch begins."""
        return self.start + epoch * self.seconds

    def closes_at(self, epoch: int) -> int:
        """When the epoch's budget closes: at this moment nothing can be charged to it any more."""
        return self.begins_at(epoch + 1 + self.open_epochs)

    def check_open(self, epoch: int, now: int) -> None:
        """Check that the epoch's budget can be spent at the time.

        Raises: BudgetError that says when the epoch begins, or when its budget closed.
        """
        if epoch > self.epoch_at(now):
            raise BudgetError(
                f"epoch {epoch} has not begun: it begins {utc_text(self.begins_at(epoch))}"
            )
        if now >= self.closes_at(epoch):
            raise BudgetError(
                f"the budget of epoch {epoch} is closed since {utc_text(self.closes_at(epoch))}"
            )

    def check_can_be_committed(self, epoch: int, now: int, *, is_first: bool) -> None:
        """Check that a site can commit for the epoch at the time.

        It can for the next epoch, and for the running one if it `is_first`: if the site has no
        allocation that was carried over into it.

        Raises: BudgetError that says which epochs can be committed to.
        """
        running = self.epoch_at(now)
        if epoch == running + 1 or (epoch == running and is_first):
            return
        if epoch == running:
            raise BudgetError(
                f"epoch {epoch} has begun with the allocation that was carried over into it; "
                f"a new one can be for epoch {running + 1}"
            )
        raise BudgetError(
            f"a commitment can be for epoch {running + 1}, the next one, or by a new site for the one "
            f"that is running; not for epoch {epoch}, which begins {utc_text(self.begins_at(epoch))}"
        )


def utc_text(seconds: int) -> str:
    """A time of Unix in ISO 8601, in UTC."""
    if not 0 <= seconds <= LAST_SECOND:
        return "before 1970" if seconds < 0 else "after 9999"
    return datetime.fromtimestamp(seconds, UTC).strftime(_UTC_FORM)


def seconds_from_utc_text(text: object) -> int:
    """The time of Unix that `utc_text` writes so.

    Raises: ParameterError for anything else.
    """
    with suppress(ValueError):
        if isinstance(text, str):
            seconds = int(datetime.strptime(text, _UTC_FORM).replace(tzinfo=UTC).timestamp())
            if utc_text(seconds) == text:
                return seconds
    raise ParameterError(f"a time must be in UTC, such as {utc_text(0)}, not {reprlib.repr(text)}")
