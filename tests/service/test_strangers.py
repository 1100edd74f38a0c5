"""What strangers, report collectors and peers send a helper party's process does it no harm.

`HYPOTHESIS_PROFILE=thorough python -m pytest tests/service/test_strangers.py` sends 10,000 cases.
"""

import os
import random
import ssl
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from socket import create_connection
from threading import Event

import pytest
from apart_cases import wait_until
from intake_cases import EVENTS
from service_processes import (
    COLLECTOR,
    OTHER_COLLECTOR,
    PARAMETERS,
    PATIENCE,
    SUMS,
    Files,
    ServiceProcesses,
    exact_query,
    service_processes,
)
from stranger_cases import Attacker

from ipa.errors import ServiceError
from ipa.parties import HELPERS
from ipa.service.refusal import Refusal

CASES = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 300
STRANGERS = 100
AT_ONCE = 50
MOST_QUERIES = 16

MORE_MEMORY = 64 << 20
"""How many bytes more a process may have after an attack: what Python keeps for itself."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcesses]:
    options = ("--silence", "600", "--expire", "8", "--most-queries", str(MOST_QUERIES))
    files = Files.make(tmp_path_factory.mktemp("strangers"), with_ledgers=False)
    with service_processes(files, *options) as network:
        yield network


@pytest.fixture(scope="module")
def streams(network: ServiceProcesses) -> tuple[bytes, ...]:
    return network.files.streams_of(EVENTS, PARAMETERS)


FAULTS = f'ipa_refused_requests_total{{refusal="{Refusal.FAULT}"}}'


class Watch:
    """What three processes have: descriptors, threads and memory, when they have nothing to do."""

    def __init__(self, network: ServiceProcesses) -> None:
        self.network = network
        self.before = {helper: self.has(helper) for helper in HELPERS}
        self.memory = {helper: self.resident(helper) for helper in HELPERS}

    def _process(self, helper: int) -> Path:
        return Path("/proc", str(self.network.pid(helper)))

    def has(self, helper: int) -> tuple[int, int]:
        process = self._process(helper)
        return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))

    def resident(self, helper: int) -> int:
        pages = (self._process(helper) / "statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE")

    def assert_as_before(self) -> None:
        """No descriptor and no thread is left, little memory, and a query is answered."""
        for helper in HELPERS:
            wait_until(lambda h=helper: self.has(h) <= self.before[h])  # type: ignore[misc]
            assert self.resident(helper) <= self.memory[helper] + MORE_MEMORY
            assert f" error H{helper} " not in self.network.log(helper)
            assert (
                self.network.metrics(helper)[
                    f'ipa_refused_requests_total{{refusal="{Refusal.FAULT}"}}'
                ]
                == 0
            )


def is_answered(network: ServiceProcesses, streams: tuple[bytes, ...], query_id: str) -> None:
    assert network.ask(streams, exact_query(query_id)).result.sums == SUMS


def test_malformed_requests_offers_and_frames(
    network: ServiceProcesses, streams: tuple[bytes, ...]
) -> None:
    is_answered(network, streams, "before")
    watch, pids = Watch(network), {helper: network.pid(helper) for helper in HELPERS}
    sent = list(Attacker(network, streams, random.Random(CASES)).cases(CASES))
    is_answered(network, streams, "after")
    watch.assert_as_before()
    assert {helper: network.pid(helper) for helper in HELPERS} == pids
    logged = "".join(network.log(helper) for helper in HELPERS)
    assert "query runs query_id=attacked-" in logged
    for case in sent:
        mark = case.mark.encode()
        spellings = (case.mark, mark.hex(), b64encode(mark).decode().rstrip("=")[:-2])
        assert not any(spelling in logged for spelling in spellings), case


def test_a_query_is_answered_in_a_crowd_of_strangers_that_are_silent_or_slow(
    network: ServiceProcesses, streams: tuple[bytes, ...]
) -> None:
    is_answered(network, streams, "before-the-crowd")
    watch, done = Watch(network), Event()
    with ExitStack() as stack:
        slow = []
        for number in range(STRANGERS):
            helper = HELPERS[number % 3]
            if number % 2:
                service = network.service(helper)
                stack.enter_context(create_connection((service.host, service.port), PATIENCE))
            else:
                slow.append(stack.enter_context(network.connect(helper)))
        with ThreadPoolExecutor(1) as pool:
            pool.submit(drip, slow, done)
            try:
                for number in range(2):
                    is_answered(network, streams, f"in-the-crowd-{number}")
            finally:
                done.set()
    watch.assert_as_before()


def drip(connections: list[ssl.SSLSocket], done: Event) -> None:
    """Send a request on each connection, one byte of all of them after another."""
    for byte in b"GET /health HTTP/1.1\r\nX: " + b"y" * 100_000:
        for connection in list(connections):
            if done.is_set():
                return
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                connections.remove(connection)


def test_queries_that_are_submitted_at_once_are_answered_or_refused_with_a_reason(
    network: ServiceProcesses, streams: tuple[bytes, ...]
) -> None:
    watch = Watch(network)
    of = {COLLECTOR: streams}
    of[OTHER_COLLECTOR] = network.files.streams_of(EVENTS, PARAMETERS, OTHER_COLLECTOR)

    def ask(number: int) -> str:
        """Ask as one of the two report collectors; the error, if there is one."""
        collector = (COLLECTOR, OTHER_COLLECTOR)[number % 2]
        asked = replace(exact_query(f"at-once-{number}"), submitter=collector)
        try:
            result = network.ask(of[collector], asked, request_timeout=PATIENCE)
        except ServiceError as error:
            return str(error)
        assert result.result.sums == SUMS
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(ask, range(AT_ONCE)))
    refused = [end for end in ends if end]
    assert len(refused) < AT_ONCE
    reasons = ("ask again later", "it did not begin within")
    assert all(any(reason in end for reason in reasons) for end in refused), refused
    wait_until(lambda: all_ended(network))
    is_answered(network, streams, "after-all")
    watch.assert_as_before()


def all_ended(network: ServiceProcesses) -> bool:
    """Whether nothing waits and nothing runs, at any helper party."""
    name = 'ipa_queries_total{{state="{}"}}'
    counts = [network.metrics(helper) for helper in HELPERS]
    return all(
        each[name.format("waiting")] <= each[name.format("done")] + each[name.format("aborted")]
        for each in counts
    )
