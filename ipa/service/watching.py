"""A report collector waits for three helper parties: it asks each what became of its query, again and again.

Between two rounds of questions it pauses, longer and longer. A helper that is out of reach for a while
is asked again; one that does not know the query any more is not.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from threading import Thread
from time import monotonic, sleep
from typing import TypeVar
from urllib.parse import quote

from ipa.errors import ServiceError
from ipa.service.endings import Knowledge, Statement, abort_statement, in_one_sentence, no_answer
from ipa.service.queries import State
from ipa.service.refusal import Refusal
from ipa.service.service_requests import LostConnection, Service, ask_service, json_object, shown

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
_LONGER = 1.5
_MAX_STEP_CHARACTERS = 400
_ENDED = (State.DONE, State.ABORTED)

# What a helper says that may be asked again soon.
_PASSING = (Refusal.STOPPING, Refusal.QUEUE_FULL, Refusal.TIMED_OUT)


@dataclass(frozen=True)
class Waiting:
    """How long is waited, in seconds, and who is told meanwhile.

    `timeout` is how long nothing may change at any helper, `request_timeout` how long one request may
    take beside the time for what it carries, and `last_words` how long the other helpers are waited for
    when one has no answer: they may know more of why. A helper that is out of reach when the query is
    submitted is tried again for `reach` seconds: it may be starting. `on_step` is called with every
    step of helper 1; `on_charged` when all three have gone past the charge.
    """

    timeout: float = 600.0
    request_timeout: float = 30.0
    last_words: float = 5.0
    reach: float = 0.0
    on_step: Callable[[str], None] = lambda _: None
    on_charged: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Standing:
    """Where one helper party is with a query. `lost` says why it could not be asked last."""

    state: State = State.WAITING
    step: str = ""
    reason: str = ""
    failure: Statement | None = None
    lost: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.failure is not None or self.state in _ENDED

    @property
    def is_past_charging(self) -> bool:
        """Whether the helper opens reports, or has: it does so once all three have charged."""
        return self.state is State.DONE or self.step.partition("/")[0] == "query"


def query_path(query_id: str) -> str:
    """The path of a query at every service."""
    return f"/v1/queries/{quote(query_id, safe='')}"


def at_once(services: Iterable[Service], ask: Callable[[Service], T]) -> dict[int, T | Exception]:
    """What each service answers, or the error that came of it; all are asked at the same time."""
    outcomes: dict[int, T | Exception] = {}

    def run(service: Service) -> None:
        """Ask one service."""
        try:
            outcomes[service.helper] = ask(service)
        except Exception as error:
            outcomes[service.helper] = error

    # Daemons, so that an interrupt from the keyboard need not wait for their deadlines.
    threads = [Thread(target=run, args=(service,), daemon=True) for service in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return dict(sorted(outcomes.items()))


def standing_at(service: Service, query_id: str, timeout: float) -> Standing:
    """Where a helper party says that it is with the query.

    Raises: ServiceError for a refusal, and for an answer that cannot be; LostConnection.
    """
    said = json_object(ask_service(service, "GET", query_path(query_id), timeout=timeout)) or {}
    state, step, reason = said.get("state"), said.get("step"), said.get("reason")
    if (
        said.get("query_id") != query_id
        or not isinstance(state, str)
        or state not in set(State)
        or not isinstance(step, str)
        or not isinstance(reason, str)
    ):
        raise ServiceError(f"{service} does not say what became of the query")
    if len(step) > _MAX_STEP_CHARACTERS or not step.isprintable():
        raise ServiceError(f"{service} is at a step that cannot be one")
    return Standing(State(state), step, shown(reason))


def lost_query(helper: int) -> Statement:
    """What is said of a helper party that took a query and does not know it any more."""
    text = "does not know the query any more: it was restarted, or has forgotten it"
    return Statement(helper, Knowledge.LOST_THE_QUERY, text)


def failure_statement(helper: int, error: ServiceError) -> Statement:
    """What is said of a helper party that took a query and then refuses to say more."""
    if error.refusal == Refusal.UNKNOWN_QUERY:
        return lost_query(helper)
    return Statement(helper, Knowledge.LOST_THE_QUERY, error.problem.removeprefix(f"H{helper} "))


def wait_until_done(
    services: Iterable[Service], query_id: str, waiting: Waiting, *, paid: bool
) -> None:
    """Return when all the helper parties have an answer. `paid` says that the query is charged.

    Raises: ServiceError, with what each of them says, when one has none and never will, or when nothing
        changes for too long.
    """
    by_helper = {service.helper: service for service in services}
    standings = dict.fromkeys(by_helper, Standing())
    changed, pause, told_charged = monotonic(), FIRST_PAUSE, not paid
    last_words: float | None = None
    while not all(each.state is State.DONE and each.failure is None for each in standings.values()):
        before = dict(standings)
        open_ones = [by_helper[h] for h, each in standings.items() if not each.has_ended]
        asked = at_once(open_ones, lambda one: standing_at(one, query_id, waiting.request_timeout))
        for helper, outcome in asked.items():
            standings[helper] = _after(standings[helper], helper, outcome)
        _tell_step(before, standings, waiting)
        if not told_charged and all(each.is_past_charging for each in standings.values()):
            told_charged = True
            waiting.on_charged()
        now = monotonic()
        if any(_differ(before[helper], standings[helper]) for helper in standings):
            changed = now
        if any(each.failure or each.state is State.ABORTED for each in standings.values()):
            last_words = last_words or now + waiting.last_words
            if now >= last_words or all(each.has_ended for each in standings.values()):
                raise _ending(query_id, standings, paid)
        elif now - changed > waiting.timeout:
            raise _stuck(query_id, standings, waiting.timeout)
        if not all(each.has_ended for each in standings.values()):
            sleep(pause)
            pause = min(_LONGER * pause, LONGEST_PAUSE)


def _after(standing: Standing, helper: int, outcome: Standing | Exception) -> Standing:
    """Where a helper is, after what came of asking it."""
    if isinstance(outcome, Standing):
        return outcome
    if isinstance(outcome, LostConnection):
        return replace(standing, lost=outcome.problem)
    if isinstance(outcome, ServiceError):
        if outcome.refusal in _PASSING:
            return replace(standing, lost=outcome.problem.removeprefix(f"H{helper} "))
        return replace(standing, failure=failure_statement(helper, outcome))
    raise outcome


def _differ(before: Standing, after: Standing) -> bool:
    return replace(before, lost="") != replace(after, lost="")


def _tell_step(before: dict[int, Standing], after: dict[int, Standing], waiting: Waiting) -> None:
    first = min(after)
    if after[first].step and after[first].step != before[first].step:
        waiting.on_step(after[first].step)


def _ending(query_id: str, standings: dict[int, Standing], paid: bool) -> ServiceError:
    statements = []
    for helper, each in standings.items():
        if each.failure is not None:
            statements.append(each.failure)
        elif each.state is State.ABORTED:
            statements.append(abort_statement(helper, each.reason))
        elif each.lost:
            statements.append(Statement(helper, Knowledge.OUT_OF_REACH, each.lost))
    began = any(each.state is not State.WAITING or each.step for each in standings.values())
    return no_answer(query_id, statements, may_be_charged=paid and began)


def _stuck(query_id: str, standings: dict[int, Standing], timeout: float) -> ServiceError:
    where = [
        Statement(
            helper,
            Knowledge.OUT_OF_REACH,
            each.lost or f"is {each.state}" + (f" at {each.step}" if each.step else ""),
        )
        for helper, each in standings.items()
    ]
    return ServiceError(
        f"nothing has changed for {timeout:g} seconds, so query {query_id} is not waited for any "
        f"more: {in_one_sentence(where)}"
    )
