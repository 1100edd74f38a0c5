"""What all shared values have in common: they refuse to be treated as public ones."""

from typing import NoReturn, Self

from ipa.errors import SecrecyError


class Secret:
    """Base of shared values: refuses every use that would treat a secret as a public value.

    Raises: SecrecyError when it is compared, ordered, counted, iterated over, hashed or made a number
        or a truth value; and when it is pickled with the shares of more than one helper.
    """

    __slots__ = ()

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

    __bool__ = _refuse
    __int__ = _refuse
    __float__ = _refuse
    __index__ = _refuse
    __eq__ = _refuse
    __ne__ = _refuse
    __lt__ = _refuse
    __le__ = _refuse
    __gt__ = _refuse
    __ge__ = _refuse
    __hash__ = _refuse
    __iter__ = _refuse
    __len__ = _refuse
    __contains__ = _refuse
