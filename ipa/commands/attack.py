"""`ipa attack`: the attack laboratory: one corrupted helper party, and what became of the query."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

from ipa.attacks import (
    Attack,
    AttackReport,
    Change,
    add_error,
    feed_other_input,
    run_attack,
    run_attack_in_threads,
    tamper,
    use_other_keys,
)
from ipa.commands.options import read_events
from ipa.commands.tables import USUAL_WIDTH, Table, write_table, write_text
from ipa.errors import ParameterError
from ipa.events import Event
from ipa.events.workload import generate_events
from ipa.network.interception import Transcript
from ipa.network.simulation import RunOptions
from ipa.parameters import QueryParameters, Security
from ipa.parties import HELPERS
from ipa.query import run_query

_EVENTS = 30


@dataclass(frozen=True)
class Behaviour:
    """What a corrupted helper can do: what it is called in a sentence, and which options say more."""

    told: str
    options: frozenset[str] = frozenset()


_OF_MESSAGES = frozenset({"step", "receiver"})
BEHAVIOURS: Mapping[str, Behaviour] = {
    "flip": Behaviour("inverts a bit of messages", _OF_MESSAGES | {"bit"}),
    "drop": Behaviour("does not send messages", _OF_MESSAGES),
    "truncate": Behaviour("sends messages without their last byte", _OF_MESSAGES),
    "extend": Behaviour("sends messages with a byte more", _OF_MESSAGES),
    "replay": Behaviour("sends messages twice", _OF_MESSAGES),
    "delay": Behaviour("sends messages after the next one", _OF_MESSAGES),
    "add-error": Behaviour("adds an error to products", frozenset({"step"})),
    "other-keys": Behaviour("uses a key of its own in place of a shared one"),
    "other-input": Behaviour("starts from other shares of the match keys"),
}
"""Every behaviour there is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa attack`."""
    parser.add_argument(
        "behaviour",
        nargs="?",
        choices=BEHAVIOURS,
        metavar="BEHAVIOUR",
        help=f"what the corrupted helper does: {', '.join(BEHAVIOURS)}",
    )
    parser.add_argument(
        "--list",
        action="store_true",
        help="list the behaviours, and the steps in which the helper sends messages",
    )
    parser.add_argument(
        "--helper", type=int, choices=HELPERS, default=2, help="the corrupted one (default: 2)"
    )
    parser.add_argument(
        "--step", metavar="PATTERN", help="in which steps, a shell pattern such as 'query/sort/*'"
    )
    parser.add_argument(
        "--receiver", type=int, choices=HELPERS, help="change only what goes to this helper"
    )
    parser.add_argument("--bit", type=int, metavar="B", help="which bit to flip (default: 0)")
    parser.add_argument(
        "--threads", action="store_true", help="run every helper in a thread of its own"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit with 1 if a wrong result comes out, and else with 0, aborted or not",
    )
    parser.add_argument("--format", choices=["text", "json"], default="text")
    query = parser.add_argument_group("query")
    query.add_argument(
        "--events",
        metavar="EVENTS.csv",
        help=f"default: {_EVENTS} made-up ones; - is standard input",
    )
    query.add_argument(
        "--breakdowns", type=int, default=4, metavar="B", help="default: %(default)s"
    )
    query.add_argument("--cap", type=int, default=100, metavar="C", help="default: %(default)s")
    query.add_argument("--security", choices=get_args(Security), default=QueryParameters.security)
    query.add_argument("--seed", type=int, metavar="S", help="make the attack reproducible")


def run(arguments: argparse.Namespace) -> int:
    """Run the attack and tell what became of the query, or list what can be done.

    Raises: ParameterError for an option, and for an attack that changes nothing; InputError for events.
    """
    parameters = QueryParameters(
        breakdowns=arguments.breakdowns, cap=arguments.cap, security=arguments.security
    )
    options = RunOptions(seed=arguments.seed)
    if arguments.list:
        _check_lists_only(arguments)
    attack = None if arguments.list else _attack(arguments)
    if arguments.events is None:
        events = generate_events(_EVENTS, breakdowns=parameters.breakdowns, seed=7)
    else:
        events = read_events(arguments.events, parameters)
    if attack is None:
        _write_list(events, parameters, arguments.helper, options)
        return 0
    run_it = run_attack_in_threads if arguments.threads else run_attack
    report = run_it(events, parameters, attack, arguments.seed)
    if arguments.format == "json":
        print(json.dumps(report_object(arguments.behaviour, attack.helper, report)))
    else:
        write_text(report_text(arguments.behaviour, attack.helper, report), sys.stdout, USUAL_WIDTH)
    return 1 if arguments.check and report.result_is_right is False else 0


def _check_lists_only(arguments: argparse.Namespace) -> None:
    """Check that nothing is asked for that a list would ignore.

    Raises: ParameterError.
    """
    for option in ("behaviour", "step", "receiver", "bit", "threads", "check"):
        if getattr(arguments, option):
            name = "a behaviour" if option == "behaviour" else f"--{option}"
            raise ParameterError(f"--list runs no attack: leave out {name}")
    if arguments.format != "text":
        raise ParameterError("--list is text: leave out --format")


def _attack(arguments: argparse.Namespace) -> Attack:
    """The attack that is asked for.

    Raises: ParameterError for options that are missing or would be ignored.
    """
    name = arguments.behaviour
    if name is None:
        raise ParameterError(f"a behaviour is needed, one of {', '.join(BEHAVIOURS)}, or --list")
    allowed = BEHAVIOURS[name].options
    for option in ("step", "receiver", "bit"):
        if option not in allowed and getattr(arguments, option) is not None:
            raise ParameterError(f"--{option} means nothing for {name}")
    if "step" in allowed and arguments.step is None:
        raise ParameterError(f"{name} needs --step, a pattern; `ipa attack --list` shows the steps")
    helper = arguments.helper
    if name in get_args(Change):
        bit = 0 if arguments.bit is None else arguments.bit
        return tamper(helper, arguments.step, name, receiver=arguments.receiver, bit=bit)
    others: Mapping[str, Callable[[], Attack]] = {
        "add-error": lambda: add_error(helper, arguments.step),
        "other-keys": lambda: use_other_keys(helper),
        "other-input": lambda: feed_other_input(helper),
    }
    return others[name]()


def report_text(behaviour: str, helper: int, report: AttackReport) -> str:
    """What the helper did, what became of the query, and what each honest helper says."""
    times = f"{report.tampered:,} time{'s' * (report.tampered != 1)}"
    lines = [f"H{helper} {BEHAVIOURS[behaviour].told}: {times}."]
    if report.outcome == "aborted":
        noticed = " and ".join(f"H{other}" for other in report.detected_by)
        who = f"noticed by {noticed}" if noticed else "noticed by no helper itself"
        if report.step == "release":
            who = "noticed by the report collector"
        lines.append(f"The query was aborted at {report.step}, {who}. No result came out.")
        lines += [f"H{other} says: {error}" for other, error in sorted(report.errors.items())]
    else:
        kind = "right" if report.result_is_right else "WRONG"
        lines.append(f"Nobody noticed. A result came out, and it is {kind}.")
    return "\n".join(lines)


def report_object(behaviour: str, helper: int, report: AttackReport) -> dict[str, object]:
    """The same as an object for JSON; `result_is_right` is null where no result came out."""
    return {
        "behaviour": behaviour,
        "helper": helper,
        "tampered": report.tampered,
        "outcome": report.outcome,
        "step": report.step or None,
        "detected_by": list(report.detected_by),
        "errors": {str(other): str(error) for other, error in sorted(report.errors.items())},
        "result_is_right": report.result_is_right,
    }


def _write_list(
    events: list[Event], parameters: QueryParameters, helper: int, options: RunOptions
) -> None:
    rows = [
        (name, one.told, " ".join(f"--{option}" for option in sorted(one.options)))
        for name, one in BEHAVIOURS.items()
    ]
    write_table(
        Table(("behaviour", "what the helper does", "options"), rows, (0, 1, 2)), sys.stdout
    )
    transcript = Transcript()
    watched = RunOptions(seed=options.seed, interceptors=[transcript])
    run_query(events, parameters, no_noise=True, options=watched)
    steps: dict[str, list[int]] = {}
    for message in transcript.messages:
        if message.sender == helper:
            parts = message.step.split("/")
            pattern = "/".join(parts[:2]) + ("/*" if len(parts) > 2 else "")
            steps.setdefault(pattern, []).append(len(message.payload))
    sent = [(name, f"{len(sizes):,}", f"{sum(sizes):,}") for name, sizes in steps.items()]
    write_text(f"\nsteps in which H{helper} sends:", sys.stdout, USUAL_WIDTH)
    write_table(Table(("pattern", "messages", "bytes"), sent, text=(0,)), sys.stdout)
