"""The report collector's side of a query: three services are sent their streams and asked for shares.

No helper party is believed alone. What all of them have to say alike is compared, with what was
sent and with each other, and every share comes from two of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import NoReturn
from urllib.parse import quote, urlencode

from ipa.client.configuration import NetworkConfiguration
from ipa.client.fanout_query import FanoutQuery, read_query_stream
from ipa.errors import (
    MismatchError,
    ParameterError,
    ReportError,
    ServiceError,
    VerificationError,
)
from ipa.network.tls_identity import TlsIdentity
from ipa.parties import HELPERS
from ipa.protocols.match_key_compression import check_compressed_bits
from ipa.report_answer import Answer, check_parameters
from ipa.report_query import ReportQueryResult, released_result
from ipa.service.asked import Asked, asked_to_text
from ipa.service.endings import Knowledge, Statement, helpers_named, in_one_sentence, no_answer
from ipa.service.results import answer_from_json, most_answer_bytes
from ipa.service.service_requests import (
    LostConnection,
    Service,
    ask_service,
    json_object,
    services_of,
)
from ipa.service.watching import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Waiting,
    at_once,
    failure_statement,
    query_path,
    standing_at,
    wait_until_done,
)

SLOWEST_BYTES_PER_SECOND = 1 << 16
"""How fast streams and answers have to travel at least."""


@dataclass(frozen=True)
class Submission:
    """A query that can be submitted: its three streams belong together and are this network's."""

    asked: Asked
    query: FanoutQuery
    reports: int
    streams: Mapping[int, bytes] = field(repr=False)


def collector_of(configuration: NetworkConfiguration, certificate: str) -> str:
    """The name under which a network has registered the report collector with this certificate.

    Raises: ParameterError when it has registered none.
    """
    for collector in configuration.report_collectors:
        if collector.certificate == certificate:
            return collector.name
    raise ParameterError(
        f"network {configuration.name} has registered no report collector with this certificate"
    )


def checked_submission(
    configuration: NetworkConfiguration, streams: Sequence[bytes], asked: Asked
) -> Submission:
    """The query that the streams of helpers 1, 2 and 3 ask, found to be one that can be asked.

    Helper parties find out the same; but they may have to be sent everything first.

    Raises: ReportError when a stream is none, or is for another helper, network or query; ParameterError
        for parameters that the reports were not made for, and for a submitter that is not the query's
        report collector.
    """
    if len(streams) != len(HELPERS):
        raise ParameterError(f"there must be streams for 3 helpers, not {len(streams)}")
    of_helpers = dict(zip(HELPERS, streams, strict=True))
    read = {helper: read_query_stream(stream) for helper, stream in of_helpers.items()}
    query, reports = read[1].query, len(read[1].records)
    for helper, stream in read.items():
        if stream.helper != helper:
            raise ReportError(f"the stream of helper {helper} is for helper {stream.helper}")
        if (stream.query, stream.contexts, len(stream.records)) != (
            query,
            read[1].contexts,
            reports,
        ):
            raise ReportError(f"the streams of helpers 1 and {helper} are of different queries")
    context = query.context
    if context.network_name != configuration.name:
        raise MismatchError(
            f"the query is for network {context.network_name}, and this is {configuration.name}"
        )
    if context.report_collector != asked.submitter:
        raise ParameterError(
            f"the query is report collector {context.report_collector}'s, and not for "
            f"{asked.submitter} to ask"
        )
    check_parameters(query, asked.parameters)
    if asked.compressed_match_key_bits is not None:
        check_compressed_bits(query.match_key_bits, asked.compressed_match_key_bits, reports)
    return Submission(asked, query, reports, of_helpers)


def ask_services(
    configuration: NetworkConfiguration,
    identity: TlsIdentity,
    streams: Sequence[bytes],
    asked: Asked,
    *,
    resume: bool = False,
    on_checked: Callable[[int], None] = lambda _: None,
    waiting: Waiting = Waiting(),  # noqa: B008  # frozen
) -> ReportQueryResult:
    """Have the three services of a network answer the query of three streams.

    `identity` is the report collector's, by which the services know it. Each service is sent its own
    stream and nothing else; or with `resume` none, for the query was submitted before, and its answer is
    still to be fetched. `on_checked` is called with the number of reports before anything is sent.
    The result has no costs: only the helper parties know them.

    Raises: what `checked_submission` raises, before anything is sent; ServiceError when a helper refuses,
        cannot be reached, aborts or has lost the query, with what each of them says, whoever knows best
        first; VerificationError when one of them lies about the result.
    """
    submission = checked_submission(configuration, streams, asked)
    services = services_of(configuration, identity)
    on_checked(submission.reports)
    if not resume:
        _submit(services, submission, waiting)
    paid = asked.parameters.epsilon is not None
    wait_until_done(services, asked.query_id, waiting, paid=paid)
    answers = _fetched(services, asked, waiting)
    return combined_result(submission, answers)


def _submit(services: Sequence[Service], submission: Submission, waiting: Waiting) -> None:
    outcomes = at_once(services, lambda one: _submit_to(one, submission, waiting))
    refused: list[Statement] = []
    refusals: list[str | None] = []
    for helper, outcome in outcomes.items():
        if isinstance(outcome, LostConnection):
            refused.append(Statement(helper, Knowledge.OUT_OF_REACH, outcome.problem))
            refusals.append(None)
        elif isinstance(outcome, ServiceError):
            text = outcome.problem.removeprefix(f"H{helper} ")
            refused.append(Statement(helper, Knowledge.LOST_THE_QUERY, text))
            refusals.insert(0, outcome.refusal)
        elif isinstance(outcome, Exception):
            raise outcome
    if not refused:
        return
    failed = {each.helper for each in refused}
    taken = [service for service in services if service.helper not in failed]
    query_id = submission.asked.query_id
    others = _withdrawn(taken, query_id, waiting)
    raise ServiceError(
        f"query {query_id} was not submitted: {in_one_sentence(refused)}{others}", refusals[0]
    )


def _withdrawn(taken: Sequence[Service], query_id: str, waiting: Waiting) -> str:
    """Withdraw a query where it was taken, and say what becomes of it there."""
    path = query_path(query_id)
    outcomes = at_once(
        taken, lambda one: ask_service(one, "DELETE", path, timeout=waiting.request_timeout)
    )
    left = [helper for helper, outcome in outcomes.items() if isinstance(outcome, Exception)]
    gone = [helper for helper in outcomes if helper not in left]
    return "".join(
        f"; what {helpers_named(sorted(helpers))} took {becomes}"
        for helpers, becomes in ((gone, "is withdrawn"), (left, "expires there"))
        if helpers
    )


def _submit_to(service: Service, submission: Submission, waiting: Waiting) -> None:
    """Submit the query to a helper; while that is out of reach it is tried again, for a while."""
    give_up = monotonic() + waiting.reach
    while True:
        try:
            return _submit_once(service, submission, waiting)
        except LostConnection:
            if monotonic() >= give_up:
                raise
        sleep(FIRST_PAUSE)


def _submit_once(service: Service, submission: Submission, waiting: Waiting) -> None:
    asked, stream = submission.asked, submission.streams[service.helper]
    path = (
        f"{query_path(asked.query_id)}?{urlencode(asked_to_text(asked), quote_via=quote, safe='')}"
    )
    timeout = waiting.request_timeout + len(stream) / SLOWEST_BYTES_PER_SECOND
    try:
        said = json_object(ask_service(service, "PUT", path, body=stream, timeout=timeout))
    except LostConnection as lost:
        # It may have taken the stream before the connection broke.
        try:
            standing_at(service, asked.query_id, waiting.request_timeout)
        except (ServiceError, LostConnection):
            raise lost from None
    else:
        if said is None or said.get("query_id") != asked.query_id:
            raise ServiceError(f"{service} does not say that it took the query")


def _fetched(services: Sequence[Service], asked: Asked, waiting: Waiting) -> dict[int, Answer]:
    """All three answers, each of which may be anything yet that its helper likes it to be."""
    most = most_answer_bytes(asked)
    answers: dict[int, Answer] = {}
    failures: list[Statement] = []
    for helper, outcome in at_once(services, lambda one: _fetch(one, asked, most, waiting)).items():
        if isinstance(outcome, Answer):
            answers[helper] = outcome
        elif isinstance(outcome, LostConnection):
            failures.append(Statement(helper, Knowledge.OUT_OF_REACH, outcome.problem))
        elif isinstance(outcome, ServiceError):
            failures.append(failure_statement(helper, outcome))
        else:
            raise outcome
    if failures:
        paid = asked.parameters.epsilon is not None
        raise no_answer(asked.query_id, failures, may_be_charged=paid)
    return answers


def _fetch(service: Service, asked: Asked, most: int, waiting: Waiting) -> Answer:
    """A helper's answer; while it is out of reach it is asked again."""
    path = f"{query_path(asked.query_id)}/result"
    give_up = monotonic() + waiting.timeout
    timeout = waiting.request_timeout + most / SLOWEST_BYTES_PER_SECOND
    while True:
        try:
            data = ask_service(service, "GET", path, most=most, timeout=timeout)
            return answer_from_json(data, service.helper, asked)
        except LostConnection:
            if monotonic() >= give_up:
                raise
        sleep(min(LONGEST_PAUSE, waiting.timeout))


def combined_result(submission: Submission, answers: Mapping[int, Answer]) -> ReportQueryResult:
    """What the three answers are together, where they agree.

    Raises: VerificationError, step `release`, that names who answers another query than it was sent, or
        whose word differs from the others'.
    """
    for helper, answer in answers.items():
        if (answer.query, answer.submitted) != (submission.query, submission.reports):
            _refuse(f"H{helper} answers another query than the one that it was sent")
    for name, of in _SAID_ALIKE.items():
        said = {helper: of(answer) for helper, answer in answers.items()}
        others = [h for h in HELPERS if sum(said[h] == word for word in said.values()) == 1]
        if len(others) == 1:
            rest = [helper for helper in HELPERS if helper not in others]
            _refuse(f"H{others[0]} says otherwise than {helpers_named(rest)} {name}")
        if others:
            _refuse(f"no two helpers say the same of {name}")
    return released_result(answers, submission.asked.parameters, {})


_SAID_ALIKE: dict[str, Callable[[Answer], object]] = {
    "how many reports were used": lambda answer: answer.rows,
    "which were dropped": lambda answer: answer.dropped,
    "with which parameters": lambda answer: answer.parameters,
    "what was charged": lambda answer: answer.receipt and answer.receipt.query,
    "how match keys were compressed": lambda answer: answer.compression,
}


def _refuse(problem: str) -> NoReturn:
    raise VerificationError("release", problem)
