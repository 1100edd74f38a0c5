"""The worked example as a query that goes one step at a time, with all there is to see of each step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ipa.events.worked_example import WORKED_EXAMPLE, WORKED_EXAMPLE_PARAMETERS
from ipa.network.channel import Message
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.interception import Transcript
from ipa.network.simulation import simulated_network
from ipa.protocols.aggregation import sums_per_breakdown
from ipa.protocols.capping import cap_credits
from ipa.protocols.helper_bits import helper_bits
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.noise import add_noise
from ipa.protocols.padding import pad_reports
from ipa.protocols.primitives.abort import agree_to_release
from ipa.protocols.report_sorting import sort_reports
from ipa.protocols.verification.product_check import check_products
from ipa.release import combine_at_collector, shares_for_collector
from ipa.reports import GenericReports, share_events
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import SharedBits

StepName = Literal[
    "share",
    "sort",
    "helper-bits",
    "attribution",
    "capping",
    "aggregation",
    "noise",
    "check",
    "release",
]

PARAMETERS = replace(WORKED_EXAMPLE_PARAMETERS, epsilon=4)


@dataclass(frozen=True)
class DemoStep:
    """A step that was taken: what the helpers now hold, and what they sent each other for it.

    `held` are shared values by what they are called; `first_row` is the first of their rows that is of
    interest. `reports` are shared reports to be shown put together. `sums` is what the report collector
    has in the end.
    """

    name: StepName
    told: str
    held: Sequence[tuple[str, SharedBits]]
    messages: Sequence[Message]
    first_row: int = 0
    signed: bool = False
    reports: GenericReports | None = None
    sums: Sequence[int] | None = None


def demo_steps(seed: int) -> Iterator[DemoStep]:
    """The steps of `ipa.query.query` over the worked example, each taken when it is asked for."""
    transcript = Transcript()
    network = simulated_network(seed, [transcript], security="malicious")

    def sent() -> list[Message]:
        """The messages since this was last asked."""
        messages = list(transcript.messages)
        transcript.messages.clear()
        return messages

    randomness = Randomness.from_seed(seed, "client shares")
    reports = share_events(network, WORKED_EXAMPLE, PARAMETERS, randomness)
    yield DemoStep("share", _TOLD["share"], [("match key", reports.match_key)], (), reports=reports)
    padded = pad_reports(network, reports)
    yield from _steps_of_helpers(network, padded, padded.rows - reports.rows, sent)


def _steps_of_helpers(
    network: HelperPartyNetwork,
    reports: GenericReports,
    padding: int,
    sent: Callable[[], list[Message]],
) -> Iterator[DemoStep]:
    def step(
        name: StepName, held: Sequence[tuple[str, SharedBits]], first_row: int = padding
    ) -> DemoStep:
        """The step that was just taken."""
        return DemoStep(name, _TOLD[name], held, sent(), first_row)

    ordered = sort_reports(network, reports)
    yield replace(step("sort", [("match key", ordered.match_key)]), reports=ordered)
    bits = helper_bits(network, ordered, padding)
    same = bits.same_match_key_and_constraint
    held = [("same match key and constraint", same), ("same match key", bits.same_match_key)]
    yield step("helper-bits", held)
    credit = attribute_last_touch(network, same, ordered.is_trigger, ordered.trigger_value)
    yield step("attribution", [("credit", credit)])
    capped = cap_credits(network, bits.same_match_key, credit, PARAMETERS.cap, PARAMETERS.capping)
    yield step("capping", [("capped credit", capped)])
    sums = sums_per_breakdown(network, ordered.breakdown_key, capped, PARAMETERS.breakdowns, 12)
    yield step("aggregation", [("sum", sums)], 0)
    noisy = add_noise(network, sums, PARAMETERS)
    yield replace(step("noise", [("noisy sum", noisy)], 0), signed=True)
    check_products(network)
    agree_to_release(network)
    yield step("check", [])
    pairs = shares_for_collector(network, noisy)
    released = combine_at_collector(pairs, PARAMETERS.breakdowns, signed=True)
    yield replace(step("release", [("noisy sum", noisy)], 0), signed=True, sums=released)


_TOLD: dict[StepName, str] = {
    "share": "Each client splits every field into three random shares, whose XOR is the field. Each helper "
    "gets two of the three, which tell it nothing.",
    "sort": "The helpers add neutral reports up to a power of two, and sort by match key, constraint ID and "
    "time. Every row has new shares, so nobody can tell where it was before. The neutral ones, "
    "of match key 0, come first and are not shown.",
    "helper-bits": "Two bits for each row: does it have the match key and constraint ID of the row before, "
    "and does it have its match key?",
    "attribution": "Last touch: a trigger hands its value to the last source before it that has the same "
    "match key and constraint ID.",
    "capping": f"Nobody keeps more than {PARAMETERS.cap} in all, which is what makes a little noise enough.",
    "aggregation": "The credit of each breakdown key is added up. A row is now a breakdown key.",
    "noise": f"The helpers draw noise together, for epsilon {PARAMETERS.epsilon}, that none of them knows, "
    "and add it to the sums.",
    "check": "All products of all steps are checked at once. One that is wrong would end the query "
    "here. Then each helper tells the others that it accepts.",
    "release": "The report collector, and nobody else, gets the shares of the result and puts them together.",
}
