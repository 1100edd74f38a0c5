"""Certificates and their private keys in files: private, whole, and nobody else's."""

import os
import ssl
import stat
from pathlib import Path

import pytest
from certificate_cases import (
    certificate_of_another_kind,
    fixed_certificate,
    fixed_key,
    key_in_pem,
)
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tls_cases import speak

from ipa.certificates import read_certificate
from ipa.errors import ReportError
from ipa.names import check_identifier
from ipa.network.identities import (
    collector_identity_file_name,
    identity_file_name,
    load_identity,
    save_identity,
)
from ipa.network.tls import pinned_context
from ipa.network.tls_identity import TlsIdentity, identity_of, new_identity

GOOD = key_in_pem(fixed_key(1)) + fixed_certificate(1)


def fixed_identity(number: int) -> TlsIdentity:
    return identity_of(fixed_key(number), read_certificate("it", fixed_certificate(number)))


def key_of_another_kind() -> str:
    """The private key of an elliptic curve, in PEM."""
    return (
        ec.derive_private_key(7, ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def test_what_is_saved_is_loaded_and_connects(tmp_path: Path) -> None:
    own = {number: new_identity(f"helper {number}", days=30) for number in (1, 2)}
    for number, identity in own.items():
        save_identity(tmp_path / identity_file_name(number), identity)
    loaded = {number: load_identity(tmp_path / f"helper{number}.tls.pem") for number in (1, 2)}
    for number, identity in loaded.items():
        assert identity.certificate == own[number].certificate
        assert identity.password not in (own[number].password, b"")
        assert b"ENCRYPTED" in identity.private_key
    server = pinned_context(loaded[1], own[2].certificate, as_server=True)
    speak(server, pinned_context(loaded[2], own[1].certificate, as_server=False))


def test_the_file_is_what_other_programs_read(tmp_path: Path) -> None:
    path = tmp_path / "own.pem"
    save_identity(path, fixed_identity(1))
    assert path.read_text() == GOOD
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "own.pem"
    save_identity(path, fixed_identity(1))
    path.chmod(mode)
    with pytest.raises(ReportError, match=rf"own\.pem may be read by others \(mode 0{mode:o}\)"):
        load_identity(path)
    save_identity(path, fixed_identity(1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_identity(path).certificate == fixed_certificate(1)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_file_is_private_from_its_first_byte_and_saved_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.pem"
    save_identity(path, fixed_identity(1))
    seen: list[int] = []

    def fail(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    old_mask = os.umask(0)
    try:
        with pytest.raises(OSError, match="disk full"):
            save_identity(path, fixed_identity(2))
    finally:
        os.umask(old_mask)
    assert seen == [0o600]
    assert [file.name for file in tmp_path.iterdir()] == ["own.pem"]
    assert path.read_text() == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "\u20ac",
        fixed_certificate(1),
        key_in_pem(fixed_key(1)),
        fixed_certificate(1) + key_in_pem(fixed_key(1)),
        key_in_pem(fixed_key(2)) + fixed_certificate(1),
        key_in_pem(fixed_key(1)) + fixed_certificate(1, signed_by=2),
        key_in_pem(fixed_key(1)) + certificate_of_another_kind(),
        GOOD + fixed_certificate(1),
        key_in_pem(fixed_key(1)) + GOOD,
        key_in_pem(fixed_key(1)) + "more\n" + fixed_certificate(1),
        GOOD + key_in_pem(fixed_key(1)),
        GOOD + "\n",
        "\n" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("MC4", "MC5", 1),
        GOOD.replace("MC4", "", 1),
        f"-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n{fixed_certificate(1)}",
        fixed_identity(1).private_key.decode() + fixed_certificate(1),
        key_of_another_kind() + fixed_certificate(1),
    ],
)
def test_what_is_no_identity_is_refused_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.pem"
    path.write_bytes(text.encode())
    path.chmod(0o600)
    with pytest.raises(ReportError, match=r"own\.pem: must be an Ed25519 private key") as raised:
        load_identity(path)
    secret = key_in_pem(fixed_key(1)).splitlines()[1]
    error: BaseException | None = raised.value
    while error is not None:
        assert secret not in repr(vars(error)) + repr(error.args)
        error = error.__context__


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"none\.pem cannot be read: No such file"):
        load_identity(tmp_path / "none.pem")
    with pytest.raises(ReportError, match="cannot be read: Is a directory"):
        load_identity(tmp_path)


def test_names_of_files() -> None:
    assert [identity_file_name(helper) for helper in (1, 2, 3)] == [
        "helper1.tls.pem",
        "helper2.tls.pem",
        "helper3.tls.pem",
    ]
    for name, expected in (
        ("search.example", "search.example"),
        ("a_b-9", "a_b-9"),
        ("app:com.Example", "app%3Acom.%45xample"),
        ("a/../b", "a%2F..%2Fb"),
        ("a%2f~", "a%252f%7E"),
        ("\u00fc", "%C3%BC"),
    ):
        check_identifier("it", name)
        assert collector_identity_file_name(name) == f"collector-{expected}.tls.pem"


def test_every_name_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Also where a file system takes capitals for small letters, and however long the name is."""
    names = [
        "a" * 160,
        "a" * 161,
        "a" * 255,
        "\u00fc" * 127,
        "\u00fc" * 126 + "a",
        "app:A",
        "app:a",
    ]
    files = [collector_identity_file_name(name) for name in names]
    assert len({file.lower() for file in files}) == len(names)
    assert len(files[0]) == max(map(len, files)) == 178
    for file in files:
        save_identity(tmp_path / file, fixed_identity(1))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
