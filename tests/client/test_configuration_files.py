"""The files that networks and keys live in: private, whole, and of this version."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from client_cases import fixed_network

from ipa.client.configuration import (
    configuration_from_json,
    configuration_to_json,
    generate_configuration,
    helper_keys_from_json,
    helper_keys_to_json,
)
from ipa.client.key_files import (
    create_network_directory,
    load_all_helper_keys,
    load_configuration,
    load_helper_keys,
    save_configuration,
    save_helper_keys,
)
from ipa.client.rotation import add_key
from ipa.errors import ParameterError, ReportError


def test_network_directory(tmp_path: Path) -> None:
    network, own = generate_configuration("net.example")
    directory = tmp_path / "deep" / "network"
    create_network_directory(directory, network, own)
    names = ["helper1.key.json", "helper2.key.json", "helper3.key.json", "network.json"]
    assert sorted(path.name for path in directory.iterdir()) == names
    for name in names[:3]:
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
    assert load_configuration(directory / "network.json") == network
    assert load_all_helper_keys(directory) == own


@pytest.mark.parametrize("name", ["network.json", "helper2.key.json"])
def test_a_network_directory_is_never_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    network, own = generate_configuration("net.example")
    with pytest.raises(ParameterError, match=f"{name} exists"):
        create_network_directory(tmp_path, network, own)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_private_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.json"
    _, own = generate_configuration("net.example")
    save_helper_keys(path, own[0])
    path.chmod(mode)
    with pytest.raises(ReportError, match="may be read by others"):
        load_helper_keys(path)
    save_helper_keys(path, own[0])
    assert load_helper_keys(path) == own[0]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_private_key_file_is_private_from_its_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    old_mask = os.umask(0)
    try:
        save_helper_keys(tmp_path / "key.json", generate_configuration("net.example")[1][0])
    finally:
        os.umask(old_mask)
    assert seen == [0o600]


def test_saving_replaces_or_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "network.json"
    network, own = generate_configuration("net.example")
    save_configuration(path, network)
    newer, _ = add_key(network, own[0])

    def fail(_: int) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="disk full"):
            save_configuration(path, newer)
    assert [file.name for file in tmp_path.iterdir()] == ["network.json"]
    assert load_configuration(path) == network
    save_configuration(path, newer)
    assert load_configuration(path) == newer


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    network, own = generate_configuration("net.example")
    with pytest.raises(ReportError, match="cannot be read"):
        load_configuration(tmp_path / "none.json")
    with pytest.raises(ReportError, match="is a directory: give the file in it"):
        load_configuration(tmp_path)
    create_network_directory(tmp_path, network, own)
    (tmp_path / "helper1.key.json").write_bytes((tmp_path / "helper2.key.json").read_bytes())
    with pytest.raises(ReportError, match="another helper's keys"):
        load_all_helper_keys(tmp_path)
    save_helper_keys(tmp_path / "helper1.key.json", own[0])
    for change in (
        {"network_name": "other.example"},
        {"match_key_bits": 63},
        {"sharing": "two-party"},
    ):
        save_helper_keys(tmp_path / "helper3.key.json", replace(own[2], **change))
        with pytest.raises(ReportError, match="another helper's keys"):
            load_all_helper_keys(tmp_path)


def test_files_of_earlier_versions_are_refused() -> None:
    """The first say neither how match keys are shared nor, for a helper, how wide they are.

    The second ones of networks do not say where helpers serve.
    """
    network, own = fixed_network()
    for text, read, version, members in (
        (
            configuration_to_json(network),
            configuration_from_json,
            3,
            ("match_key_bits", "sharing", "services", "report_collectors"),
        ),
        (helper_keys_to_json(own[0]), helper_keys_from_json, 2, ("match_key_bits", "sharing")),
    ):
        assert f"-v{version}" in text
        for earlier in range(version):
            with pytest.raises(ReportError, match="must be a JSON object with format"):
                read(text.replace(f"-v{version}", f"-v{earlier}"))
        for name in members:
            with pytest.raises(ReportError, match="is not valid"):
                read(text.replace(name, "other"))


@pytest.mark.parametrize("text", ['{"k": "s3cret"', '{"k": "s3cret"}', '"s3cret\udcff"', "{}"])
@pytest.mark.parametrize("private_key", ["s3cret", "00"])
def test_no_error_keeps_the_contents_of_a_key_file(
    tmp_path: Path, text: str, private_key: str
) -> None:
    keys = [{"key_id": 1, "kem": "X25519", "private_key": private_key}]
    near = {"format": "ipa-helper-keys-v2", "network": "n", "helper": 1, "keys": keys}
    near |= {"match_key_bits": 64, "sharing": "three-party"}
    for content in (text, json.dumps(near)):
        path = tmp_path / "key"
        path.write_bytes(content.encode(errors="surrogateescape"))
        path.chmod(0o600)
        with pytest.raises(ReportError) as raised:
            load_helper_keys(path)
        error: BaseException | None = raised.value
        while error is not None:
            assert isinstance(error, ReportError)
            assert "s3cret" not in repr(vars(error)) + repr(error.args)
            error = error.__context__
