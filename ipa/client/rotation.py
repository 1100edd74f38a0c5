"""What changes in a published configuration: keys are added and retired, certificates renewed.

A key is retired when the budget has closed of the last epoch in which match keys were encrypted to it:
no query can hold reports made with it any more, so no report is lost (SPEC_NOTES: key-rotation).
"""

from dataclasses import replace

from ipa.client.configuration import HelperKeys, NetworkConfiguration
from ipa.client.keys import MAX_KEY_ID, KemName, PublicKey, generate_key
from ipa.client.services import HelperService
from ipa.errors import ParameterError
from ipa.parties import HELPERS
from ipa.ranges import check_integer


def add_key(
    configuration: NetworkConfiguration, own: HelperKeys, kem: KemName = "X25519"
) -> tuple[NetworkConfiguration, HelperKeys]:
    """Helper `own.helper` adds a fresh active key with the next id: from now on it is encrypted to.

    Raises: ParameterError when `own` belongs to another network or the ids are used up.
    """
    _check_owner(configuration, own)
    key_id = 1 + max(key.key_id for key in configuration.helpers[own.helper - 1])
    if key_id > MAX_KEY_ID:
        raise ParameterError(f"helper {own.helper} has used all {MAX_KEY_ID} key ids")
    key = generate_key(key_id, kem)
    keys = (*configuration.helpers[own.helper - 1], key.public())
    return _with_keys(configuration, own.helper, keys), replace(own, keys=(*own.keys, key))


def retire_key(
    configuration: NetworkConfiguration,
    own: HelperKeys,
    key_id: int,
    *,
    budget_closes: int,
    now: int,
    compromised: bool = False,
) -> tuple[NetworkConfiguration, HelperKeys]:
    """Helper `own.helper` retires a key: the private key is gone, reports under it are refused.

    `budget_closes` is when the budget closes of the last epoch in which match keys were encrypted to
    the key, and `now` is the time, both in Unix seconds. Until then a query may hold reports made
    with it (SPEC_NOTES: key-rotation). A key that others may know is `compromised`: it is retired at
    once, and the reports made with it are lost.

    Raises: ParameterError when there is no such active key, it is the last one, or it is too early.
    """
    _check_owner(configuration, own)
    if now < budget_closes and not compromised:
        raise ParameterError(
            f"key {key_id} of helper {own.helper} must be kept for {budget_closes - now} more seconds: "
            "until then queries may hold reports made with it"
        )
    keys = configuration.helpers[own.helper - 1]
    if not any(key.key_id == key_id and key.status == "active" for key in keys):
        raise ParameterError(f"helper {own.helper} has no active key with id {key_id}")
    retired = tuple(replace(k, status="retired") if k.key_id == key_id else k for k in keys)
    left = tuple(key for key in own.keys if key.key_id != key_id)
    return _with_keys(configuration, own.helper, retired), replace(own, keys=left)


def replace_service(
    configuration: NetworkConfiguration, helper: int, service: HelperService
) -> NetworkConfiguration:
    """The configuration in which helper 1, 2 or 3 has moved or has a new certificate.

    Raises: ParameterError for another helper, for a network without services, and when the address or
    the key is another party's.
    """
    check_integer("a helper", helper, 1, len(HELPERS))
    if not configuration.services:
        raise ParameterError(f"the helpers of network {configuration.name!r} are no services")
    services = list(configuration.services)
    services[helper - 1] = service
    return replace(configuration, services=tuple(services))


def _check_owner(configuration: NetworkConfiguration, own: HelperKeys) -> None:
    if configuration.name != own.network_name:
        raise ParameterError(
            f"the keys belong to network {own.network_name!r}, not {configuration.name!r}"
        )


def _with_keys(
    configuration: NetworkConfiguration, helper: int, keys: tuple[PublicKey, ...]
) -> NetworkConfiguration:
    helpers = (*configuration.helpers[: helper - 1], keys, *configuration.helpers[helper:])
    return replace(configuration, helpers=helpers)
