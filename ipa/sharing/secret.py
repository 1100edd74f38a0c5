"""What all shared values have in common: they refuse to be treated as public ones."""

from collections.abc import Callable, Sequence
from typing import NoReturn, Self

from ipa.errors import SecrecyError

Public = int | Sequence[int]
"""A public operand: one number for all rows, or one for each row."""


def needs_messages(written: str, use: str) -> Callable[..., NoReturn]:
    """An operator that no helper can compute alone: it says which protocol does.

    `written` is how it is written, `use` the call to write instead.
    """

    def refuse(self: object, other: object) -> NoReturn:
        """Refuse the operator.

        Raises: SecrecyError.
        """
        raise SecrecyError(
            f"{written} of {type(self).__name__} takes messages between the helpers: use {use} "
            "of ipa.protocols"
        )

    return refuse


class Secret:
    """Base of shared values: refuses every use that would treat a secret as a public value.

    Raises: SecrecyError when it is compared, ordered, counted, iterated over, hashed or made a number
        or a truth value; and when it is pickled with the shares of more than one helper.
    """

    __slots__ = ()

    __array_ufunc__ = None
    """NumPy leaves an operator with one of its arrays on the left to the shared value."""

    @property
    def holders(self) -> tuple[int, ...]:
        """The local helpers, whose shares are here."""
        raise NotImplementedError

    def __copy__(self) -> Self:
        """A shared value never changes, so a copy of it is the value itself, and a deep copy too."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __getstate__(self) -> object:
        """What a pickle holds: the shares of the one helper that is here, in the clear.

        So it goes to that helper's own process, or is kept as secret as its shares.
        """
        if len(self.holders) > 1:
            raise SecrecyError(
                f"a pickle of this {type(self).__name__} would hold the secret, since the shares "
                "of several helpers are here: pickle what one of them holds, "
                "only_helper(value, helper) of ipa.sharing.dealing"
            )
        return super().__getstate__()

    def _refuse(self, *_: object) -> NoReturn:
        raise SecrecyError(
            f"{type(self).__name__} is secret: open it with a protocol, or in a test or notebook "
            "put its shares together with reconstruct_for_testing"
        )

    def _refuse_comparison(self, _: object) -> NoReturn:
        raise SecrecyError(
            f"{type(self).__name__} is secret: compare bits with greater_than(network, x, y) or "
            "equal(network, x, y), whose outcome is shared too, or in a test or notebook put the "
            "shares together with reconstruct_for_testing"
        )

    __bool__ = _refuse
    __int__ = _refuse
    __float__ = _refuse
    __index__ = _refuse
    __eq__ = _refuse_comparison
    __ne__ = _refuse_comparison
    __lt__ = _refuse_comparison
    __le__ = _refuse_comparison
    __gt__ = _refuse_comparison
    __ge__ = _refuse_comparison
    __hash__ = _refuse
    __iter__ = _refuse
    __len__ = _refuse
    __contains__ = _refuse
