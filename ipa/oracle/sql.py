"""The whole query as one SQL statement run by sqlite3: a second opinion beside `ipa.oracle.steps`.

SQLite's integers are signed 64-bit numbers, too narrow for match keys and for sums. So every number
is a BLOB of 32 bytes, big-endian, which SQL's own `=`, `<`, MIN and ORDER BY compare rightly; exact
arithmetic on them is registered as functions.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import combinations
from typing import Any

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

# The first reports of a match key take part. COUNT over an ORDER BY counts a row's equals along with it:
# triggers that differ in the value alone are within the bound together, or not at all.
_BEYOND = """
CREATE TABLE beyond AS SELECT is_source, id FROM (
    SELECT is_source, id, COUNT(*) OVER (
        PARTITION BY match_key
        ORDER BY attribution_constraint_id, timestamp, is_source, breakdown_key
    ) AS reports
    FROM (
        SELECT match_key, attribution_constraint_id, timestamp, breakdown_key, 1 AS is_source, id
        FROM source_reports
        UNION ALL
        SELECT match_key, attribution_constraint_id, timestamp, zeroblob(32), 0, id
        FROM trigger_reports
    )
)
WHERE reports > :most
"""

_WITHIN_BOUND = """
DELETE FROM source_reports WHERE id IN (SELECT id FROM beyond WHERE is_source);
DELETE FROM trigger_reports WHERE id IN (SELECT id FROM beyond WHERE NOT is_source);
"""

# The spec joins all earlier sources to a trigger and takes MAX_BY(s.breakdown_key, s.timestamp).
# The same source is found here as the last one in the order of the index, which keeps a user with
# tens of thousands of events from taking quadratic time, and says what happens at equal times. It
# is the row that is wanted, not its breakdown key alone: the cap goes by row.
_ELIGIBLE = """
            FROM source_reports s
            WHERE s.match_key = t.match_key
            AND s.attribution_constraint_id = t.attribution_constraint_id
            AND s.timestamp < t.timestamp
            AND s.timestamp >= earliest(t.timestamp, :window)
"""

_ONE_SOURCE = """
attributed AS (
    SELECT t.value AS value,
           (SELECT s.id {eligible}
            ORDER BY s.timestamp {order}, s.breakdown_key {order}, s.id {order}
            LIMIT 1) AS source_id
    FROM trigger_reports t
),
"""

_ATTRIBUTED = {
    "last-touch": _ONE_SOURCE.format(eligible=_ELIGIBLE, order="DESC"),
    "first-touch": _ONE_SOURCE.format(eligible=_ELIGIBLE, order="ASC"),
    # The last of the sources gets its share and what the division leaves over.
    "equal-credit": """
touched AS (
    SELECT t.value AS value, s.id AS source_id,
           COUNT(*) OVER (PARTITION BY t.id) AS sources,
           ROW_NUMBER() OVER (
               PARTITION BY t.id ORDER BY s.timestamp DESC, s.breakdown_key DESC, s.id DESC
           ) AS from_the_last
    FROM trigger_reports t
    JOIN source_reports s
    ON s.match_key = t.match_key
    AND s.attribution_constraint_id = t.attribution_constraint_id
    AND s.timestamp < t.timestamp
    AND s.timestamp >= earliest(t.timestamp, :window)
),
attributed AS (
    SELECT source_id, share(value, sources, from_the_last = 1) AS value FROM touched
),
""",
}

_CREDITED = """
credited AS (
    SELECT s.*, credit
    FROM source_reports s
    JOIN (SELECT source_id, exact_sum(value) AS credit FROM attributed GROUP BY source_id)
    ON s.id = source_id
)
"""

_CAPPED = {
    # A row keeps the difference it makes to the share of the cap that was reached so far.
    "proportional": """
capped AS (
    SELECT match_key, breakdown_key,
           CASE WHEN total > :cap
                THEN subtract(multiply_divide(so_far, :cap, total),
                              multiply_divide(subtract(so_far, credit), :cap, total))
                ELSE credit
           END AS credit
    FROM (
        SELECT *,
               exact_sum(credit) OVER (PARTITION BY match_key) AS total,
               exact_sum(credit) OVER (
                   PARTITION BY match_key
                   ORDER BY attribution_constraint_id, timestamp, breakdown_key, id
               ) AS so_far
        FROM credited
    )
)
""",
    # A row keeps the difference it makes to min(what was asked for so far, cap).
    "truncate": """
capped AS (
    SELECT match_key, breakdown_key,
           subtract(MIN(so_far, :cap), MIN(subtract(so_far, credit), :cap)) AS credit
    FROM (
        SELECT *, exact_sum(credit) OVER (
            PARTITION BY match_key
            ORDER BY attribution_constraint_id, timestamp, breakdown_key, id
        ) AS so_far
        FROM credited
    )
)
""",
}

_SUMS = "SELECT breakdown_key, exact_sum(credit) FROM capped GROUP BY breakdown_key"

_PERSONS = """
persons AS (
    SELECT match_key, breakdown_key, exact_sum(credit) AS total
    FROM capped GROUP BY match_key, breakdown_key
)
"""

_MOMENTS = """
SELECT breakdown_key, SUM(total > zeroblob(32)), exact_sum(total),
       exact_sum(multiply_divide(total, total, :one))
FROM persons GROUP BY breakdown_key
"""

_CROSS_PRODUCTS = """
SELECT p.breakdown_key, q.breakdown_key, exact_sum(multiply_divide(p.total, q.total, :one))
FROM persons p JOIN persons q
ON p.match_key = q.match_key AND p.breakdown_key < q.breakdown_key
GROUP BY p.breakdown_key, q.breakdown_key
"""


def query_sql(events: Sequence[Event], parameters: QueryParameters) -> list[int]:
    """The whole query in SQL (spec: Attribution Measurement, User Level Sensitivity Capping).

    Returns one exact sum per breakdown key, without noise.

    Raises: EventError for a bad event.
    """
    answer = _answer(events, parameters, "", _SUMS)
    sums = [0] * parameters.breakdowns
    for breakdown_key, total in answer:
        sums[_number(breakdown_key)] = _number(total)
    return sums


def moments_sql(events: Sequence[Event], parameters: QueryParameters) -> dict[str, list[int]]:
    """The exact statistics of a moments query in SQL, as `moments_in_steps` has them.

    Raises: EventError for a bad event.
    """
    people, totals, squares = ([0] * parameters.breakdowns for _ in range(3))
    for breakdown_key, count, total, square in _answer(events, parameters, _PERSONS, _MOMENTS):
        key = _number(breakdown_key)
        people[key], totals[key], squares[key] = count, _number(total), _number(square)
    crossed = dict.fromkeys(combinations(range(parameters.breakdowns), 2), 0)
    for a, b, product in _answer(events, parameters, _PERSONS, _CROSS_PRODUCTS):
        crossed[_number(a), _number(b)] = _number(product)
    return {
        "people": people,
        "totals": totals,
        "squares": squares,
        "cross_products": list(crossed.values()),
    }


def _answer(
    events: Sequence[Event], parameters: QueryParameters, more: str, question: str
) -> list[tuple[Any, ...]]:
    """The rows of `question` over the capped credits; Any is what sqlite3 returns."""
    check_events(events, parameters)
    attributed = _ATTRIBUTED[parameters.attribution]
    tables = [f"{attributed} {_CREDITED}", _CAPPED[parameters.capping], *filter(None, [more])]
    window = parameters.attribution_window or parameters.latest_time
    values = {"cap": _blob(parameters.cap), "window": _blob(window), "one": _blob(1)}
    with closing(sqlite3.connect(":memory:")) as database:
        _register_exact_arithmetic(database)
        _load(database, events, count=parameters.aggregate == "count")
        if parameters.max_reports_per_match_key is not None:
            database.execute(_BEYOND, {"most": parameters.max_reports_per_match_key})
            database.executescript(_WITHIN_BOUND)
        return database.execute(f"WITH {', '.join(tables)} {question}", values).fetchall()


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
        """Add a row to the window."""
        self._sum += _number(blob)

    def inverse(self, blob: bytes) -> None:
        """Take a row out of the window again."""
        self._sum -= _number(blob)

    def value(self) -> bytes:
        """The sum of the window."""
        return _blob(self._sum)

    finalize = value


def _register_exact_arithmetic(database: sqlite3.Connection) -> None:
    def subtract(a: bytes, b: bytes) -> bytes:
        """a - b."""
        return _blob(_number(a) - _number(b))

    def multiply_divide(a: bytes, b: bytes, c: bytes) -> bytes:
        """floor(a b / c)."""
        return _blob(_number(a) * _number(b) // _number(c))

    def earliest(time: bytes, window: bytes) -> bytes:
        """The earliest time that is within the window before `time`."""
        return _blob(max(0, _number(time) - _number(window)))

    def share(value: bytes, sources: int, is_last: int) -> bytes:
        """What one of the sources gets of the value; the last one what is left over, too."""
        each, left_over = divmod(_number(value), sources)
        return _blob(each + left_over * is_last)

    database.create_window_function("exact_sum", 1, _ExactSum)
    database.create_function("earliest", 2, earliest, deterministic=True)
    database.create_function("share", 3, share, deterministic=True)
    database.create_function("subtract", 2, subtract, deterministic=True)
    database.create_function("multiply_divide", 3, multiply_divide, deterministic=True)
