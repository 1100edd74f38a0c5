"""What is looked at before a helper party listens: whether all that it was given belongs together."""

from ipa.budget.epochs import utc_text
from ipa.budget.ledger import settings
from ipa.client.configuration import NetworkConfiguration
from ipa.errors import ParameterError
from ipa.network.identities import validity_of
from ipa.network.tls_identity import TlsIdentity
from ipa.service.run import HelperPart
from ipa.service.service_requests import check_has_services


def check_start(
    part: HelperPart, configuration: NetworkConfiguration, identity: TlsIdentity, now: float
) -> None:
    """Check that keys, ledger and certificate are those of this helper party in this network.

    The commitment board must be there and have the ledger's terms, or no query could ever be charged.

    Raises: ParameterError that says what is another's, or that the certificate is not of this day;
        InputError when the ledger or the board cannot be read.
    """
    keys, helper = part.keys, part.helper
    check_has_services(configuration)
    if (keys.network_name, keys.match_key_bits, keys.sharing) != (
        configuration.name,
        configuration.match_key_bits,
        configuration.sharing,
    ):
        raise ParameterError(
            f"the keys are of network {keys.network_name}, the configuration of {configuration.name}, "
            "or their match keys differ"
        )
    published = {key.key_id: key for key in configuration.helpers[helper - 1]}
    for key in keys.keys:
        if key.public() != published.get(key.key_id):
            raise ParameterError(
                f"key {key.key_id} of helper {helper} is not the one that the network published"
            )
    if identity.certificate.strip() != configuration.services[helper - 1].certificate.strip():
        raise ParameterError(f"the certificate is not the one published of helper {helper}")
    begins, ends = validity_of(identity.certificate)
    if not begins <= now <= ends:
        when = f"from {utc_text(int(begins))} to {utc_text(int(ends))}"
        raise ParameterError(f"the certificate of helper {helper} is good {when}, and not now")
    if part.ledger is not None:
        own = settings(part.ledger)
        if (own.network_name, own.helper) != (configuration.name, helper):
            raise ParameterError(
                f"{part.ledger.path}: the ledger is of helper {own.helper} of {own.network_name}"
            )
        if own.terms != part.ledger.board.terms:
            raise ParameterError(
                f"{part.ledger.path}: the commitment board has another budget or clock than the ledger"
            )
