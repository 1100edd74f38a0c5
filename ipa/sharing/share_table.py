"""A shared value beside the secret, for a notebook whose author has put the secret together."""

from collections.abc import Sequence

from ipa.display.markup import Markup
from ipa.display.shown import Shown
from ipa.errors import MismatchError
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements


def share_table(value: SharedBits | SharedElements, secret: Sequence[int] | None = None) -> Shown:
    """The first rows of what each local helper holds of `value`, as a notebook shows it.

    `secret` are all its rows or elements, for a column more: what `reconstruct_for_testing(value)`
    gives. Without it no secret is shown.

    Raises: MismatchError when there are not as many as the value has.
    """
    count = value.rows if isinstance(value, SharedBits) else value.count
    if secret is not None and len(secret) != count:
        raise MismatchError(f"lengths differ: {len(secret)} numbers for {count} rows")
    return Shown(repr(value)[1:-1], Markup(value.html(secret)))
