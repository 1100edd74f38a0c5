"""Interoperable Private Attribution (IPA): a reference implementation in pure Python.

Three lines answer a query over events in the clear, with three simulated helper parties:

    events = ipa.events_from_mappings(dictionaries)
    parameters = ipa.QueryParameters(breakdowns=16, cap=100)
    ipa.run_query(events, parameters, no_noise=True)

Every step of the query is a plain function of its own: see `ipa.query.query`, which calls them in
order, and `examples/step_by_step.py`, which shows what each helper party sees.
"""

from ipa.errors import (
    BudgetError,
    ChannelError,
    EventError,
    InputError,
    IpaError,
    MisbehaviourError,
    MismatchError,
    ParameterError,
    RandomnessReuseError,
    ReportError,
    SecrecyError,
    VerificationError,
)
from ipa.events import (
    Event,
    SourceEvent,
    TriggerEvent,
    events_from_mappings,
    read_events_csv,
    write_events_csv,
)
from ipa.events.encoding import EventEncoder
from ipa.events.workload import generate_events
from ipa.network import (
    Cost,
    HelperPartyNetwork,
    ProductLog,
    RunOptions,
    Trace,
    Transcript,
    compare_views,
    cost_of,
    costs_by_step,
    simulated_network,
)
from ipa.oracle import query_sql
from ipa.parameters import QueryParameters
from ipa.planning import sweep_caps
from ipa.progress import StepDisplay
from ipa.query import QueryResult, run_query
from ipa.reports import GenericReports, share_events
from ipa.sharing.dealing import reconstruct_for_testing, share_rows
from ipa.sharing.randomness import Randomness
from ipa.sharing.share_table import share_table
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements
from ipa.version import __version__ as __version__

__all__ = [
    "BudgetError",
    "ChannelError",
    "Cost",
    "Event",
    "EventEncoder",
    "EventError",
    "GenericReports",
    "HelperPartyNetwork",
    "InputError",
    "IpaError",
    "MisbehaviourError",
    "MismatchError",
    "ParameterError",
    "ProductLog",
    "QueryParameters",
    "QueryResult",
    "Randomness",
    "RandomnessReuseError",
    "ReportError",
    "RunOptions",
    "SecrecyError",
    "SharedBits",
    "SharedElements",
    "SourceEvent",
    "StepDisplay",
    "Trace",
    "Transcript",
    "TriggerEvent",
    "VerificationError",
    "compare_views",
    "cost_of",
    "costs_by_step",
    "events_from_mappings",
    "generate_events",
    "query_sql",
    "read_events_csv",
    "reconstruct_for_testing",
    "run_query",
    "share_events",
    "share_rows",
    "share_table",
    "simulated_network",
    "sweep_caps",
    "write_events_csv",
]
