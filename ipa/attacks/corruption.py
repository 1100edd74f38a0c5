"""What a corrupted helper party does: to its messages, or with its keys, its products, its input."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Literal, get_args

from ipa.errors import ParameterError
from ipa.network.channel import Message
from ipa.parties import HELPERS
from ipa.ranges import check_integer
from ipa.reports import GenericReports
from ipa.sharing.bits import Columns
from ipa.sharing.prss import KEY_BYTES, Prss
from ipa.sharing.rings import Ring
from ipa.sharing.shared_bits import ColumnPair, SharedBits

Change = Literal["flip", "drop", "truncate", "extend", "replay", "delay"]


class Tampering:
    """An interceptor that changes the messages of one helper in steps that match a pattern.

    `pattern` is a shell pattern for the step's path, `receiver` None for both receivers (lying the
    same way to both). `flip` inverts bit `bit` (modulo the length); `truncate` and `extend` take
    away or add a byte; `replay` sends the message twice; `delay` sends it after the next one to the
    same receiver. `tampered` counts the messages changed.

    Raises: ParameterError for a helper, pattern, receiver, change or bit that cannot be.
    """

    def __init__(
        self,
        helper: int,
        pattern: str,
        change: Change,
        *,
        receiver: int | None = None,
        bit: int = 0,
    ) -> None:
        _check_helper(helper)
        if change not in get_args(Change):
            choices = ", ".join(get_args(Change))
            raise ParameterError(f"change must be one of {choices}, not {change!r}")
        if receiver is not None and (receiver not in HELPERS or receiver == helper):
            raise ParameterError(f"the receiver must be another helper, not {receiver!r}")
        check_integer("bit", bit, 0)
        _check_pattern(pattern)
        self.helper = helper
        self.pattern = pattern
        self.change = change
        self.receiver = receiver
        self.bit = bit
        self.tampered = 0
        self._held: dict[int, Message] = {}

    def afresh(self) -> "Tampering":
        """The same for another run: nothing changed yet, nothing held back."""
        return Tampering(
            self.helper, self.pattern, self.change, receiver=self.receiver, bit=self.bit
        )

    def __call__(self, message: Message) -> Iterable[Message]:
        """The messages to deliver instead of `message`."""
        held = self._held.pop(message.receiver, None) if message.sender == self.helper else None
        if not self._is_target(message):
            return (message,) if held is None else (message, held)
        self.tampered += 1
        if self.change == "delay":
            self._held[message.receiver] = message
            return () if held is None else (held,)
        return self._changed(message)

    def _is_target(self, message: Message) -> bool:
        return (
            message.sender == self.helper
            and (message.payload or self.change not in ("flip", "truncate"))
            and self.receiver in (None, message.receiver)
            and fnmatchcase(message.step, self.pattern)
        )

    def _changed(self, message: Message) -> Iterable[Message]:
        payload = message.payload
        if self.change == "drop":
            return ()
        if self.change == "replay":
            return (message, message)
        if self.change == "truncate":
            return (replace(message, payload=payload[:-1]),)
        if self.change == "extend":
            return (replace(message, payload=payload + b"\x00"),)
        bit = self.bit % (8 * len(payload))
        changed = bytearray(payload)
        changed[bit // 8] ^= 1 << bit % 8
        return (replace(message, payload=bytes(changed)),)


class _CountingPrss(Prss):
    """PRSS of a corrupted helper, which counts in how many draws it deviated.

    The count is one for all its sessions: a network binds a copy of what it is given.
    """

    __slots__ = ("_deviations",)

    def __init__(self, keys: tuple[bytes, bytes]) -> None:
        super().__init__(*keys)
        self._deviations: list[str] = []

    @property
    def tampered(self) -> int:
        """In how many draws the helper deviated."""
        return len(self._deviations)


class _ErringPrss(_CountingPrss):
    """PRSS of a helper that adds an error to its summand of some products."""

    __slots__ = ("_pattern",)

    def __init__(self, keys: tuple[bytes, bytes], pattern: str) -> None:
        super().__init__(keys)
        self._pattern = pattern

    def zero_columns(self, step: str, width: int, rows: int, index: int = 0) -> Columns:
        """The summand of zero, with bit 0 of the first column inverted in steps that match."""
        columns = super().zero_columns(step, width, rows, index)
        if columns and rows and fnmatchcase(step, self._pattern):
            columns[0] ^= 1
            self._deviations.append(step)
        return columns

    def zero_elements(self, step: str, ring: Ring, count: int, index: int = 0) -> list[int]:
        """The summand of zero, with one added to the first element in steps that match."""
        elements = super().zero_elements(step, ring, count, index)
        if elements and fnmatchcase(step, self._pattern):
            elements[0] = ring.add(elements[0], 1)
            self._deviations.append(step)
        return elements


class _OtherKeyPrss(_CountingPrss):
    """PRSS of a helper whose right key is its own invention: every draw is another than it should be."""

    __slots__ = ()

    def __init__(self, keys: tuple[bytes, bytes]) -> None:
        super().__init__((keys[0], os.urandom(KEY_BYTES)))

    def _label(self, step: str, index: int) -> bytes:
        self._deviations.append(step)
        return super()._label(step, index)


def honest_prss(keys: tuple[bytes, bytes]) -> Prss:
    """The pairwise randomness of a helper that uses the keys that it was given."""
    return Prss(*keys)


def honest_inputs(reports: GenericReports) -> GenericReports:
    """The shares that a helper was sent."""
    return reports


@dataclass(frozen=True)
class Attack:
    """One corrupted helper and what it does; what is left out it does honestly.

    `tampering` changes its messages, `prss` makes its pairwise randomness from its keys, `inputs`
    changes the shares it starts from. An attack can be used any number of times: every run starts with
    a tampering of its own. A `prss` that has a property `tampered` tells how often it deviated.

    Raises: ParameterError for a helper that is not 1, 2 or 3.
    """

    helper: int
    tampering: Tampering | None = None
    prss: Callable[[tuple[bytes, bytes]], Prss] = field(default=honest_prss)
    inputs: Callable[[GenericReports], GenericReports] = field(default=honest_inputs)
    what: str = "does what its maker wrote"
    """What it does, in words that follow the helper's name."""

    def __post_init__(self) -> None:
        _check_helper(self.helper)

    @property
    def is_honest(self) -> bool:
        """Whether nothing is done but what an honest helper does."""
        return self.tampering is None and self.prss is honest_prss and self.inputs is honest_inputs


def tamper(
    helper: int, pattern: str, change: Change, *, receiver: int | None = None, bit: int = 0
) -> Attack:
    """Change the messages `helper` sends in steps that match `pattern`; see Tampering.

    Raises: ParameterError for a helper that is not 1, 2 or 3.
    """
    tampering = Tampering(helper, pattern, change, receiver=receiver, bit=bit)
    whose = "all" if receiver is None else f"H{receiver}"
    what = f"changes its messages to {whose} in steps {pattern}: {change}"
    return Attack(helper, tampering, what=what)


def add_error(helper: int, pattern: str) -> Attack:
    """Add an error to every product in steps that match `pattern`, in what is sent and in what is kept.

    Raises: ParameterError for a helper that is not 1, 2 or 3, and for a pattern that is no text.
    """
    _check_pattern(pattern)
    what = f"adds an error to its products in steps {pattern}"
    return Attack(helper, prss=lambda keys: _ErringPrss(keys, pattern), what=what)


def use_other_keys(helper: int) -> Attack:
    """Use a pairwise key of its own in place of the one shared with the right neighbour.

    Raises: ParameterError for a helper that is not 1, 2 or 3.
    """
    return Attack(helper, prss=_OtherKeyPrss, what="uses a pairwise key of its own")


def feed_other_input(helper: int) -> Attack:
    """Start from other shares of the match keys than those received.

    Raises: ParameterError for a helper that is not 1, 2 or 3.
    """

    def change(reports: GenericReports) -> GenericReports:
        """The reports, where the helper's own share of the lowest match key bit is inverted."""

        def inverted(pair: ColumnPair) -> ColumnPair:
            """Its two shares, with the lowest column of the first inverted."""
            return [pair[0][0] ^ 1, *pair[0][1:]], pair[1]

        keys = reports.match_key
        shares = {
            holder: inverted(keys.shares_of(holder)) if holder == helper else keys.shares_of(holder)
            for holder in keys.holders
        }
        return replace(
            reports, match_key=SharedBits(keys.network_name, keys.rows, keys.width, shares)
        )

    return Attack(helper, inputs=change, what="starts from other shares than it was sent")


def _check_pattern(pattern: object) -> None:
    if not isinstance(pattern, str):
        raise ParameterError(
            f"pattern must be text such as 'query/sort/*', not {type(pattern).__name__}"
        )


def _check_helper(helper: int) -> None:
    if helper not in HELPERS:
        raise ParameterError(f"the corrupted helper must be 1, 2 or 3, not {helper!r}")
