"""The whole query as one SQL statement run by sqlite3: a second opinion beside `ipa.oracle.steps`.

SQLite's integers are signed 64-bit numbers, too narrow for match keys and for sums. So every number
is a BLOB of 32 bytes, big-endian, which SQL's own `=`, `<`, MIN and ORDER BY compare rightly; exact
arithmetic on them is registered as three functions.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from ipa.events import Event, SourceEvent, check_events
from ipa.parameters import QueryParameters

_NUMBER_BYTES = 32  # match keys have up to 256 bits; a sum of n values has at most 64 + log2(n)

_TABLES = """
CREATE TABLE source_reports (
    id INTEGER PRIMARY KEY,
    match_key BLOB, attribution_constraint_id BLOB, timestamp BLOB, breakdown_key BLOB
);
CREATE TABLE trigger_reports (
    id INTEGER PRIMARY KEY,
    match_key BLOB, attribution_constraint_id BLOB, timestamp BLOB, value BLOB
);
"""

_INDEX = """
CREATE INDEX last_touch ON source_reports (
    match_key, attribution_constraint_id, timestamp, breakdown_key, id
)
"""

# The spec joins all earlier sources to a trigger and takes MAX_BY(s.breakdown_key, s.timestamp).
# The same source is found here as the last one in the order of the index, which keeps a user with
# tens of thousands of events from taking quadratic time, and says what happens at equal times. It
# is the row that is wanted, not its breakdown key alone: the cap goes by row.
_CREDITED = """
attributed AS (
    SELECT t.value AS value,
           (SELECT s.id
            FROM source_reports s
            WHERE s.match_key = t.match_key
            AND s.attribution_constraint_id = t.attribution_constraint_id
            AND s.timestamp < t.timestamp
            ORDER BY s.timestamp DESC, s.breakdown_key DESC, s.id DESC
            LIMIT 1) AS source_id
    FROM trigger_reports t
),
credited AS (
    SELECT s.*, credit
    FROM source_reports s
    JOIN (SELECT source_id, exact_sum(value) AS credit FROM attributed GROUP BY source_id)
    ON s.id = source_id
)
"""

_CAPPED = {
    "proportional": """
capped AS (
    SELECT breakdown_key,
           CASE WHEN total > :cap THEN multiply_divide(credit, :cap, total)
                ELSE credit
           END AS credit
    FROM (SELECT *, exact_sum(credit) OVER (PARTITION BY match_key) AS total FROM credited)
)
""",
    # A row keeps the difference it makes to min(what was asked for so far, cap). The order is
    # total: of the sources of one group and time, at most one has credit.
    "truncate": """
capped AS (
    SELECT breakdown_key,
           subtract(MIN(so_far, :cap), MIN(subtract(so_far, credit), :cap)) AS credit
    FROM (
        SELECT *, exact_sum(credit) OVER (
            PARTITION BY match_key
            ORDER BY attribution_constraint_id, timestamp, breakdown_key
        ) AS so_far
        FROM credited
    )
)
""",
}

_SUMS = "SELECT breakdown_key, exact_sum(credit) FROM capped GROUP BY breakdown_key"


def query_sql(events: Sequence[Event], parameters: QueryParameters) -> list[int]:
    """The whole query in SQL (spec: Attribution Measurement, User Level Sensitivity Capping).

    Returns one exact sum per breakdown key, without noise.

    Raises: EventError for a bad event.
    """
    check_events(events, parameters)
    statement = f"WITH {_CREDITED}, {_CAPPED[parameters.capping]} {_SUMS}"
    sums = [0] * parameters.breakdowns
    with closing(sqlite3.connect(":memory:")) as database:
        _register_exact_arithmetic(database)
        _load(database, events, count=parameters.aggregate == "count")
        for breakdown_key, total in database.execute(statement, {"cap": _blob(parameters.cap)}):
            sums[_number(breakdown_key)] = _number(total)
    return sums


def _load(database: sqlite3.Connection, events: Sequence[Event], *, count: bool) -> None:
    database.executescript(_TABLES)
    sources, triggers = [], []
    for event in events:
        key = (event.match_key, event.attribution_constraint_id, event.timestamp)
        if isinstance(event, SourceEvent):
            sources.append([*map(_blob, key), _blob(event.breakdown_key)])
        else:
            triggers.append([*map(_blob, key), _blob(1 if count else event.trigger_value)])
    database.executemany("INSERT INTO source_reports VALUES (NULL, ?, ?, ?, ?)", sources)
    database.executemany("INSERT INTO trigger_reports VALUES (NULL, ?, ?, ?, ?)", triggers)
    database.execute(_INDEX)


def _blob(number: int) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big")


def _number(blob: bytes) -> int:
    return int.from_bytes(blob, "big")


class _ExactSum:
    """The SQL function exact_sum, as an aggregate and over windows."""

    def __init__(self) -> None:
        self._sum = 0

    def step(self, blob: bytes) -> None:
        self._sum += _number(blob)

    def inverse(self, blob: bytes) -> None:
        self._sum -= _number(blob)

    def value(self) -> bytes:
        return _blob(self._sum)

    finalize = value


def _register_exact_arithmetic(database: sqlite3.Connection) -> None:
    def subtract(a: bytes, b: bytes) -> bytes:
        return _blob(_number(a) - _number(b))

    def multiply_divide(a: bytes, b: bytes, c: bytes) -> bytes:
        return _blob(_number(a) * _number(b) // _number(c))

    database.create_window_function("exact_sum", 1, _ExactSum)
    database.create_function("subtract", 2, subtract, deterministic=True)
    database.create_function("multiply_divide", 3, multiply_divide, deterministic=True)
