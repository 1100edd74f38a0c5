"""A helper party's view: all that it has seen of a run.

The view is what a proof of privacy is about: whatever a helper computes from it, it could have computed
by itself, if the view of another input is distributed in the same way (`compare_views`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipa.display.disclosure import keys_shown
from ipa.display.markup import Markup
from ipa.display.messages import messages_table
from ipa.display.numbers import plural
from ipa.display.records import html_of
from ipa.display.style import framed
from ipa.display.tables import facts, folded
from ipa.network.channel import Message, shown_step
from ipa.parties import HELPERS, right_of
from ipa.ranges import check_integer
from ipa.sharing.bits import encode_columns
from ipa.sharing.rings import encode_elements
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements


@dataclass(frozen=True)
class View:
    """What one helper saw: `held` are its shares of the values named, `received` what it was sent.

    Of its two pairwise keys only the names are here. What it sent it has computed from all this.
    """

    helper: int
    held: Mapping[str, SharedBits | SharedElements]
    received: tuple[Message, ...]

    @property
    def keys(self) -> tuple[str, str]:
        """The names of its pairwise keys."""
        return keys_shown(self.helper)

    def __repr__(self) -> str:
        size = sum(len(message.payload) for message in self.received)
        return (
            f"<View of H{self.helper}: shares of {plural(len(self.held), 'value')}, "
            f"{plural(len(self.received), 'message')} received, {plural(size, 'byte')}>"
        )

    def _repr_html_(self) -> Markup:
        keys = facts([("keys", " and ".join(self.keys))])
        held = [folded(name, html_of(value)) for name, value in self.held.items()]
        received = messages_table(self.received, shown_step)
        return framed(repr(self)[1:-1], keys, *held, received)

    def parts(self) -> Iterator[tuple[str, bytes]]:
        """Everything in it as bytes, by what it is: shares first, then messages in order."""
        for name, value in self.held.items():
            for share, data in zip(
                (self.helper, right_of(self.helper)), _encoded(value, self.helper), strict=True
            ):
                yield f"its share x{share} of {name}", data
        for message in self.received:
            yield f"{shown_step(message.step)}, from H{message.sender}", message.payload


def view_of(
    helper: int, received: Sequence[Message], held: Mapping[str, SharedBits | SharedElements]
) -> View:
    """The view of one helper, with nothing in it of another's shares.

    Raises: ParameterError when it is no helper, MismatchError when its shares are not here.
    """
    check_integer("helper", helper, HELPERS[0], HELPERS[-1])
    own = {name: _only(value, helper) for name, value in held.items()}
    return View(helper, own, tuple(received))


def _only(value: SharedBits | SharedElements, helper: int) -> SharedBits | SharedElements:
    if isinstance(value, SharedBits):
        shares = {helper: value.shares_of(helper)}
        return SharedBits(value.network_name, value.rows, value.width, shares)
    elements = {helper: value.shares_of(helper)}
    return SharedElements(value.network_name, value.ring, value.count, elements)


def _encoded(value: SharedBits | SharedElements, helper: int) -> list[bytes]:
    if isinstance(value, SharedBits):
        return [encode_columns(share, value.rows) for share in value.shares_of(helper)]
    return [encode_elements(value.ring, share) for share in value.shares_of(helper)]
