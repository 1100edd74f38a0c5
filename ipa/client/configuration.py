"""Helper party networks and the key configuration they publish (spec: Setup).

A network has a name, which never changes, and per helper party a list of public keys, which
does: keys are added and retired (`ipa.client.rotation`), several may be active at once. Clients encrypt
to the active key with the highest id; helpers open with every active key.

The published configuration is JSON (keys in lower-case hexadecimal):

    {"format": "ipa-network-v3", "network": NAME, "match_key_bits": 64, "sharing": "three-party",
     "helpers": [[{"key_id": 1, "kem": "X25519", "status": "active", "public_key": HEX}, ...],
                 [...], [...]],
     "services": [{"address": "helper1.example:8443", "certificate": PEM}, {...}, {...}],
     "report_collectors": [{"name": NAME, "certificate": PEM}, ...]}

The last two lists are empty where the helper parties are no services.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from ipa.client.keys import KemName, PrivateKey, PublicKey, Status, generate_key
from ipa.client.rejection import Reason, reject
from ipa.client.services import (
    HelperService,
    RegisteredCollector,
    check_services,
    services_from_json,
    services_to_json,
)
from ipa.client.shares import Sharing, check_sharing
from ipa.errors import ParameterError
from ipa.names import check_identifier
from ipa.parameters import MAX_MATCH_KEY_BITS
from ipa.parties import HELPERS
from ipa.ranges import check_integer

NETWORK_FORMAT = "ipa-network-v3"
HELPER_KEYS_FORMAT = "ipa-helper-keys-v2"


@dataclass(frozen=True)
class NetworkConfiguration:
    """The public configuration of a helper party network, as user agents retrieve it.

    `helpers` holds the public keys of helpers 1, 2 and 3. `match_key_bits` is the width of all
    match keys encrypted to this network, and `sharing` how they and the report collectors' fields are
    shared among the helpers. Helper parties that are services also publish where helpers 1, 2 and 3
    serve, and which report collectors may submit queries to them.

    Raises: ParameterError unless there are three helpers, each with an active key and without two
    keys of one id, and for services and report collectors that cannot be told apart.
    """

    name: str
    helpers: tuple[tuple[PublicKey, ...], ...]
    match_key_bits: int = 64
    sharing: Sharing = "three-party"
    services: tuple[HelperService, ...] = ()
    report_collectors: tuple[RegisteredCollector, ...] = ()

    def __post_init__(self) -> None:
        check_identifier("a network's name", self.name)
        check_integer("match_key_bits", self.match_key_bits, 1, MAX_MATCH_KEY_BITS)
        check_sharing(self.sharing)
        if len(self.helpers) != len(HELPERS):
            raise ParameterError(f"a network has 3 helper parties, not {len(self.helpers)}")
        for helper, keys in zip(HELPERS, self.helpers, strict=True):
            if len({key.key_id for key in keys}) != len(keys):
                raise ParameterError(f"helper {helper} has two keys with one id")
            if not any(key.status == "active" for key in keys):
                raise ParameterError(f"helper {helper} has no active key")
        check_services(self.services, self.report_collectors)

    def encryption_key(self, helper: int) -> PublicKey:
        """The key to encrypt to helper 1, 2 or 3 with: the active one with the highest id."""
        active = (key for key in self.helpers[helper - 1] if key.status == "active")
        return max(active, key=lambda key: key.key_id)


@dataclass(frozen=True)
class HelperKeys:
    """The active private keys of one helper party of a network; secret, and its repr shows none.

    `match_key_bits` and `sharing` are what the network published. The helper keeps them beside its
    keys, and refuses a query of other match keys before it is charged (SPEC_NOTES: public-reasons).

    Raises: ParameterError when there is no key, or there are two with one id, or for a width or
    sharing that does not exist.
    """

    network_name: str
    helper: int
    keys: tuple[PrivateKey, ...]
    match_key_bits: int = 64
    sharing: Sharing = "three-party"

    def __post_init__(self) -> None:
        check_identifier("a network's name", self.network_name)
        check_integer("a helper", self.helper, 1, len(HELPERS))
        check_integer("match_key_bits", self.match_key_bits, 1, MAX_MATCH_KEY_BITS)
        check_sharing(self.sharing)
        if not self.keys or len({key.key_id for key in self.keys}) != len(self.keys):
            raise ParameterError(f"helper {self.helper} has no keys, or two keys with one id")


def generate_configuration(
    name: str,
    kem: KemName = "X25519",
    match_key_bits: int = 64,
    sharing: Sharing = "three-party",
) -> tuple[NetworkConfiguration, tuple[HelperKeys, HelperKeys, HelperKeys]]:
    """A new network with one key (id 1) per helper party: public part, and each helper's own.

    In a deployment each helper party generates its own key and publishes the public half; here
    one process plays all three. Randomness is the operating system's.

    Raises: ParameterError for a name, KEM, width or sharing that a network cannot have.
    """
    first, second, third = (
        HelperKeys(name, helper, (generate_key(1, kem),), match_key_bits, sharing)
        for helper in HELPERS
    )
    public = tuple(tuple(key.public() for key in own.keys) for own in (first, second, third))
    return NetworkConfiguration(name, public, match_key_bits, sharing), (first, second, third)


def configuration_to_json(configuration: NetworkConfiguration) -> str:
    """The configuration as published; the same network always gives the same text."""
    helpers = [
        [
            {
                "key_id": key.key_id,
                "kem": key.kem,
                "status": key.status,
                "public_key": key.encoded.hex(),
            }
            for key in keys
        ]
        for keys in configuration.helpers
    ]
    document = {
        "format": NETWORK_FORMAT,
        "network": configuration.name,
        "match_key_bits": configuration.match_key_bits,
        "sharing": configuration.sharing,
        "helpers": helpers,
        **services_to_json(configuration.services, configuration.report_collectors),
    }
    return json.dumps(document, indent=2) + "\n"


def configuration_from_json(text: str | bytes) -> NetworkConfiguration:
    """Read a published configuration.

    Raises: ReportError MALFORMED for anything that is none.
    """
    document = _load(text, NETWORK_FORMAT, "the network configuration")
    try:
        helpers = tuple(
            tuple(
                PublicKey(
                    key["key_id"],
                    cast(KemName, key["kem"]),
                    bytes.fromhex(key["public_key"]),
                    cast(Status, key["status"]),
                )
                for key in keys
            )
            for keys in document["helpers"]
        )
        return NetworkConfiguration(
            document["network"],
            helpers,
            document["match_key_bits"],
            document["sharing"],
            *services_from_json(document),
        )
    except (KeyError, TypeError, ValueError) as error:
        reject(Reason.MALFORMED, f"the network configuration is not valid: {_describe(error)}")


def helper_keys_to_json(own: HelperKeys) -> str:
    """A helper party's private keys as JSON: secret, for its own key file only."""
    keys = [
        {"key_id": key.key_id, "kem": key.kem, "private_key": key.secret.hex()} for key in own.keys
    ]
    document = {
        "format": HELPER_KEYS_FORMAT,
        "network": own.network_name,
        "helper": own.helper,
        "match_key_bits": own.match_key_bits,
        "sharing": own.sharing,
        "keys": keys,
    }
    return json.dumps(document, indent=2) + "\n"


def helper_keys_from_json(text: str | bytes) -> HelperKeys:
    """Read a helper party's private keys.

    Raises: ReportError MALFORMED for anything else; it does not quote a word of the contents.
    """
    document = _load(text, HELPER_KEYS_FORMAT, "the key file")
    own = None
    # Refused below, not in an `except`: an error keeps the one it was raised in as its context,
    # which could quote the file.
    with suppress(KeyError, TypeError, ValueError):
        keys = tuple(
            PrivateKey(key["key_id"], cast(KemName, key["kem"]), bytes.fromhex(key["private_key"]))
            for key in document["keys"]
        )
        own = HelperKeys(
            document["network"],
            document["helper"],
            keys,
            document["match_key_bits"],
            document["sharing"],
        )
    if own is None:
        reject(Reason.MALFORMED, "the key file is not valid")
    return own


def _load(text: str | bytes, expected: str, what: str) -> dict[str, Any]:
    document = None
    with suppress(ValueError, RecursionError):  # what is raised holds the whole text
        document = json.loads(text)
    if not isinstance(document, dict) or document.get("format") != expected:
        reject(Reason.MALFORMED, f"{what} must be a JSON object with format {expected!r}")
    return document


def _describe(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
