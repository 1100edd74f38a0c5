"""Which protocol suits so many data providers, and what they are capable of."""

from typing import get_args

from ipa.errors import ParameterError
from ipa.halo.lifecycle import ProtocolName


def choose_protocol(providers: int, *, share_shuffle: bool, reach_only: bool) -> ProtocolName:
    """The protocol for so many data providers; `share_shuffle` says whether all of them are capable."""
    if providers == 1:
        return "direct"
    if share_shuffle:
        return "hmss"
    return "reach-only-llv2" if reach_only else "llv2"


def check_protocol(protocol: ProtocolName, providers: int, *, share_shuffle: bool) -> None:
    """Check that so many data providers can take part in the protocol.

    Raises: ParameterError when they cannot.
    """
    if protocol not in get_args(ProtocolName):
        names = ", ".join(get_args(ProtocolName))
        raise ParameterError(f"the protocol must be one of {names}, not {protocol!r}")
    if protocol == "direct" and providers != 1:
        raise ParameterError(
            f"protocol direct is for one data provider, not {providers}: nobody may see the data of "
            "several; choose hmss or llv2"
        )
    if protocol in ("hmss", "hmss-malicious") and not share_shuffle:
        raise ParameterError(
            f"protocol {protocol} needs data providers that can all make shares for it"
        )
