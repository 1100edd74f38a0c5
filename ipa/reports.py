"""Generic reports: source and trigger reports in one format, all fields secret-shared.

Source and trigger reports become indistinguishable (spec: Oblivious source and trigger reports): a
source report has trigger value 0, a trigger report breakdown key 0, and `is_trigger` is a shared bit.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ipa.display.records import fields_html
from ipa.events import Event, SourceEvent, TriggerEvent, check_event_type, listed_events
from ipa.names import Named
from ipa.parameters import QueryParameters, check_parameters_type
from ipa.sharing.dealing import only_helper, share_rows
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import SharedBits


@dataclass(frozen=True)
class GenericReports:
    """n reports, a shared column table for each field, as the helpers hold them."""

    match_key: SharedBits
    attribution_constraint_id: SharedBits
    timestamp: SharedBits
    is_trigger: SharedBits
    breakdown_key: SharedBits
    trigger_value: SharedBits

    _repr_html_ = fields_html

    @property
    def rows(self) -> int:
        """How many reports there are."""
        return self.match_key.rows

    @property
    def fields(self) -> tuple[SharedBits, ...]:
        """The field tables, in the order of the spec's generic report."""
        return (
            self.match_key,
            self.attribution_constraint_id,
            self.timestamp,
            self.is_trigger,
            self.breakdown_key,
            self.trigger_value,
        )

    def only(self, helper: int) -> "GenericReports":
        """The reports as helper party `helper` alone holds them."""
        return GenericReports(*(only_helper(field, helper) for field in self.fields))


def share_events(
    network: Named | str,
    events: Iterable[Event],
    parameters: QueryParameters,
    randomness: Randomness,
) -> GenericReports:
    """Share checked events on the spot: what devices, collector and intake do between them.

    `network` is the helper party network, whose three helpers are local, or its name. `is_trigger`
    is shared like the rest here; with real reports every helper knows it and it is a trivial sharing.
    """
    check_parameters_type(parameters)
    events = listed_events(events)
    for row, event in enumerate(events, start=1):
        check_event_type(event, row)

    def shared(values: list[int], width: int) -> SharedBits:
        """A column of values, shared."""
        return share_rows(network, values, width, randomness)

    return GenericReports(
        match_key=shared([event.match_key for event in events], parameters.match_key_bits),
        attribution_constraint_id=shared(
            [event.attribution_constraint_id for event in events],
            parameters.attribution_constraint_id_bits,
        ),
        timestamp=shared([event.timestamp for event in events], parameters.timestamp_bits),
        is_trigger=shared([isinstance(event, TriggerEvent) for event in events], 1),
        breakdown_key=shared(
            [event.breakdown_key if isinstance(event, SourceEvent) else 0 for event in events],
            parameters.breakdown_key_bits,
        ),
        trigger_value=shared(
            [event.trigger_value if isinstance(event, TriggerEvent) else 0 for event in events],
            parameters.value_bits,
        ),
    )
