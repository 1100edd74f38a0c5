"""A ledger whose budgets belong to buckets of people and time, and whose charges touch many at once.

The ledger of attribution (ipa/budget/ledger.py) has one budget for a site, an epoch and a report
collector: shares of what a site commits, in epochs that a clock opens. A measurement of reach asks
about many days and a slice of all people, and what it may learn of one bucket says nothing of
another. So here the key of a budget is a bucket, every bucket of every consumer is granted the same,
and a charge is for all of its buckets or for none (docs/halo.md says why). File, units,
composition and guards are those of the other ledger (ipa/budget/append_only.py): the file only grows,
what was spent is the sum of what is on record, a charge is on disk when `charge` returns and is never
taken back.

All methods may be called from any number of processes and threads at once. Beside what its own
docstring says, each raises InputError if the file is missing, damaged, not such a ledger or of
another version, and BudgetError if it stays locked.
"""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ipa.budget.append_only import FileKind, create_file, reading, writing
from ipa.budget.commitment_tables import exact
from ipa.budget.composition import EpsilonDelta, composed, exceeded
from ipa.budget.delta import exact_delta, from_atto, to_atto
from ipa.budget.epsilon import exact_epsilon, to_micro
from ipa.errors import BudgetError, ParameterError
from ipa.names import check_identifier
from ipa.ranges import check_integer

MAX_NUMBER = (1 << 31) - 1
"""The last day, and the last slice."""

_OF_BUCKET = "consumer = {0}consumer AND day = {0}day AND people = {0}people AND slice = {0}slice"
_SPENT = """(SELECT coalesce(sum({0}), 0) FROM touched JOIN charge ON charge.number = touched.charge
    WHERE {1})"""
_LAST = "(SELECT coalesce(max(number), 0) FROM charge)"
_PLACES = "(SELECT coalesce(max(place), 0) FROM touched WHERE charge = {0})"

KIND = FileKind(
    name="bucket ledger",
    application_id=0x4950414B,  # "IPAK"
    version=1,
    # Every epsilon is in millionths, every delta in units of 10^-18.
    tables={
        "settings": """epsilon INTEGER NOT NULL CHECK (epsilon > 0),
            delta INTEGER NOT NULL CHECK (delta >= 0)""",
        # `buckets` says how many rows of `touched` belong to the charge, so that none can be added.
        "charge": """number INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE,
            epsilon INTEGER NOT NULL CHECK (epsilon > 0),
            delta INTEGER NOT NULL CHECK (delta >= 0),
            buckets INTEGER NOT NULL CHECK (buckets > 0)""",
        "touched": """charge INTEGER NOT NULL, place INTEGER NOT NULL, consumer TEXT NOT NULL,
            day INTEGER NOT NULL, people TEXT NOT NULL, slice INTEGER NOT NULL,
            PRIMARY KEY (charge, place), UNIQUE (consumer, day, people, slice, charge)""",
    },
    # A charge is the next one, after one that has all of its buckets. A bucket is the next one of the
    # last charge, and has enough left for it, with the charge itself in the sum.
    refused={
        "settings": "EXISTS (SELECT 1 FROM settings)",
        "charge": f"""EXISTS (SELECT 1 FROM charge WHERE reference = NEW.reference)
            OR NEW.number != {_LAST} + 1
            OR EXISTS (SELECT 1 FROM charge WHERE number = {_LAST}
                AND buckets != {_PLACES.format(_LAST)})""",
        "touched": f"""NEW.charge != {_LAST}
            OR NEW.place != {_PLACES.format("NEW.charge")} + 1
            OR NEW.place > (SELECT buckets FROM charge WHERE number = NEW.charge)
            OR EXISTS (SELECT 1 FROM touched
                WHERE {_OF_BUCKET.format("NEW.")} AND charge = NEW.charge)
            OR (SELECT epsilon FROM charge WHERE number = NEW.charge)
                + {_SPENT.format("epsilon", _OF_BUCKET.format("NEW."))}
                > (SELECT epsilon FROM settings)
            OR (SELECT delta FROM charge WHERE number = NEW.charge)
                + {_SPENT.format("delta", _OF_BUCKET.format("NEW."))}
                > (SELECT delta FROM settings)""",
    },
    indexes={},
)


@dataclass(frozen=True, order=True)
class Bucket:
    """What one consumer may learn about the people of a group and slice on one day.

    Raises: ParameterError for a malformed name, or a number out of range.
    """

    consumer: str
    day: int
    people: str
    slice: int

    def __post_init__(self) -> None:
        check_identifier("consumer", self.consumer)
        check_identifier("people", self.people)
        check_integer("day", self.day, 0, MAX_NUMBER)
        check_integer("slice", self.slice, 0, MAX_NUMBER)


@dataclass(frozen=True)
class BucketCharge:
    """What a measurement costs in each of its buckets.

    Raises: ParameterError without a bucket, or for an epsilon or delta that is not in whole units.
    """

    buckets: frozenset[Bucket]
    epsilon: Fraction
    delta: Fraction

    def __post_init__(self) -> None:
        if not self.buckets:
            raise ParameterError("a charge needs at least one bucket")
        exact_epsilon(self.epsilon)
        exact_delta(self.delta)

    @property
    def promise(self) -> EpsilonDelta:
        """Epsilon and delta, as what the budget composes."""
        return EpsilonDelta(epsilon=self.epsilon, delta=self.delta)


@dataclass(frozen=True)
class BucketLedger:
    """A ledger of buckets: its file. Any number of consumers share it."""

    path: Path

    @classmethod
    def create(cls, path: Path, granted: EpsilonDelta) -> "BucketLedger":
        """Create a ledger that grants so much to every bucket.

        Doing it again with the same grant changes nothing.

        Raises: ParameterError for a grant that is not in whole units; BudgetError if there is a ledger
            with another.
        """
        row = to_micro(exact_epsilon(granted.epsilon)), to_atto(exact_delta(granted.delta))
        create_file(path, KIND, row)
        ledger = cls(path)
        if ledger.granted != granted:
            raise BudgetError(f"{path}: there is a bucket ledger that grants something else")
        return ledger

    @property
    def granted(self) -> EpsilonDelta:
        """What each bucket may spend."""
        with reading(self.path, KIND) as file:
            return _granted(file)

    def charge(self, reference: str, charge: BucketCharge) -> None:
        """Take the charge from all of its buckets; on disk when this returns.

        A reference that was charged before is refused, and not taken for paid: noise drawn again
        costs again.

        Cost: one transaction; about 20 us and 60 bytes a bucket.
        Raises: ParameterError for a malformed reference. BudgetError, with nothing taken, for one that
            was charged, or when a bucket has too little left.
        """
        check_identifier("reference", reference)
        buckets = sorted(charge.buckets)
        with writing(self.path, KIND) as file:
            found = file.execute("SELECT 1 FROM charge WHERE reference = ?", (reference,))
            if found.fetchone():
                raise BudgetError(
                    f"{reference} was charged already; another run needs another reference"
                )
            granted = _granted(file)
            for bucket in buckets:
                _check_payable(reference, charge.promise, bucket, _spent(file, bucket), granted)
            number = _insert_charge(file, reference, charge)
            file.executemany(
                "INSERT INTO touched VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (number, place, bucket.consumer, bucket.day, bucket.people, bucket.slice)
                    for place, bucket in enumerate(buckets, start=1)
                ],
            )

    def spent(self, bucket: Bucket) -> EpsilonDelta:
        """What the bucket has spent."""
        with reading(self.path, KIND) as file:
            return _spent(file, bucket)

    def charges(self) -> dict[str, BucketCharge]:
        """Every charge by its reference, in the order of charging."""
        with reading(self.path, KIND) as file:
            buckets = defaultdict(list)
            rows = file.execute("SELECT charge, consumer, day, people, slice FROM touched")
            for number, *bucket in rows:
                buckets[number].append(Bucket(*bucket))
            rows = file.execute(
                "SELECT number, reference, epsilon, delta FROM charge ORDER BY number"
            )
            return {
                reference: BucketCharge(frozenset(buckets[number]), exact(micro), from_atto(atto))
                for number, reference, micro, atto in rows
            }


def _granted(file: sqlite3.Connection) -> EpsilonDelta:
    micro, atto = file.execute("SELECT epsilon, delta FROM settings").fetchone()
    return EpsilonDelta(epsilon=exact(micro), delta=from_atto(atto))


def _spent(file: sqlite3.Connection, bucket: Bucket) -> EpsilonDelta:
    micro, atto = file.execute(
        "SELECT coalesce(sum(epsilon), 0), coalesce(sum(delta), 0) "
        "FROM touched JOIN charge ON charge.number = touched.charge "
        "WHERE consumer = ? AND day = ? AND people = ? AND slice = ?",
        (bucket.consumer, bucket.day, bucket.people, bucket.slice),
    ).fetchone()
    return EpsilonDelta(epsilon=exact(micro), delta=from_atto(atto))


def _check_payable(
    reference: str,
    promise: EpsilonDelta,
    bucket: Bucket,
    spent: EpsilonDelta,
    granted: EpsilonDelta,
) -> None:
    after = composed([spent, promise])
    if name := exceeded(after, granted):
        raise BudgetError(
            f"{reference} asks for more {name} than {bucket.consumer} has left on day {bucket.day} "
            f"for people {bucket.people}, slice {bucket.slice}"
        )


def _insert_charge(file: sqlite3.Connection, reference: str, charge: BucketCharge) -> int:
    (number,) = file.execute(f"SELECT {_LAST} + 1").fetchone()
    file.execute(
        "INSERT INTO charge VALUES (?, ?, ?, ?, ?)",
        (
            number,
            reference,
            to_micro(charge.epsilon),
            to_atto(charge.delta),
            len(charge.buckets),
        ),
    )
    assigned: int = number
    return assigned
