"""What all shared values have in common: they refuse to be treated as public ones."""

from typing import NoReturn

from ipa.errors import SecrecyError


class Secret:
    """Base of shared values: refuses every use that would treat a secret as a public value.

    Raises: SecrecyError when it is compared, ordered, counted, iterated over, hashed or made a number
        or a truth value.
    """

    __slots__ = ()

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
