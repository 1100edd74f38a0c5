"""What sites, parties, networks, epochs and queries are called: one rule for reports and ledger."""

import ipaddress
import re
import reprlib
import unicodedata
from collections.abc import Callable
from typing import Protocol

from ipa.errors import ParameterError

MAX_NAME_BYTES = 255

APP_PREFIX = "app:"
"""What the name of an app begins with where a site can be named: no host has a colon in it."""

_APP_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

RegistrableDomain = Callable[[str], str | None]
"""The registrable domain (eTLD+1) of a host, or None for a host that is in none."""


class Named(Protocol):
    """A helper party network, as far as whoever only needs its name is concerned."""

    @property
    def name(self) -> str:
        """The name of the network in this run."""


def name_of(network: Named | str) -> str:
    """The name of a helper party network, from the network or from the name itself.

    Raises: ParameterError for anything else.
    """
    name = network if isinstance(network, str) else getattr(network, "name", None)
    if not isinstance(name, str):
        raise ParameterError(
            f"a helper party network or its name is wanted, not a {type(network).__name__}"
        )
    return name


MAX_EPOCH = (1 << 32) - 1
"""The last epoch: what encrypted match keys have room for."""


def check_identifier(field: str, value: object) -> None:
    """Check that `value` can name a site, a party, a network or a query.

    A name is 1 to 255 bytes of UTF-8. Every character is printable and none of them is a space. The
    first is a letter or digit, so that an exported table cannot be read as a spreadsheet formula. A
    name is in lower case and in Unicode normalization form C, so that it has one spelling and one
    budget. Names are compared byte for byte. Letters of two scripts can still look alike: which names
    are given out is for the registries of domains to rule, and for the helpers when they accept a
    commitment. The name of an app is the exception: `app:` and its identity, as for
    `check_app_identity`, with capitals where the operating system has them.

    Raises: ParameterError for anything else.
    """
    if not is_identifier(value):
        raise ParameterError(
            f"{field} must be 1 to {MAX_NAME_BYTES} bytes of printable lower-case text without "
            "spaces, in Unicode normalization form C, the first a letter or digit, or an app as "
            f"{APP_PREFIX}IDENTITY, not {reprlib.repr(value)}"
        )


def is_identifier(value: object) -> bool:
    """Whether `check_identifier` accepts the value."""
    if isinstance(value, str) and value.startswith(APP_PREFIX):
        return len(value) <= MAX_NAME_BYTES and is_app_identity(value.removeprefix(APP_PREFIX))
    return (
        isinstance(value, str)
        and value.isprintable()  # no lone surrogates either: it can be encoded
        and " " not in value
        and 1 <= len(value.encode()) <= MAX_NAME_BYTES
        and value[0].isalnum()
        and value == value.lower()
        and unicodedata.is_normalized("NFC", value)
    )


def check_app_identity(field: str, value: object) -> None:
    """Check that `value` can be what an operating system calls an app, such as com.Example.App.

    It is letters and digits of ASCII, dots, hyphens and underscores, the first a letter or digit, and
    short enough for a name. Capitals stay as they are (SPEC_NOTES: app-identity).

    Raises: ParameterError for anything else.
    """
    if not is_app_identity(value):
        raise ParameterError(
            f"{field} must be 1 to {MAX_NAME_BYTES - len(APP_PREFIX)} ASCII letters, digits, dots, "
            f"hyphens and underscores, the first a letter or digit, not {reprlib.repr(value)}"
        )


def is_app_identity(value: object) -> bool:
    """Whether `check_app_identity` accepts the value."""
    return (
        isinstance(value, str)
        and len(value) <= MAX_NAME_BYTES - len(APP_PREFIX)
        and _APP_IDENTITY.fullmatch(value) is not None
    )


def host_itself(host: str) -> str:
    """The registrable domain of a host where nobody knows better: the host.

    Then a.example and www.a.example are two sites with a budget each: whoever owns one domain can
    make up sites without end. It is for tests and for closed sets of sites
    (SPEC_NOTES: registrable-domains).
    """
    return host


def by_public_suffix_list() -> RegistrableDomain:
    """Registrable domains by the public suffix list, as browsers have it, private part included.

    The list is the one that the package `publicsuffixlist` carries, of the day of its release.
    Nothing is fetched.

    Raises: ParameterError where that package, of the extra `sites`, is not installed.
    """
    try:
        # Imported here: an optional extra, and a list of ten thousand suffixes to read.
        from publicsuffixlist import PublicSuffixList
    except ImportError:
        raise ParameterError(
            "the public suffix list needs the package publicsuffixlist: pip install "
            "'ipa-reference[sites]'"
        ) from None
    suffixes = PublicSuffixList()

    def registrable_domain(host: str) -> str | None:
        """The host's registrable domain; None for a public suffix."""
        found = suffixes.privatesuffix(host)
        return found if isinstance(found, str) else None

    return registrable_domain


def site_of(name: str, registrable_domain: RegistrableDomain = host_itself) -> str:
    """The website/app that a host or an app belongs to (spec: Parties Involved).

    An app, `app:` and its identity, is a site of its own. So is a numeric address. Any other host
    belongs to its registrable domain, which `registrable_domain` tells. Budgets, commitments and
    contexts must know sites by this name alone; `check_site` is for those who are handed one.

    A domain in letters of other scripts is named by them and not by its Punycode, so that it has one
    name.

    Raises: ParameterError for a name that is no host, and for a host without a registrable domain.
    """
    check_identifier("a site", name)
    if name.startswith(APP_PREFIX):
        return name
    if _is_address(name):
        return name
    if not _is_host(name):
        raise ParameterError(
            f"a site must be a host in Unicode, such as shop.example, not {name!r}"
        )
    site = registrable_domain(name)
    if site is None:
        raise ParameterError(f"{name} is no site: it is a public suffix, and nobody's domain")
    check_identifier("a registrable domain", site)
    if site != name and not name.endswith(f".{site}"):
        raise ParameterError(f"{name} is not in the registrable domain that was given for it")
    return site


def check_site(
    field: str, name: object, registrable_domain: RegistrableDomain = host_itself
) -> None:
    """Check that `name` is a site, and not merely a host of one.

    For a ledger when a site commits, and for helpers when they compare a query's header: what they
    accept must be what `site_of` gives, or one site has two budgets.

    Raises: ParameterError for anything else.
    """
    check_identifier(field, name)
    site = site_of(str(name), registrable_domain)
    if site != name:
        raise ParameterError(f"{field} must be a registrable domain: {site}, not {name}")


def _is_host(name: str) -> bool:
    """Whether a name is labels with dots between, as a domain's, and not the Punycode of another."""
    labels = name.split(".")
    return not labels[-1].isdecimal() and all(
        label
        and not label.startswith("xn--")
        and all(c in "-_" or c.isalnum() or unicodedata.category(c)[0] == "M" for c in label)
        for label in labels
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
