"""Helper parties that are services: where they are, and by which certificates parties know each other.

Both are parts of a network's published configuration. A party is whoever has the private key of the
certificate that the configuration gives it; nothing else about a certificate is believed
(SPEC_NOTES: service-certificates).
"""

import ipaddress
import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipa.certificates import key_of, read_certificate
from ipa.errors import ParameterError
from ipa.names import check_identifier
from ipa.parties import HELPERS

MAX_PORT = (1 << 16) - 1
MAX_HOST_CHARACTERS = 253

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(0|[1-9][0-9]{0,4})")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


@dataclass(frozen=True)
class HelperService:
    """Where a helper party serves, `host:port`, and the certificate in PEM that it shows there.

    Raises: ParameterError for an address nobody can connect to, and for what is no certificate.
    """

    address: str
    certificate: str

    def __post_init__(self) -> None:
        check_service_address("a helper's address", self.address)
        read_certificate(f"the certificate of the helper at {self.address}", self.certificate)


@dataclass(frozen=True)
class RegisteredCollector:
    """A report collector that may submit queries, and the certificate in PEM that it shows then.

    Raises: ParameterError for what is no name, and for what is no certificate.
    """

    name: str
    certificate: str

    def __post_init__(self) -> None:
        check_identifier("a report collector's name", self.name)
        read_certificate(f"the certificate of report collector {self.name!r}", self.certificate)


def split_address(address: object) -> tuple[str, int]:
    """Host and port of `host:port`, where an IPv6 address stands in brackets.

    The host is returned without brackets, a name in lower case, a numeric address in its usual
    spelling. Port 0 is for who listens: any port that is free.

    Raises: ParameterError for anything else, and for a host that is no name in ASCII and no address.
    """
    found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if found:
        host = _numeric_host(found[1], 6) if found[1] else _host(found[2].lower())
        if host is not None and int(found[3]) <= MAX_PORT:
            return host, int(found[3])
    raise ParameterError(
        "an address must be HOST:PORT, such as helper1.example:8443 or [::1]:8443, the host in ASCII "
        f"and the port a number up to {MAX_PORT}, not {reprlib.repr(address)}"
    )


def check_service_address(field: str, address: object) -> None:
    """Check that `address` is one that others can connect to.

    Raises: ParameterError, which names the field, for anything else.
    """
    try:
        host, port = split_address(address)
    except ParameterError as error:
        raise ParameterError(f"{field}: {error}") from None
    if port == 0 or host in ("0.0.0.0", "::"):
        raise ParameterError(
            f"{field}: {address} can be listened on, but is no address to connect to"
        )


def check_services(
    services: Sequence[HelperService], report_collectors: Sequence[RegisteredCollector]
) -> None:
    """Check that the parties of a network can be told apart.

    Raises: ParameterError unless there are no services and no report collectors, or a service for each
    helper, each at an address of its own; and when two parties have one name or one key.
    """
    if len(services) not in (0, len(HELPERS)):
        raise ParameterError(f"a network has 3 services or none, not {len(services)}")
    if report_collectors and not services:
        raise ParameterError("report collectors are registered with services, and there are none")
    places = [split_address(service.address) for service in services]
    for helper, place in enumerate(places, 1):
        if place in places[: helper - 1]:
            raise ParameterError(f"helper {helper} has the address of another helper")
    names = [collector.name for collector in report_collectors]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ParameterError(f"report collector {name!r} is registered twice")
    certificates = {
        f"helper {helper}": service.certificate for helper, service in enumerate(services, 1)
    }
    certificates |= {
        f"report collector {each.name!r}": each.certificate for each in report_collectors
    }
    owners: dict[bytes, str] = {}
    for party, certificate in certificates.items():
        key = key_of(
            read_certificate(f"the certificate of {party}", certificate)
        ).public_bytes_raw()
        if key in owners:
            raise ParameterError(f"{owners[key]} and {party} have certificates of one key")
        owners[key] = party


def services_to_json(
    services: Sequence[HelperService], report_collectors: Sequence[RegisteredCollector]
) -> dict[str, list[dict[str, str]]]:
    """The two members of a published configuration that say this."""
    return {
        "services": [
            {"address": service.address, "certificate": service.certificate} for service in services
        ],
        "report_collectors": [
            {"name": collector.name, "certificate": collector.certificate}
            for collector in report_collectors
        ],
    }


def services_from_json(
    document: Mapping[str, Any],
) -> tuple[tuple[HelperService, ...], tuple[RegisteredCollector, ...]]:
    """What these two members of a published configuration hold.

    Raises: KeyError, TypeError or ParameterError where they do not.
    """
    for member in ("services", "report_collectors"):
        if not isinstance(document[member], list):
            raise ParameterError(f"{member} must be a list")
    services = tuple(
        HelperService(service["address"], service["certificate"])
        for service in document["services"]
    )
    collectors = tuple(
        RegisteredCollector(collector["name"], collector["certificate"])
        for collector in document["report_collectors"]
    )
    return services, collectors


def _host(text: str) -> str | None:
    """A host without brackets: a name, or an IPv4 address if its last label could be part of one."""
    labels = text.split(".")
    if labels[-1].isdecimal() or labels[-1].startswith("0x"):
        return _numeric_host(text, 4)
    fits = len(text) <= MAX_HOST_CHARACTERS and all(map(_LABEL.fullmatch, labels))
    return text if fits else None


def _numeric_host(text: str, version: int) -> str | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return str(found) if found.version == version else None
