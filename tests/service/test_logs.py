"""What a helper party logs: lines of text or JSON, and never a share, a key or a sealed match key."""

import base64
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from intake_cases import world
from service_cases import small_query, three_services

from ipa.network.channel import Message
from ipa.parties import HELPERS
from ipa.service import run
from ipa.service.logs import LOGGER, LogFormat, log_to, tell, tell_fault
from ipa.service.pairwise_keys import agree_on_pairwise_keys
from ipa.service.run import MeteredChannel

WINDOW = 9
"""So many bytes of a secret in a row are looked for: twelve characters of base64."""


@contextmanager
def logged(helper: int = 2, wanted: LogFormat = "text") -> Iterator[io.StringIO]:
    """What the service logs meanwhile."""
    before, stream = (LOGGER.level, LOGGER.propagate), io.StringIO()
    handler = log_to(stream, helper, wanted)
    try:
        yield stream
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(before[0])
        LOGGER.propagate = before[1]


def test_an_event_is_a_line_of_text() -> None:
    with logged() as stream:
        tell("query done", query_id="q", seconds=1.23456, rows=7, reason="it's over", empty="")
    when, rest = stream.getvalue().split(" ", 1)
    assert when.endswith("+00:00") and len(when) == len("2026-01-01T00:00:00.000+00:00")
    assert (
        rest == 'info H2 query done query_id=q seconds=1.235 rows=7 reason="it\'s over" empty=""\n'
    )


def test_an_event_is_an_object_of_json() -> None:
    with logged(3, "json") as stream:
        tell("query done", query_id="q", seconds=1.25, reason="two\nlines")
    event = json.loads(stream.getvalue())
    assert stream.getvalue().count("\n") == 1
    del event["time"]
    assert event == {
        "level": "info",
        "helper": 3,
        "event": "query done",
        "query_id": "q",
        "seconds": 1.25,
        "reason": "two\nlines",
    }


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[2J", "\u202e", "a\r", "\u2028"])
def test_no_field_breaks_its_line_or_moves_the_cursor(text: str) -> None:
    with logged() as stream:
        tell("event", field=text)
    line = stream.getvalue()
    assert line.endswith("\n") and line[:-1].isprintable()


@pytest.mark.parametrize("wanted", ["text", "json"])
def test_a_fault_says_where_and_not_what(wanted: LogFormat) -> None:
    secret = str(271828 * 10**6)
    with logged(wanted=wanted) as stream:
        try:
            raise ValueError(f"the share is {secret}")
        except ValueError as error:
            tell_fault("fault", error, query_id="q")
    line = stream.getvalue()
    assert "ValueError" in line and "test_logs.py" in line and "error" in line and "q" in line
    assert secret not in line and line.count("\n") == 1


def spelled(secret: bytes) -> Iterator[str]:
    """How a secret, or a part of it, could be written down."""
    yield str(int.from_bytes(secret, "big"))
    yield str(int.from_bytes(secret, "little"))
    for start in range(max(1, len(secret) - WINDOW + 1)):
        part = secret[start : start + WINDOW]
        yield part.hex()
        yield base64.b64encode(part).decode()
        yield base64.urlsafe_b64encode(part).decode()
        yield repr(part)[2:-1]
        yield ", ".join(map(str, part))


def leaks(log: str, secrets: list[bytes]) -> bool:
    """Whether something of a secret is in a log, whatever the case of its letters."""
    lowered, told = log.lower(), log
    return any(
        text in told or text.lower() in lowered for secret in secrets for text in spelled(secret)
    )


def test_the_search_for_leaks_finds_them() -> None:
    secret = bytes(range(7, 207, 5))
    assert not leaks("a log of 7 lines", [secret])
    for text in (
        secret.hex().upper(),
        base64.b64encode(secret).decode(),
        base64.b64encode(b"xy" + secret).decode(),
        str(int.from_bytes(secret, "little")),
        repr(b"x" + secret),
        str(list(secret)),
        secret[20:29].hex(),
    ):
        assert leaks(f"a {text} b", [secret])


class _Everything(logging.Handler):
    """Keeps every record with all that is in it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(f"{record.getMessage()} {vars(record)}")


@pytest.mark.parametrize("way", ["done", "fault", "aborted"])
def test_nothing_secret_of_a_run_is_logged(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    secrets: list[bytes] = []
    send, agree, everything = MeteredChannel.send, agree_on_pairwise_keys, _Everything()

    def noting(self: MeteredChannel, message: Message) -> None:
        secrets.append(message.payload)
        if len(secrets) == 60 and way == "fault":
            raise ValueError(f"{message.payload.hex()} {message.payload!r}")
        if len(secrets) == 60 and way == "aborted":
            message = Message(message.step, message.sender, message.receiver, bytes(1))
        send(self, message)

    def agreed(*given: Any) -> tuple[bytes, bytes]:
        secrets.extend(keys := agree(*given))
        return keys

    monkeypatch.setattr(MeteredChannel, "send", noting)
    monkeypatch.setattr(run, "agree_on_pairwise_keys", agreed)
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(everything)
    LOGGER.addHandler(everything)
    try:
        with logged() as text, logged(wanted="json") as lines, three_services(silence=20) as made:
            LOGGER.setLevel(logging.DEBUG)
            made.submit(small_query())
            states = {query.state.value for query in made.ended().values()}
    finally:
        LOGGER.removeHandler(everything)
        root.removeHandler(everything)
        root.setLevel(level)
    assert states == ({"done"} if way == "done" else {"aborted"})
    secrets += [record for h in HELPERS for record in world().stream(h).records]
    secrets += [key.secret for own in world().keys for key in own.keys]
    secrets = [secret for secret in secrets if len(secret) >= WINDOW]
    log = text.getvalue() + lines.getvalue() + "".join(everything.told)
    assert "query runs" in log and ("query done" in log) == (way == "done")
    assert len(secrets) > 20 and not leaks(log, secrets)
