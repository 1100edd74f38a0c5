"""Parts for helpers in processes of their own: each helper does what it is told, in a given step.

They are functions of a module, so that the processes can import them.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ipa.errors import BudgetError, VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.primitives.abort import aborting_together, wait_for_everybody


@dataclass(frozen=True)
class Told:
    """What each helper is told to do."""

    words: Mapping[int, str]

    def only(self, helper: int) -> "Told":
        return Told({helper: self.words[helper]})


class OddError(Exception):
    """An error that neither the library nor Python has."""


def act(network: HelperPartyNetwork, told: Told) -> dict[int, str]:
    """Meet, do as told, meet again; returns what each local helper was told."""
    with aborting_together(network), network.step("act"):
        wait_for_everybody(network, "before")
        for helper in network.helpers:
            do(told.words[helper], network.path, helper)
        wait_for_everybody(network, "after")
    if "linger" in told.words.values():
        time.sleep(1)  # the others have long told their results and are gone
    return {helper: told.words[helper] for helper in network.helpers}


def do(word: str, step: str, helper: int) -> None:
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "leave":
        os._exit(7)
    elif word == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif word == "check":
        raise VerificationError(step, "the check failed", [helper])
    elif word == "refuse":
        raise BudgetError(f"helper {helper} has nothing left")
    elif word == "repeat":
        raise BudgetError("another helper has nothing left").heard()
    elif word == "fault":
        raise KeyError(f"fault of helper {helper}")
    elif word == "odd":
        raise OddError("odd", lambda: None)
    elif word == "print":
        print("printed by a helper", flush=True)


def ask(
    network: HelperPartyNetwork, told: Told, *, callback: Callable[..., object]
) -> dict[int, object]:
    """What each local helper gets from the callback, to which it says its number."""
    return dict.fromkeys(network.helpers, callback(network.helpers[0]))


def ask_twice(
    network: HelperPartyNetwork, told: Told, *, callback: Callable[..., object]
) -> dict[int, object]:
    """What each local helper gets the first time and the second time."""
    return dict.fromkeys(network.helpers, (callback("first"), callback("second")))


def children_of(process: int) -> list[int]:
    return [
        int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]


def is_running(process: int) -> bool:
    """Whether there is such a process, and not only what is left of it until somebody looks."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
