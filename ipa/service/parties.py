"""Who is at the other end of a connection: known by the certificate it showed, whatever it says."""

import ssl
from dataclasses import dataclass
from typing import Literal

from ipa.client.configuration import NetworkConfiguration

Role = Literal["peer", "report collector", "operator", "stranger"]


@dataclass(frozen=True)
class Party:
    """Who showed a certificate, or none: then it is a stranger.

    A peer has its number as `helper`; a report collector its name; an operator is whoever holds this
    helper party's own key.
    """

    role: Role
    helper: int | None = None
    name: str = ""

    def __str__(self) -> str:
        return self.name if self.helper is None else f"H{self.helper}"


STRANGER = Party("stranger", name="a stranger")


def party_of(configuration: NetworkConfiguration, helper: int, certificate: bytes | None) -> Party:
    """The party that has this certificate (DER) in the eyes of helper `helper`.

    TLS has made sure that it holds the certificate's key. A certificate that the network did not
    publish, whoever signed it, is a stranger's.
    """
    if certificate is None:
        return STRANGER
    for number, service in enumerate(configuration.services, start=1):
        if ssl.PEM_cert_to_DER_cert(service.certificate) == certificate:
            if number == helper:
                return Party("operator", name="the operator")
            return Party("peer", helper=number)
    for collector in configuration.report_collectors:
        if ssl.PEM_cert_to_DER_cert(collector.certificate) == certificate:
            return Party("report collector", name=collector.name)
    return STRANGER
