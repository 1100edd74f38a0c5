"""`ipa keygen` for helper parties that are services: certificates beside keys, all of them or none."""

import stat
import time
from ipaddress import ip_address
from pathlib import Path

import pytest
from certificate_cases import certificates_of
from command_cases import fails
from cryptography.x509 import SubjectAlternativeName

from ipa.certificates import read_certificate
from ipa.client.key_files import load_all_helper_keys, load_configuration
from ipa.commands.command_line import main
from ipa.network.identities import load_identity, save_identity, validity_of
from ipa.network.tls_identity import TlsIdentity

DAY = 24 * 3600
ADDRESSES = ("localhost:8001", "192.0.2.2:8002", "[2001:db8::3]:8003")
SERVE = ["keygen", "--out", "net", "--serve", *ADDRESSES]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def days_of(certificate: str) -> int:
    """For how many days from now a certificate is good, to the nearest day."""
    return round((validity_of(certificate)[1] - time.time()) / DAY)


def hosts_in(certificate: str) -> list[object]:
    """The names and the addresses in a certificate."""
    found = read_certificate("it", certificate).extensions
    named = [each.value for each in found if isinstance(each.value, SubjectAlternativeName)]
    return [each.value for names in named for each in names]


def test_every_party_gets_its_certificate(capsys: pytest.CaptureFixture[str]) -> None:
    collectors = ["news.example", "app:com.Example.App"]
    words = [f"--report-collector={name}" for name in collectors]
    assert main([*SERVE, *words, "--certificate-days", "30", "--name", "net.example"]) == 0
    assert capsys.readouterr().out == (
        "net: network net.example, one X25519 key per helper; services at localhost:8001, "
        "192.0.2.2:8002, [2001:db8::3]:8003, for news.example, app:com.Example.App; certificates "
        "good for 30 days\n"
    )
    own = [f"helper{helper}.tls.pem" for helper in (1, 2, 3)]
    theirs = ["collector-news.example.tls.pem", "collector-app%3Acom.%45xample.%41pp.tls.pem"]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in Path("net").iterdir()}
    keys = [f"helper{helper}.key.json" for helper in (1, 2, 3)]
    assert modes == dict.fromkeys([*own, *theirs, *keys], 0o600) | {"network.json": 0o644}
    network = load_configuration(Path("net/network.json"))
    assert [service.address for service in network.services] == list(ADDRESSES)
    assert [collector.name for collector in network.report_collectors] == collectors
    for name, certificate in zip([*own, *theirs], certificates_of(network), strict=True):
        assert load_identity(Path("net", name)).certificate == certificate
        assert days_of(certificate) == 30
    for text in Path("net", "network.json").read_text(), repr(network):
        assert "PRIVATE" not in text
    assert list(map(hosts_in, certificates_of(network))) == [
        ["localhost"],
        [ip_address("192.0.2.2")],
        [ip_address("2001:db8::3")],
        [],
        [],
    ]
    assert load_all_helper_keys(Path("net"))[0].network_name == network.name


def test_without_collectors_certificates_are_good_for_a_year(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(SERVE) == 0
    assert "for no report collector; certificates good for 365 days" in capsys.readouterr().out
    network = load_configuration(Path("net/network.json"))
    assert network.report_collectors == ()
    assert [days_of(service.certificate) for service in network.services] == [365] * 3


def test_a_network_that_is_no_service_has_no_certificates(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["keygen", "--out", "net"]) == 0
    said = "net: network helpers.example, one X25519 key per helper\n"
    assert capsys.readouterr().out == said
    assert not list(Path("net").glob("*.pem"))
    assert load_configuration(Path("net/network.json")).services == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--report-collector", "a"], "--report-collector is for helper parties as services: it"),
        (["--certificate-days", "9"], "--certificate-days is for helper parties as services: it"),
        (["--serve", "a:1", "b:2"], "argument --serve: expected 3 arguments"),
        (["--serve", "a:1", "b:2", "c"], "--serve: helper 3: an address must be HOST:PORT"),
        (["--serve", "a:1", "b:x", "c:3"], "--serve: helper 2: an address must be HOST:PORT"),
        (["--serve", "a:0", "b:2", "c:3"], "--serve: helper 1: a:0 can be listened on, but"),
        (["--serve", "a:1", "b:2", "a:1"], "helper 3 has the address of another helper"),
        ([*SERVE[3:], "--report-collector", "a b"], "--report-collector must be 1 to 255 bytes"),
        (
            [*SERVE[3:], "--report-collector", "a", "--report-collector", "a"],
            "report collector 'a' is registered twice",
        ),
        (
            [*SERVE[3:], "--certificate-days", "0"],
            "argument --certificate-days: must be an integer of at least 1",
        ),
        ([*SERVE[3:], "--certificate-days", "1.5"], "argument --certificate-days: must be an"),
        (
            [*SERVE[3:], "--certificate-days", "36526"],
            "--certificate-days must be an integer from 1 to 36525, not 36526",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_is_written(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    fails(capsys, 2, said, ["keygen", "--out", "net", *words])


def test_a_network_is_written_whole_or_not_at_all_and_published_last(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[set[str]] = []

    def full(path: Path, identity: TlsIdentity) -> None:
        there.append({file.name for file in path.parent.iterdir()})
        if path.name.startswith("collector-"):
            raise OSError(28, "No space left on device")
        save_identity(path, identity)

    monkeypatch.setattr("ipa.commands.keygen.save_identity", full)
    said = "net: cannot be written: No space left on device"
    fails(capsys, 2, said, [*SERVE, "--report-collector", "a"])
    assert there[-1] == {f"helper{helper}.tls.pem" for helper in (1, 2, 3)}


def test_a_name_of_any_length_can_be_a_report_collector() -> None:
    names = ["x" * 255, "\u00fc" * 127]
    words = [f"--report-collector={name}" for name in names]
    assert main([*SERVE, *words]) == 0
    assert len(list(Path("net").glob("collector-*~*.tls.pem"))) == 2
    network = load_configuration(Path("net/network.json"))
    assert [collector.name for collector in network.report_collectors] == names
