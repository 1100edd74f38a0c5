"""`ipa demo`: the specification's worked example step by step, and what each helper sees of it."""

import argparse
import sys
from collections.abc import Sequence
from typing import TextIO, get_args

from ipa.commands.demo_steps import DemoStep, StepName, demo_steps
from ipa.commands.options import check_can_serve
from ipa.commands.tables import USUAL_WIDTH, Table, write_table, write_text
from ipa.errors import ParameterError
from ipa.network.channel import Message
from ipa.parties import HELPERS, right_of
from ipa.ranges import check_integer
from ipa.reports import GenericReports
from ipa.sharing.bits import rows_from_columns
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.sharing.shared_bits import SharedBits

_ROWS = 5
_SEED = 1
_BYTES_SHOWN = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa demo`."""
    parser.add_argument(
        "--step",
        action="append",
        choices=get_args(StepName),
        metavar="STEP",
        help=f"show this step only, of {', '.join(get_args(StepName))}; once for each (default: all)",
    )
    parser.add_argument(
        "--helper",
        type=int,
        choices=HELPERS,
        help="show only what this helper sees, and nothing in the clear",
    )
    parser.add_argument(
        "--rows",
        type=int,
        metavar="N",
        help=f"how many to show (default: {_ROWS})",
    )
    parser.add_argument(
        "--pause", action="store_true", help="wait for the Enter key after each step"
    )
    parser.add_argument("--seed", type=int, metavar="S", help=f"of the shares (default: {_SEED})")
    parser.add_argument(
        "--apart",
        action="store_true",
        help="have three processes on this machine, as services, answer it as a query, and show what "
        "they log",
    )


def run(arguments: argparse.Namespace) -> int:
    """Take the steps, and show each.

    Raises: ParameterError for an option; with `--apart` what `run_apart` raises.
    """
    if arguments.apart:
        return _run_apart(arguments)
    rows = _ROWS if arguments.rows is None else arguments.rows
    seed = _SEED if arguments.seed is None else arguments.seed
    check_integer("--rows", rows, 1)
    check_integer("--seed", seed, 0)
    if arguments.pause and not sys.stdin.isatty():
        raise ParameterError("--pause needs a terminal, on which somebody presses Enter")
    wanted = arguments.step or get_args(StepName)
    for number, step in enumerate(demo_steps(seed), start=1):
        if step.name not in wanted:
            continue
        write_step(number, step, arguments.helper, rows, sys.stdout)
        sys.stdout.flush()
        if arguments.pause and step.name != get_args(StepName)[-1]:
            print("Enter goes on. ", end="", file=sys.stderr, flush=True)
            if not sys.stdin.readline():
                print(file=sys.stderr)
                return 0
    return 0


def _run_apart(arguments: argparse.Namespace) -> int:
    for name in ("step", "helper", "rows", "pause"):
        if (given := getattr(arguments, name)) is not None and given is not False:
            raise ParameterError(
                f"--{name} does not go with --apart: services show nobody what they hold at a step"
            )
    if arguments.seed is not None:
        raise ParameterError(
            "--seed does not go with --apart: services draw from the operating system"
        )
    check_can_serve()
    # Imported here: services need an extra, and are slow to import.
    from ipa.commands.demo_apart import run_apart

    return run_apart(sys.stdout)


def write_step(number: int, step: DemoStep, helper: int | None, rows: int, stream: TextIO) -> None:
    """What a step did; with a `helper` as far as that helper sees it."""
    write_text(f"{number}. {step.name}: {step.told}", stream, USUAL_WIDTH)
    stream.write("\n")
    for name, value in step.held:
        shown = range(step.first_row, min(value.rows, step.first_row + rows))
        heading = f"{name}, as it is shared" if helper is None else f"{name}, as H{helper} sees it"
        write_text(
            f"{heading} ({value.width} bit{'s' * (value.width > 1)} a row):", stream, USUAL_WIDTH
        )
        write_table(shares_table(value, shown, helper, step.signed), stream)
        stream.write("\n")
    if step.held and helper is None:
        write_text(_WHO_HOLDS, stream, USUAL_WIDTH)
        stream.write("\n")
    if step.reports is not None and helper is None:
        write_text("all the fields put together, as nobody can:", stream, USUAL_WIDTH)
        count = range(step.first_row, min(step.reports.rows, step.first_row + rows))
        write_table(reports_table(step.reports, count), stream)
        stream.write("\n")
    _write_messages(step, helper, stream)
    if step.sums is not None and helper is None:
        write_text(
            f"the report collector has: {', '.join(map(str, step.sums))}", stream, USUAL_WIDTH
        )


_WHO_HOLDS = (
    "; ".join(f"H{helper} holds shares {helper} and {right_of(helper)}" for helper in HELPERS)
    + ". Nobody sees all three, nor their XOR."
)


def shares_table(value: SharedBits, shown: range, helper: int | None, signed: bool) -> Table:
    """The shares of some rows in hexadecimal, and with no helper in particular their XOR."""
    digits = (value.width + 3) // 4
    if helper is None:
        held = {share: value.shares_of(share)[0] for share in HELPERS}
    else:
        own, right = value.shares_of(helper)
        held = {helper: own, right_of(helper): right}
    columns = {
        f"share {share}": [f"{x:0{digits}x}" for x in rows_from_columns(bits, value.rows)]
        for share, bits in held.items()
    }
    if helper is None:
        together = reconstruct_for_testing(value)
        columns["XOR"] = [f"{x:0{digits}x}" for x in together]
        limit = 1 << (value.width - 1)
        columns["value"] = [f"{x - 2 * limit if signed and x >= limit else x}" for x in together]
    rows = [(str(row), *(cells[row] for cells in columns.values())) for row in shown]
    return Table(("row", *columns), rows, text=())


def reports_table(reports: GenericReports, shown: range) -> Table:
    """Some reports put together: match key, constraint ID, time, and what kind of report it is."""
    fields = (
        reports.match_key,
        reports.attribution_constraint_id,
        reports.timestamp,
        reports.is_trigger,
        reports.breakdown_key,
        reports.trigger_value,
    )
    clear = list(zip(*map(reconstruct_for_testing, fields), strict=True))
    rows = []
    for row in shown:
        key, constraint, time, is_trigger, breakdown, value = clear[row]
        kind = f"trigger of {value}" if is_trigger else f"source for {breakdown}"
        rows.append((str(row), str(key), str(constraint), f"{time // 60}:{time % 60:02}", kind))
    return Table(("row", "match key", "ID", "time", "report"), rows, text=(4,))


def _write_messages(step: DemoStep, helper: int | None, stream: TextIO) -> None:
    seen = [m for m in step.messages if helper is None or helper in (m.sender, m.receiver)]
    if not seen:
        write_text("messages between helpers: none", stream, USUAL_WIDTH)
    else:
        write_text("messages between helpers:", stream, USUAL_WIDTH)
        write_table(messages_table(seen), stream)
    stream.write("\n")


def messages_table(messages: Sequence[Message]) -> Table:
    """How many messages went which way, their bytes, and how the last one of them begins."""
    rows = []
    for sender, receiver in sorted({(m.sender, m.receiver) for m in messages}):
        sent = [m for m in messages if (m.sender, m.receiver) == (sender, receiver)]
        last = sent[-1].payload
        begins = last[:_BYTES_SHOWN].hex(" ") + (" ..." if len(last) > _BYTES_SHOWN else "")
        total = sum(len(message.payload) for message in sent)
        rows.append((f"H{sender}", f"H{receiver}", f"{len(sent):,}", f"{total:,}", begins))
    return Table(("from", "to", "count", "bytes", "the last one"), rows, text=(0, 1, 4))
