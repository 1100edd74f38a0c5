"""A report collector that asks fake services, for the tests of its side."""

from socket import SHUT_RDWR
from typing import Any

import pytest
from answer_cases import Answered, exact
from fake_services import FakeNetwork, Request
from intake_cases import world

import ipa.service.watching
from ipa.errors import IpaError, ServiceError
from ipa.network.tls_identity import TlsIdentity
from ipa.report_query import ReportQueryResult
from ipa.service.collector import ask_services
from ipa.service.watching import Waiting

QUICK = Waiting(timeout=20, request_timeout=5, last_words=0.3)


def start_over(network: FakeNetwork, monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    """The services answer the exact query as they should, and nobody waits for long."""
    monkeypatch.setattr(ipa.service.watching, "FIRST_PAUSE", 0.005)
    network.start_over()
    answer_honestly(network, exact())
    return network


def answer_honestly(network: FakeNetwork, answered: Answered) -> None:
    for helper, service in network.services.items():
        service.answers(answered.asked.query_id, answered.answers[helper])


def ask(
    network: FakeNetwork,
    answered: Answered | None = None,
    identity: TlsIdentity | None = None,
    waiting: Waiting = QUICK,
) -> ReportQueryResult:
    return ask_services(
        network.configuration,
        identity or network.identity,
        world().streams,
        (answered or exact()).asked,
        waiting=waiting,
    )


def refused(network: FakeNetwork, kind: type[IpaError] = ServiceError, **options: Any) -> str:
    with pytest.raises(kind) as caught:
        ask(network, **options)
    assert type(caught.value) is kind
    return str(caught.value)


def hang_up(request: Request) -> None:
    request.connection.shutdown(SHUT_RDWR)
    request.close_connection = True
