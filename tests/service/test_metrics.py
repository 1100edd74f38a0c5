"""What a helper party counts, in the words of Prometheus."""

import re
from threading import Thread

from ipa.network.costs import Cost
from ipa.service.metrics import MOST_NAMES, OTHER, Metrics
from ipa.service.queries import State
from ipa.service.refusal import Refusal

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="((?:[^"\\\n]|\\["\\n])*)"\})? ([0-9.e+-]+)')


def samples(metrics: Metrics) -> dict[tuple[str, str], float]:
    """Every sample by name and label's value; each has its help and its type above it."""
    found, typed = {}, ""
    text = metrics.text()
    assert text.endswith("\n")
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("# HELP "):
            typed = line.split(" ")[2]
            assert next(lines) == f"# TYPE {typed} counter"
            continue
        match = SAMPLE.fullmatch(line)
        assert match and match[1] == typed
        found[match[1], match[3] or ""] = float(match[4])
    return found


def test_everything_is_counted_under_its_name() -> None:
    metrics = Metrics()
    metrics.reached(State.WAITING)
    metrics.ended(State.DONE)
    metrics.ended(State.ABORTED, "ChannelError")
    metrics.rows(8)
    metrics.rows(4)
    metrics.sent(2, 100)
    metrics.refused(Refusal.REPLAYED)
    metrics.connection_refused("slow handshake")
    found = samples(metrics)
    assert found["ipa_queries_total", "waiting"] == 1
    assert found["ipa_queries_total", "running"] == 0
    assert found["ipa_queries_total", "done"] == found["ipa_queries_total", "aborted"] == 1
    assert found["ipa_aborts_total", "ChannelError"] == 1
    assert found["ipa_rows_total", ""] == 12
    assert (found["ipa_sent_bytes_total", "2"], found["ipa_sent_bytes_total", "3"]) == (100, 0)
    assert found["ipa_refused_requests_total", "submitted before"] == 1
    assert found["ipa_refused_requests_total", "malformed"] == 0
    assert found["ipa_refused_connections_total", "slow handshake"] == 1


def test_steps_are_folded_to_two_levels_without_numbers() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.costs(
            {
                "query/sort/stage-3/compare": Cost(seconds=1.0),
                "query/sort#2": Cost(seconds=0.5),
                "check#17/bits": Cost(seconds=0.25),
                "check": Cost(seconds=0.125),
                "grow/stage-3": Cost(seconds=1.0),
                "grow/stage-12": Cost(seconds=1.0),
            }
        )
    seconds = {
        label: value for (name, label), value in samples(metrics).items() if "seconds" in name
    }
    assert seconds == {"query/sort": 3, "check/bits": 0.5, "check": 0.25, "grow/stage": 4}


def test_there_is_a_bounded_number_of_names() -> None:
    metrics = Metrics()
    for number in range(10 * MOST_NAMES):
        metrics.connection_refused(f"kind {number}")
        metrics.costs({f"step{'x' * number}": Cost(seconds=1.0)})
    found = samples(metrics)
    for counter in ("ipa_refused_connections_total", "ipa_step_seconds_total"):
        assert len([name for name, _ in found if name == counter]) == MOST_NAMES + 1
        assert found[counter, OTHER] == 9 * MOST_NAMES


def test_a_label_is_escaped() -> None:
    metrics = Metrics()
    metrics.connection_refused('a"b\\c\nd')
    assert ("ipa_refused_connections_total", r"a\"b\\c\nd") in samples(metrics)


def test_large_counts_are_exact() -> None:
    metrics = Metrics()
    metrics.sent(1, (1 << 53) - 1)
    assert f'{{peer="1"}} {(1 << 53) - 1}\n' in metrics.text()


def test_threads_lose_no_count() -> None:
    metrics = Metrics()

    def count() -> None:
        for _ in range(500):
            metrics.rows(1)
            metrics.text()

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert samples(metrics)["ipa_rows_total", ""] == 2000
