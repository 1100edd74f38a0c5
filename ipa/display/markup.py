"""Markup that is well-formed by construction: elements of text, attributes and other elements.

It is HTML and XML at once: every element is closed, every attribute quoted.
"""

import re
from html import escape

_NOT_TEXT = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may contain, escaped or not."""


class Markup(str):
    """Text that is markup already, and so is not escaped again."""

    __slots__ = ()


def text(value: object) -> Markup:
    """The value as text: escaped, unless it is markup; characters that cannot be shown are replaced."""
    if isinstance(value, Markup):
        return value
    return Markup(escape(_NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", str(value)), quote=True))


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """One element. Attributes that are None are left out.

    Names of attributes are written with `_` for `-`, and with a `_` at the end where they are Python's.
    """
    pairs = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{pairs}>{joined(*children)}</{tag}>")


def joined(*parts: object) -> Markup:
    """The parts one after another."""
    return Markup("".join(map(text, parts)))
