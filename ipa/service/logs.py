"""What a helper party logs: events with named fields, as lines of text or of JSON.

A field is a number, a name that was checked, or a sentence of this program: never a share, a key, a
sealed match key, or what a stranger sent.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Literal, TextIO

LogFormat = Literal["text", "json"]

LOGGER = logging.getLogger("ipa.service")
"""Who wants the events of a service handles this logger's, as the standard module says."""

_FIELDS = "fields"


def tell(event: str, **fields: object) -> None:
    """Log an event."""
    LOGGER.info(event, extra={_FIELDS: fields})


def tell_fault(event: str, error: BaseException, **fields: object) -> None:
    """Log an error that is a fault of this program: where it happened, and not what it says.

    The text of such an error may hold what was being computed.
    """
    where = "".join(traceback.format_tb(error.__traceback__))
    LOGGER.error(event, extra={_FIELDS: fields | {"error": type(error).__name__, "where": where}})


class _Formatter(logging.Formatter):
    """An event as a line: its time, level, name and fields."""

    def __init__(self, helper: int, wanted: LogFormat) -> None:
        super().__init__()
        self._helper = helper
        self._wanted = wanted

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        fields: dict[str, object] = getattr(record, _FIELDS, {})
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        level = record.levelname.lower()
        if self._wanted == "json":
            known = {"time": when, "level": level, "helper": self._helper}
            return json.dumps(known | {"event": record.getMessage()} | fields)
        told = "".join(f" {name}={_shown(value)}" for name, value in fields.items())
        return f"{when} {level} H{self._helper} {record.getMessage()}{told}"


def _shown(value: object) -> str:
    """A value as one word, or quoted."""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if text and text.isprintable() and " " not in text else json.dumps(text)


def log_to(stream: TextIO, helper: int, wanted: LogFormat = "text") -> logging.Handler:
    """Have this process's service log to the stream; the handler, to be removed in the end."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter(helper, wanted))
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    return handler
