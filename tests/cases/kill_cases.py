"""Rounds in which a helper party is killed while the three answer a query, and what came of each."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic, sleep

from intake_cases import EVENTS
from service_processes import PARAMETERS, PATIENCE, SUMS, ServiceProcesses, exact_query, paid_query

from ipa.errors import ServiceError
from ipa.noise.choice import noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.discrete_laplace import half_width, tail_bound
from ipa.parties import HELPERS
from ipa.report_query import ReportQueryResult
from ipa.service.asked import Asked

EPSILON = 64
"""The largest there is: the least noise, so that wrong sums show."""

UNSEEN = Fraction(1, 1 << 40)
"""How unlikely the noise is that these tests take for a wrong sum."""

ANSWERED = "answered"

# What an error says, by what had become of the query; the first that fits.
_ENDS = (
    ("not submitted", r"was not submitted"),
    ("aborted in", r"H[123]: (?P<step>[a-z-]+(/[a-z-]+)?)[^ ]*: (no message from|H[123] )"),
    ("lost by who was killed", r"does not know the query any more"),
    ("out of reach", r"cannot be reached"),
)


@dataclass(frozen=True)
class Round:
    """Which helper party is killed, how many seconds after the query is submitted."""

    number: int
    helper: int
    delay: float


@dataclass(frozen=True)
class Outcome:
    """How a round ended for the report collector, and after how long."""

    round: Round
    end: str
    text: str
    seconds: float


def rounds(count: int, seed: int, longest: float) -> list[Round]:
    """Helpers at random, and moments spread over the time that a query takes."""
    rng = random.Random(seed)
    return [
        Round(number, rng.choice(HELPERS), longest * (number % 8 + rng.random()) / 8)
        for number in range(count)
    ]


def reach_of_noise(asked: Asked) -> int:
    """How far from the exact sum a sum can be, but for an `UNSEEN` accident."""
    noise = noise_for(asked.parameters)
    if noise is None:
        return 0
    assert isinstance(noise, DigitwiseLaplace)
    return min(noise.largest, half_width(lambda far: tail_bound(noise.rate, far), UNSEEN))


def assert_right(result: ReportQueryResult, asked: Asked) -> None:
    """The sums are those of the events, as near as the noise lets them be."""
    reach = reach_of_noise(asked)
    assert len(result.result.sums) == PARAMETERS.breakdowns
    for found, exact in zip(result.result.sums, SUMS, strict=True):
        assert abs(found - exact) <= reach, (result.result.sums, SUMS, reach)
    assert (result.receipt is None) == (asked.parameters.epsilon is None)


@dataclass
class KillRounds:
    """A network in which helper parties are killed, and the queries that it is asked."""

    network: ServiceProcesses
    streams: Sequence[bytes]
    asked: int = 0

    @classmethod
    def of(cls, network: ServiceProcesses) -> "KillRounds":
        """Queries over `intake_cases.EVENTS`."""
        return cls(network, network.files.streams_of(EVENTS, PARAMETERS))

    def new_query(self) -> Asked:
        """A query that was not asked before, charged if the helper parties charge."""
        self.asked += 1
        query_id = f"q{self.asked}"
        if self.network.files.has_ledgers:
            return paid_query(query_id, EPSILON)
        return exact_query(query_id)

    def answered(self) -> float:
        """Ask a query that must be answered; how long it took."""
        asked, started = self.new_query(), monotonic()
        assert_right(self.network.ask(self.streams, asked), asked)
        return monotonic() - started

    def play(self, one: Round) -> Outcome:
        """Kill during a query, start again; then the next query has to be answered."""
        asked = self.new_query()
        started = monotonic()
        with ThreadPoolExecutor(1) as pool:
            outcome = pool.submit(self._asked, asked)
            sleep(one.delay)
            self.network.restart(one.helper)
            end, text = outcome.result(PATIENCE)
        seconds = monotonic() - started
        if end != ANSWERED:
            assert f"H{one.helper}" in text, (one, text)
            assert "\n" not in text
        kept = self._charged()
        self.answered()
        self._assert_settled(kept)
        return Outcome(one, end, text, seconds)

    def _asked(self, asked: Asked) -> tuple[str, str]:
        try:
            result = self.network.ask(self.streams, asked, timeout=15.0, last_words=1.0)
        except ServiceError as error:
            return end_of(str(error)), str(error)
        assert_right(result, asked)
        return ANSWERED, ""

    def _charged(self) -> Counter[str]:
        """What any ledger has charged, whether the others have it or not."""
        if not self.network.files.has_ledgers:
            return Counter()
        of_helpers = self.network.files.charged().values()
        assert all(len(charged) == len(set(charged)) for charged in of_helpers)
        return Counter(set().union(*of_helpers))

    def _assert_settled(self, kept: Counter[str]) -> None:
        """All three ledgers have the same charges, each once, and nothing was refunded."""
        if not self.network.files.has_ledgers:
            return
        charged = self.network.files.charged()
        settled = {helper: Counter(ids) for helper, ids in charged.items()}
        assert settled[1] == settled[2] == settled[3]
        assert settled[1] == kept + Counter([f"q{self.asked}"])


def end_of(text: str) -> str:
    """What had become of a query, by the error that its report collector gets."""
    for end, pattern in _ENDS:
        if found := re.search(pattern, text):
            return " ".join([end, *found.groupdict().values()])
    raise AssertionError(f"this says nothing of what went wrong: {text}")


def table(outcomes: Sequence[Outcome]) -> str:
    """How often each end came, and how long the longest round with this end took."""
    lines = []
    for end, times in Counter(each.end for each in outcomes).most_common():
        longest = max(each.seconds for each in outcomes if each.end == end)
        lines.append(f"{times:5}  {longest:5.1f} s  {end}")
    return "\n".join(lines)
