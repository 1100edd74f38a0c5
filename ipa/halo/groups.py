"""Which groups there are, by name."""

from typing import Any, Literal

from ipa.errors import ParameterError
from ipa.halo.ed25519 import Ed25519
from ipa.halo.group import ClearGroup, Group
from ipa.halo.p256 import P256, PythonP256

GroupName = Literal["p256", "p256-python", "ed25519", "clear"]

_GROUPS: dict[str, type[Group[Any]]] = {
    "p256": P256,
    "p256-python": PythonP256,
    "ed25519": Ed25519,
    "clear": ClearGroup,
}


def group_by_name(name: str) -> Group[Any]:
    """The group of that name.

    Raises: ParameterError when there is none, or its package is not installed.
    """
    if name not in _GROUPS:
        raise ParameterError(f"the group must be {', '.join(_GROUPS)}, not {name!r}")
    return _GROUPS[name]()
