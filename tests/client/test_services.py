"""Helper parties as services: their addresses, whose certificates are whose, and their renewal."""

from dataclasses import replace

import pytest
from certificate_cases import (
    ADDRESSES,
    COLLECTORS,
    certificate_of_another_kind,
    fixed_certificate,
    fixed_key,
    fixed_services,
    key_in_pem,
    service_network,
)
from client_cases import fixed_network

from ipa.certificates import read_certificate
from ipa.client.rotation import replace_service
from ipa.client.services import (
    HelperService,
    RegisteredCollector,
    check_service_address,
    split_address,
)
from ipa.errors import ParameterError

CERTIFICATE = fixed_certificate(9)


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("localhost:1", "localhost", 1),
        ("Helper_1.Example:65535", "helper_1.example", 65535),
        ("a-b.1a.x9:80", "a-b.1a.x9", 80),
        (f"{'a' * 63}.example:443", f"{'a' * 63}.example", 443),
        ("127.0.0.1:8443", "127.0.0.1", 8443),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("[::]:0", "::", 0),
        ("[2001:DB8:0::1]:8443", "2001:db8::1", 8443),
    ],
)
def test_an_address_is_split(address: str, host: str, port: int) -> None:
    assert split_address(address) == (host, port)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "host",
        ":80",
        "host:",
        "host:65536",
        "host:123456",
        "host:080",
        "host:-1",
        "host:+1",
        "host:8 ",
        "host:80\n",
        " host:80",
        "host:\u0663",
        "https://host:80",
        "user@host:80",
        "host:80/path",
        "h\u00f6st.example:80",
        "host..example:80",
        "host.example.:80",
        "-host:80",
        "host-:80",
        f"{'a' * 64}:80",
        f"{'a.' * 127}a:80",
        "1.2.3:80",
        "256.0.0.1:80",
        "1.2.3.0x4:80",
        "1.2.3.04:80",
        "::1:80",
        "[::1]",
        "[::1%eth0]:80",
        "[127.0.0.1]:80",
        "[host]:80",
        "[]:80",
        "[:::1]:80",
        b"host:80",
        ("host", 80),
        None,
        80,
    ],
)
def test_what_is_no_address_is_refused(address: object) -> None:
    with pytest.raises(ParameterError, match="must be HOST:PORT, such as"):
        split_address(address)
    with pytest.raises(ParameterError, match="the field: an address must be HOST:PORT"):
        check_service_address("the field", address)


@pytest.mark.parametrize("address", ["host:0", "0.0.0.0:80", "[::]:80", "[0::0]:80"])
def test_a_service_is_where_others_can_connect_to(address: str) -> None:
    with pytest.raises(ParameterError, match=r"a helper's address: .* no address to connect to"):
        HelperService(address, CERTIFICATE)


def test_an_overlong_address_is_not_quoted_whole() -> None:
    with pytest.raises(ParameterError) as raised:
        split_address("x" * 100_000)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "x",
        None,
        b"",
        "\udcff",
        CERTIFICATE.encode(),
        CERTIFICATE[:-40],
        CERTIFICATE.replace("CERTIFICATE", "PUBLIC KEY"),
        key_in_pem(fixed_key(9)),
        fixed_certificate(9, signed_by=8),
        certificate_of_another_kind(),
    ],
)
def test_what_is_no_certificate_is_refused(wrong: object) -> None:
    for make in (
        lambda: HelperService("host:80", wrong),  # type: ignore[arg-type]
        lambda: RegisteredCollector("a.example", wrong),  # type: ignore[arg-type]
    ):
        with pytest.raises(ParameterError, match=r"the certificate of .* must be one certificate"):
            make()


@pytest.mark.parametrize(
    "more",
    [
        CERTIFICATE + fixed_certificate(8),
        CERTIFICATE + key_in_pem(fixed_key(9)),
        key_in_pem(fixed_key(9)) + CERTIFICATE,
        CERTIFICATE.replace("\n", "\r\n"),
        f"party 9\n{CERTIFICATE}",
        f"{CERTIFICATE}\n",
        CERTIFICATE.rstrip(),
    ],
)
def test_a_certificate_stands_alone_so_that_no_private_key_is_published(more: str) -> None:
    secret = key_in_pem(fixed_key(9)).splitlines()[1]
    with pytest.raises(ParameterError, match="must be the certificate alone") as raised:
        HelperService("host:80", more)
    assert secret not in str(raised.value)


def test_a_certificate_is_read() -> None:
    key = read_certificate("it", CERTIFICATE).public_key()
    assert key == fixed_key(9).public_key()


def test_the_error_of_a_certificate_says_whose_it_is() -> None:
    with pytest.raises(ParameterError, match="of the helper at host:80 must"):
        HelperService("host:80", "")
    with pytest.raises(ParameterError, match=r"of report collector 'a\.example' must"):
        RegisteredCollector("a.example", "")
    with pytest.raises(ParameterError, match="a report collector's name must be"):
        RegisteredCollector("A", CERTIFICATE)


def test_a_network_has_services_of_all_helpers_or_none() -> None:
    network = service_network()
    assert [service.address for service in network.services] == list(ADDRESSES)
    assert [collector.name for collector in network.report_collectors] == list(COLLECTORS)
    assert replace(network, report_collectors=()).services == network.services
    for count in (1, 2):
        with pytest.raises(ParameterError, match=f"3 services or none, not {count}"):
            replace(network, services=network.services[:count])
    with pytest.raises(ParameterError, match="3 services or none, not 4"):
        replace(network, services=(*network.services, HelperService("x:1", CERTIFICATE)))
    with pytest.raises(ParameterError, match="report collectors are registered with services"):
        replace(network, services=())


@pytest.mark.parametrize("address", ["HELPER1.example:8443", ADDRESSES[0]])
def test_two_helpers_are_not_at_one_address(address: str) -> None:
    with pytest.raises(ParameterError, match="helper 3 has the address of another helper"):
        replace_service(service_network(), 3, HelperService(address, CERTIFICATE))
    same_host = HelperService("helper1.example:8444", CERTIFICATE)
    assert replace_service(service_network(), 3, same_host).services[2] == same_host


def test_a_report_collector_is_registered_once() -> None:
    network = service_network()
    again = RegisteredCollector(COLLECTORS[0], CERTIFICATE)
    with pytest.raises(ParameterError, match=r"collector 'search\.example' is registered twice"):
        replace(network, report_collectors=(*network.report_collectors, again))


@pytest.mark.parametrize("serial", [1, 2])
def test_no_party_can_be_taken_for_another(serial: int) -> None:
    """Not even by another certificate of the same key."""
    network = service_network()
    third = HelperService(ADDRESSES[2], fixed_certificate(1, serial=serial))
    with pytest.raises(ParameterError, match="helper 1 and helper 3 have certificates of one key"):
        replace(network, services=(*network.services[:2], third))
    for number, party in ((2, "helper 2"), (4, r"report collector 'search\.example'")):
        twin = RegisteredCollector("twin.example", fixed_certificate(number, serial=serial))
        said = rf"{party} and report collector 'twin\.example' have certificates of one key"
        with pytest.raises(ParameterError, match=said):
            replace(network, report_collectors=(*network.report_collectors, twin))


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_a_certificate_is_renewed_and_a_helper_moves(helper: int) -> None:
    network = service_network()
    moved = HelperService("elsewhere.example:443", CERTIFICATE)
    renewed = replace_service(network, helper, moved)
    expected = list(fixed_services())
    expected[helper - 1] = moved
    assert renewed == replace(network, services=tuple(expected))
    again = HelperService(ADDRESSES[helper - 1], fixed_certificate(helper, serial=2))
    assert replace_service(network, helper, again).services[helper - 1] == again


def test_what_cannot_be_renewed() -> None:
    moved = HelperService("elsewhere.example:443", CERTIFICATE)
    for helper in (0, 4):
        with pytest.raises(ParameterError, match="a helper must be an integer from 1 to 3"):
            replace_service(service_network(), helper, moved)
    with pytest.raises(ParameterError, match=r"of network 'net\.example' are no services"):
        replace_service(fixed_network()[0], 1, moved)
    with pytest.raises(ParameterError, match="helper 1 and helper 2 have certificates of one key"):
        replace_service(service_network(), 2, HelperService("x:1", fixed_certificate(1)))
