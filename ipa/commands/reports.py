"""`ipa query QUERY_DIR`: a query over encrypted reports, and what it shows."""

import argparse
import json
import secrets
import sys
import time
from pathlib import Path

from ipa.budget.board import FileBoard
from ipa.budget.ledger import Receipt
from ipa.budget.ledger_directory import ledgers_in
from ipa.client.key_files import load_all_helper_keys
from ipa.commands.directories import read_streams, read_submitter
from ipa.commands.options import registrable_domain, run_options
from ipa.commands.output import result_object, write_result
from ipa.commands.progress import Progress
from ipa.commands.tables import write_text
from ipa.commands.workers import worker_processes
from ipa.errors import ParameterError
from ipa.parameters import QueryParameters
from ipa.report_query import Payment, ReportQueryResult, run_report_query


def run_over_reports(arguments: argparse.Namespace, parameters: QueryParameters) -> int:
    """Answer the query in the directory and show what it released, dropped and cost.

    Raises: ParameterError for options that do not go together; the errors of `run_report_query`.
    """
    payment = _payment(arguments)
    keys = load_all_helper_keys(arguments.keys)
    streams = read_streams(Path(arguments.events))
    submitter = read_submitter(Path(arguments.events))
    with (
        worker_processes(arguments.workers) as executor,
        Progress(sys.stderr) as progress,
    ):

        def accepted(rows: int, receipt: Receipt | None) -> None:
            """Say what was charged, and how many rows progress is of."""
            progress.rows = rows
            if receipt is not None:  # said now, for the run can still abort or be killed
                progress.say(f"ipa query: charged {receipt.query.query_id}")

        result = run_report_query(
            streams,
            keys,
            parameters,
            submitter=submitter,
            payment=payment,
            no_budget=payment is None,
            compressed_match_key_bits=arguments.compress_match_keys,
            no_noise=arguments.no_noise,
            registrable_domain=registrable_domain(arguments),
            options=run_options(arguments, progress.step, executor),
            on_accepted=accepted,
        )
    write_report_result(result, parameters.security, arguments)
    return 0


def write_report_result(
    result: ReportQueryResult, security: str, arguments: argparse.Namespace
) -> None:
    """Write what the query released to standard output, as the options say."""
    if arguments.format == "json":
        print(json.dumps(result_object(result.result, security) | report_object(result)))
    else:
        write_result(result.result, security, arguments.format, sys.stdout, clip=arguments.clip)
        write_text("\n" + "\n".join(report_lines(result)), sys.stdout)


def new_query_id(named: str | None) -> str:
    """The ID that the query was given, or a random one."""
    return f"query-{secrets.token_hex(8)}" if named is None else named


def report_object(result: ReportQueryResult) -> dict[str, object]:
    """What a query over reports shows besides the result, as an object for JSON."""
    context = result.query.context
    shown: dict[str, object] = {
        "query": vars(context) | {"fanout": result.query.fanout},
        "submitted": result.submitted,
        "dropped": {str(reason): count for reason, count in result.dropped.items()},
    }
    shown["budget"] = None
    if result.receipt is not None:
        shown["budget"] = {
            "query_id": result.receipt.query.query_id,
            **result.receipt.query.promise.texts(),
            "remaining": result.receipt.remaining.texts(),
        }
    if result.compression is not None:
        shown["compression"] = {
            "match_key_bits": result.compression.match_key_bits,
            "collision_probability_at_most": float(result.compression.collision_probability),
        }
    return shown


def report_lines(result: ReportQueryResult) -> list[str]:
    """The same as lines of text."""
    context = result.query.context
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in result.dropped.items())
    dropped = sum(result.dropped.values())
    lines = [
        f"{result.query.fanout} fanout query of {context.report_collector} for {context.site}, "
        f"epoch {context.epoch}, match keys of {context.match_key_provider}",
        f"{result.submitted:,} reports submitted, {dropped:,} dropped"
        + (f": {reasons}" if reasons else ""),
    ]
    if result.receipt is None:
        lines.append("no budget was charged: nothing bounds what such queries reveal together")
    else:
        charged, left = result.receipt.query.promise.texts(), result.receipt.remaining.texts()
        lines.append(
            f"query {result.receipt.query.query_id}: "
            + "; ".join(
                f"{name} {charged[name]} charged, {left[name]} remaining" for name in charged
            )
        )
    if result.compression is not None:
        bound = float(result.compression.collision_probability)
        lines.append(
            f"match keys compressed to {result.compression.match_key_bits} bits: "
            f"any two users collide with probability at most {bound:.2g}"
        )
    return lines


def _payment(arguments: argparse.Namespace) -> Payment | None:
    """What pays for the query, or None where the options say that nothing does."""
    if arguments.ledger is None:
        for name in ("query_id", "board"):
            if getattr(arguments, name) is not None:
                option = name.replace("_", "-")
                raise ParameterError(f"--{option} is for a query charged in a --ledger")
        if not arguments.no_budget:
            raise ParameterError(
                "a query over encrypted reports needs --ledger, or says --no-budget"
            )
        return None
    if arguments.no_budget:
        raise ParameterError("--no-budget and --ledger exclude each other")
    if arguments.no_noise:
        raise ParameterError(
            "--ledger needs noise, so --epsilon and not --no-noise: exact sums are never paid for"
        )
    board = None if arguments.board is None else FileBoard(arguments.board)
    return Payment(
        ledgers=ledgers_in(arguments.ledger, board),
        query_id=new_query_id(arguments.query_id),
        charged_at=int(time.time()),
    )
