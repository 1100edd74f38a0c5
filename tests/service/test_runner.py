"""A run that cannot even begin, for the system has no thread left: it ends, and its place is free."""

from collections.abc import Iterator
from types import ModuleType
from typing import NoReturn

import pytest
from intake_cases import world
from peer_cases import close_sockets, is_closed, socket_pair
from service_cases import small_query, submit

from ipa.names import host_itself
from ipa.network import sockets
from ipa.service import runner
from ipa.service.metrics import Metrics
from ipa.service.queries import Queries, QueryLimits, State
from ipa.service.run import HelperPart
from ipa.service.runner import Runner


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Closes what a test leaves open."""
    yield
    close_sockets()


class NoThread:
    """A thread where there is none left."""

    def __init__(self, **given: object) -> None:
        pass

    def start(self) -> NoReturn:
        raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("module", [runner, sockets], ids=["of the run", "of its connections"])
def test_without_a_thread_a_run_ends_and_its_place_is_free(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType
) -> None:
    part = HelperPart(keys=world().keys[0], ledger=None, registrable_domain=host_itself)
    at = Runner(part, Queries(QueryLimits()), Metrics(), 1, 5.0, lambda: 0.0)
    query = submit(at.queries, small_query(), world().streams[0])
    pairs = {peer: socket_pair() for peer in (2, 3)}
    assert at.begin(query) and at.is_busy()
    monkeypatch.setattr(module, "Thread", NoThread)
    connections = {peer: own for peer, (own, _) in pairs.items()}
    (at.run_in_thread if module is runner else at.run)(query, connections)
    assert query.state is State.ABORTED and query.reason.startswith("H1 has ")
    assert not at.is_busy() and not at._channels
    assert all(is_closed(other) for _, other in pairs.values())
