"""The first argument of a step: a helper party network, or an error that says what to hand in."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork


def check_network(network: object) -> None:
    """Check that this is a helper party network.

    Raises: ParameterError for anything else, such as its name.
    """
    if not isinstance(network, HelperPartyNetwork):
        by_name = ": the network itself, not its name" if isinstance(network, str) else ""
        raise ParameterError(
            f"a helper party network is wanted, such as simulated_network gives, not a "
            f"{type(network).__name__}{by_name}"
        )


def checking_networks(module: str, names: Iterable[str], members: dict[str, Any]) -> dict[str, Any]:
    """Those of the named members of a module that take a network first, each with a check of it.

    The library's own modules call each other without it, so that no inner loop is slower.
    """
    return {
        name: _checking(module, members[name])
        for name in names
        if inspect.isfunction(members[name])
        and next(iter(inspect.signature(members[name]).parameters)) == "network"
    }


def _checking(module: str, step: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(step)
    def checked(*arguments: Any, **named: Any) -> Any:
        """The step, once its first argument is known to be a network."""
        if arguments:
            check_network(arguments[0])
        elif "network" in named:
            check_network(named["network"])
        return step(*arguments, **named)

    checked.__module__ = module  # where a pickle finds it
    return checked
