"""A query is submitted to helper parties that are just starting, if somebody waits for them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from collector_cases import QUICK, ask, hang_up, start_over
from fake_services import FakeNetwork, Request, fake_network
from intake_cases import HOME, answer, world

from ipa.errors import ServiceError
from ipa.service.refusal import Refusal


@pytest.fixture(scope="module")
def running() -> Iterator[FakeNetwork]:
    with fake_network(world().network, HOME.report_collector) as network:
        yield network


@pytest.fixture
def network(running: FakeNetwork, monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    return start_over(running, monkeypatch)


def vanish(network: FakeNetwork, helper: int, times: int) -> list[int]:
    """Have a helper hang up so many times before it takes a stream; what it gives counts them."""
    acts = network.services[helper].acts
    tries: list[int] = []

    def put(request: Request) -> None:
        """Hang up, and in the end do as a helper should."""
        tries.append(1)
        if len(tries) > times:
            acts.clear()
            request.do_PUT()
        else:
            hang_up(request)

    acts |= {"PUT": put, "state": hang_up}
    return tries


def test_a_helper_that_comes_late_gets_its_stream_once(network: FakeNetwork) -> None:
    tries = vanish(network, 2, times=2)
    result = ask(network, waiting=replace(QUICK, reach=60))
    assert result.submitted == answer(world()).submitted
    assert len(tries) == 3
    assert [len(network.services[helper].submitted) for helper in (1, 2, 3)] == [1, 1, 1]


def test_nobody_is_tried_again_unless_asked_to_and_never_for_long(network: FakeNetwork) -> None:
    tries = vanish(network, 3, times=1_000_000)
    with pytest.raises(ServiceError, match="was not submitted: H3"):
        ask(network)
    assert len(tries) == 1
    with pytest.raises(ServiceError, match="was not submitted: H3"):
        ask(network, waiting=replace(QUICK, reach=0.5))
    assert len(tries) > 2


def test_a_refusal_is_not_tried_again(network: FakeNetwork) -> None:
    tries = []

    def refuse(request: Request) -> None:
        """Refuse everybody."""
        tries.append(1)
        request.refuse(Refusal.STOPPING, "this helper party is stopping")

    network.services[1].acts["head"] = refuse
    with pytest.raises(ServiceError, match="H1 refuses"):
        ask(network, waiting=replace(QUICK, reach=60))
    assert len(tries) == 1
