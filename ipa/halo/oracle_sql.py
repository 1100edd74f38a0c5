"""Reach and frequency as SQL run by sqlite3: a second opinion beside `ipa.halo.oracle`.

What is selected and which set expression is meant are SQL too; only named values go in from outside.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing

from ipa.halo.impressions import COLUMNS, EVERYTHING, Impression, Selection
from ipa.halo.set_expressions import SetExpression

_TABLE = """
CREATE TABLE impressions (
    person TEXT NOT NULL, publisher TEXT NOT NULL, campaign TEXT NOT NULL, medium TEXT NOT NULL,
    day INTEGER NOT NULL
)
"""

_HISTOGRAM = """
SELECT MIN(times, ?) AS frequency, COUNT(*)
FROM (SELECT COUNT(*) AS times FROM impressions WHERE {where} GROUP BY person)
GROUP BY frequency
"""

_OPERATORS = {"|": "UNION", "&": "INTERSECT", "-": "EXCEPT"}

_Parameters = list[str | int]


def frequency_histogram_sql(
    impressions: Iterable[Impression],
    max_frequency: int,
    selections: Sequence[Selection] = EVERYTHING,
) -> list[int]:
    """How many persons were reached once, twice, ..., `max_frequency` times or more."""
    where, values = _where(selections)
    histogram = [0] * max_frequency
    with closing(_load(impressions)) as database:
        statement = _HISTOGRAM.format(where=where)
        for frequency, persons in database.execute(statement, [max_frequency, *values]):
            histogram[frequency - 1] = persons
    return histogram


def reach_sql(
    impressions: Iterable[Impression], selections: Sequence[Selection] = EVERYTHING
) -> int:
    """How many persons were reached."""
    where, values = _where(selections)
    return _count(
        impressions, f"SELECT COUNT(DISTINCT person) FROM impressions WHERE {where}", values
    )


def expression_reach_sql(
    impressions: Iterable[Impression], expression: SetExpression, sets: Mapping[str, Selection]
) -> int:
    """How many persons are in a set expression over the audiences of the named selections."""
    query, values = _compound(expression, sets)
    return _count(impressions, f"SELECT COUNT(*) FROM ({query})", values)


def _count(impressions: Iterable[Impression], statement: str, values: _Parameters) -> int:
    with closing(_load(impressions)) as database:
        (number,) = database.execute(statement, values).fetchone()
        return int(number)


def _compound(expression: SetExpression, sets: Mapping[str, Selection]) -> tuple[str, _Parameters]:
    if isinstance(expression, str):
        where, values = _where([sets[expression]])
        return f"SELECT DISTINCT person FROM impressions WHERE {where}", values
    left, left_values = _compound(expression.left, sets)
    right, right_values = _compound(expression.right, sets)
    # SQLite joins compound selects from the left, whatever the operator: so each is its own query.
    operator = _OPERATORS[expression.operator]
    query = f"SELECT person FROM ({left}) {operator} SELECT person FROM ({right})"
    return query, left_values + right_values


def _where(selections: Sequence[Selection]) -> tuple[str, _Parameters]:
    """The condition that any selection holds, and the values of its parameters."""
    alternatives = ["0"]
    values: _Parameters = []
    for selection in selections:
        conditions = ["1"]
        for column, wanted in (
            ("publisher", selection.publishers),
            ("campaign", selection.campaigns),
            ("medium", selection.media),
        ):
            if wanted is not None:
                conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
                values += sorted(wanted)
        if selection.days is not None:
            conditions.append("day BETWEEN ? AND ?")
            values += selection.days
        alternatives.append(f"({' AND '.join(conditions)})")
    return f"({' OR '.join(alternatives)})", values


def _load(impressions: Iterable[Impression]) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.execute(_TABLE)
    rows = ([getattr(impression, column) for column in COLUMNS] for impression in impressions)
    database.executemany("INSERT INTO impressions VALUES (?, ?, ?, ?, ?)", rows)
    return database
