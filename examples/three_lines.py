"""What a notebook needs: events, parameters, and the answer with its cost."""

import argparse

from ipa import QueryParameters, events_from_mappings, run_query

EVENTS = [
    {
        "report": "source",
        "match_key": 7001,
        "attribution_constraint_id": 1,
        "timestamp": 100,
        "breakdown_key": 2,
    },
    {
        "report": "trigger",
        "match_key": 7001,
        "attribution_constraint_id": 1,
        "timestamp": 160,
        "trigger_value": 25,
    },
]

argparse.ArgumentParser(description=__doc__).parse_args()  # for --help alone

events = events_from_mappings(EVENTS)
parameters = QueryParameters(breakdowns=4, cap=100)
print(run_query(events, parameters, no_noise=True))
