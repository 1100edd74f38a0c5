"""The public record: who asks for it again and again has it read seldom, and later has it new."""

from pathlib import Path

import pytest
from budget_cases import commit, commitment, new_ledger, pay, query

from ipa.errors import InputError
from ipa.service import public_record
from ipa.service.public_record import REST, PublicRecord


class Clock:
    """A clock that goes on by a second whenever it is looked at."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_a_record_is_read_again_after_a_rest_as_long_as_reading_took(tmp_path: Path) -> None:
    ledger, clock = new_ledger(tmp_path), Clock()
    commit(ledger, commitment())
    record = PublicRecord(clock)
    assert record.of(ledger) == b""
    pay(ledger, query("q-1"))
    clock.now += REST - 2
    assert record.of(ledger) == b""
    assert record.of(ledger).count(b'"q-1"') == 1
    assert record.of(ledger).count(b"\n") == 1


def test_what_cannot_be_read_is_read_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, record = new_ledger(tmp_path), PublicRecord(Clock())

    def failing(*_: object) -> None:
        raise InputError("the disk is gone")

    with monkeypatch.context() as broken, pytest.raises(InputError):
        broken.setattr(public_record, "queries", failing)
        record.of(ledger)
    assert record.of(ledger) == b""
    assert record._good_until > 0
