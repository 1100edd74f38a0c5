"""The compose file gives every party what is its own and no more, and its commands work together."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from ipa.commands.command_line import _parser
from ipa.service.local_services import free_addresses

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples/service"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
HELPERS = ["helper1", "helper2", "helper3"]


def mounts(name: str) -> dict[str, str]:
    """The volumes of a service by where they are mounted, those that it can write with an asterisk."""
    parts = [volume.split(":") for volume in SERVICES[name]["volumes"]]
    return {place: volume + ("" if mode == ["ro"] else "*") for volume, place, *mode in parts}


def commands(name: str) -> list[list[str]]:
    """The `ipa` commands of a service, as words."""
    said = SERVICES[name]["command"]
    lines = [said] if isinstance(said, str) else said[-1].splitlines()
    return [words[1:] for words in map(shlex.split, lines) if words[0] == "ipa"]


def test_the_parties_are_who_they_should_be() -> None:
    assert list(SERVICES) == ["made", *HELPERS, "submit"]
    assert [len(commands(name)) for name in SERVICES] == [3, 1, 1, 1, 1]


@pytest.mark.parametrize("name", SERVICES)
def test_every_command_can_be_parsed(name: str) -> None:
    for words in commands(name):
        arguments = _parser(words).parse_args(words)
        assert arguments.run.__module__ == f"ipa.commands.{words[0]}"


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_has_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    for unwanted in ("privileged", "cap_add", "ports", "user", "devices", "pid", "ipc"):
        assert unwanted not in service
    assert re.search(r"^USER (?!root|0)\w+$", DOCKERFILE, re.MULTILINE)
    assert COMPOSE["networks"] == {"parties": {"internal": True}}
    if name == "made":
        assert service["network_mode"] == "none"


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_a_helper_is_given_its_own_secrets_alone(helper: int) -> None:
    name = f"helper{helper}"
    assert mounts(name) == {
        "/helper": name,
        "/ledger": f"ledger{helper}*",
        "/board": "board*",
        "/public": "public",
    }
    (words,) = commands(name)
    arguments = _parser(words).parse_args(words)
    assert arguments.helper == helper
    assert str(arguments.ledger) == f"/ledger/{name}.ledger"
    assert (arguments.no_budget, arguments.seed) == (False, None)
    assert SERVICES[name]["environment"] == {"NAME": name}
    assert SERVICES[name]["depends_on"] == {"made": {"condition": "service_completed_successfully"}}


def test_the_report_collector_waits_for_healthy_helpers_and_has_no_secret_of_theirs() -> None:
    assert mounts("submit") == {"/collector": "collector", "/public": "public"}
    assert SERVICES["submit"]["depends_on"] == {
        name: {"condition": "service_healthy"} for name in HELPERS
    }


def test_every_volume_and_every_place_is_there() -> None:
    used = {volume.rstrip("*") for name in SERVICES for volume in mounts(name).values()}
    assert used == set(COMPOSE["volumes"])
    made = re.search(r"mkdir -p (.*?) \\\n    && chown", DOCKERFILE, re.DOTALL)
    assert made
    places = set(made[1].replace("\\\n", " ").split())
    assert {place for name in SERVICES for place in mounts(name)} == places


def test_the_image_has_what_its_build_copies() -> None:
    kept = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists()
            assert f"!{source}" in kept


def test_docker_takes_it() -> None:
    words = ["docker", "compose"]
    if shutil.which("docker") is None or subprocess.run([*words, "version"]).returncode:
        pytest.skip("there is no docker with compose here")
    done = subprocess.run([*words, "-f", str(FOLDER / "compose.yaml"), "config", "-q"])
    assert done.returncode == 0


@contextmanager
def running(words: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    """A process that is stopped with the context."""
    with subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def test_what_the_containers_do_works_without_them(tmp_path: Path) -> None:
    """Every command runs, with a folder for each volume and loopback for the network."""
    addresses = dict(zip(HELPERS, free_addresses(), strict=True))
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(tmp_path),
    }
    for volume in COMPOSE["volumes"]:
        (tmp_path / volume).mkdir()

    def here(name: str, text: str) -> str:
        """What a service says, with the folders and the addresses of this machine."""
        for place, volume in mounts(name).items():
            text = re.sub(rf"(?<![\w$]){place}\b", str(tmp_path / volume.rstrip("*")), text)
        for helper, address in addresses.items():
            text = text.replace(f"{helper}:8443", address)
        text = text.replace("0.0.0.0:8443", addresses.get(name, ""))
        return text.replace("/ipa/events.csv", str(ROOT / "examples/events.csv"))

    made = here("made", SERVICES["made"]["command"][-1].replace("$$", "$"))
    made = made.replace("/made/$helper", f"{tmp_path}/$helper")
    for _ in range(2):  # the second time it finds everything there
        subprocess.run(["sh", "-ec", made], env=environment, check=True, stdout=subprocess.DEVNULL)
    for helper in HELPERS:
        names = {path.name for path in (tmp_path / helper).iterdir()}
        assert names == {f"{helper}.key.json", f"{helper}.tls.pem"}
    with ExitStack() as stack:
        for helper in HELPERS:
            words = shlex.split(here(helper, SERVICES[helper]["command"]))
            stack.enter_context(running(words, environment))
        asked = shlex.split(here("submit", SERVICES["submit"]["command"]))
        done = subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "epsilon 0.25 charged, 0.75 remaining" in done.stdout
        for helper, address in addresses.items():
            *words, program = SERVICES[helper]["healthcheck"]["test"][1:]
            host, port = address.split(":")
            program = here(helper, program).replace("(name, 8443,", f"({host!r}, {port},")
            checked = environment | SERVICES[helper]["environment"]
            assert subprocess.run([*words, program], env=checked).returncode == 0
            wrong = checked | {"NAME": "helper1" if helper != "helper1" else "helper2"}
            assert subprocess.run([*words, program], env=wrong, stderr=-3).returncode == 1
