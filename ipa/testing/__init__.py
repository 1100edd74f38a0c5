"""Hypothesis strategies for whoever tests against this library: the extra `testing`.

Events and workloads in which times tie and keys collide, the parameters of queries, encrypted match keys
and reports, tables of numbers, and what a corrupted helper may do to messages. This library's own
tests draw from them.
"""

try:
    import hypothesis as hypothesis
except ImportError:
    raise ImportError(
        "ipa.testing needs the package hypothesis: pip install 'ipa-reference[testing]'"
    ) from None

from ipa.testing.event_strategies import (
    events_within,
    parameters,
    queries,
    small_queries,
    workloads,
)
from ipa.testing.report_strategies import (
    contexts,
    encrypted_match_keys,
    fanout_queries,
    field_widths,
    generic_reports,
    identifiers,
)
from ipa.testing.table_strategies import below, columns_of_numbers, row_counts
from ipa.testing.tampering_strategies import tamperings

__all__ = [
    "below",
    "columns_of_numbers",
    "contexts",
    "encrypted_match_keys",
    "events_within",
    "fanout_queries",
    "field_widths",
    "generic_reports",
    "identifiers",
    "parameters",
    "queries",
    "row_counts",
    "small_queries",
    "tamperings",
    "workloads",
]
