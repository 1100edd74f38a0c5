"""The `ipa` command: which commands there are, and how each way of ending is reported.

A command is a module of `ipa.commands` named like the command, with `add_arguments(parser)` and
`run(arguments)`, which returns the exit status. Only the module of the command that is asked for is
imported, so that no command waits for what another one needs.
"""

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from ipa.errors import InputError, IpaError, ParameterError
from ipa.version import __version__

COMMANDS = {
    "generate": "write synthetic events as CSV to standard output",
    "query": "answer a query over events or encrypted reports with three simulated helper parties",
    "plan": "compare caps: what capping takes away against the noise that it needs",
    "oracle": "answer the same query in the clear with SQL",
    "keygen": "make a helper party network with fresh keys",
    "collect": "play devices and report collector: encrypt events into a query's reports",
    "helper": "be one helper party, as a service that report collectors submit queries to",
    "submit": "have three helper parties that are services answer a query over encrypted reports",
    "measure": "measure reach and frequency over impressions with simulated workers",
    "report": "report the reach of set expressions over periods of impressions",
    "conform": "ask another implementation cases of every step that it offers",
    "budget": "show, create or commit privacy budgets in the helpers' three ledgers",
    "demo": "show the worked example step by step, and what each helper party sees of it",
    "attack": "corrupt one helper party, answer a query, and tell who noticed and where",
}
"""Every command, and what it does."""

EXIT_STATUSES = """\
exit status:
  0    done
  1    --check found a difference, or conform a wrong answer
  2    wrong input or options: one line on standard error says what, nothing was computed
  3    the query was refused or aborted: one line on standard error says by whom and why
  130  interrupted from the keyboard
  143  terminated
"""

# What a shell reports for a program that wrote to a pipe nobody read any more: 128 + SIGPIPE.
_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (by default the process's) and return its exit status.

    Raises: SystemExit, like argparse, with 0 for `--help` and 2 for options that cannot be parsed.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        _set_up_process()
    try:
        arguments = _parser(words).parse_args(words)
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _ended("interrupted", 130)
    except MemoryError:
        return _ended("not enough memory", 3)
    except (InputError, ParameterError) as error:
        return _ended(str(error), 2)
    except IpaError as error:
        return _ended(str(error), 3)
    except OSError as error:
        if error.filename is not None:  # a path that cannot even be looked at
            return _ended(f"{error.filename}: {error.strerror}", 2)
        # No file, so this is the output. Python would complain again on flushing it at exit; now
        # what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return _BROKEN_PIPE
        return _ended(f"standard output cannot be written: {error.strerror}", 2)
    return status


def _set_up_process() -> None:
    """Make output able to show any name, and let SIGTERM clean up on its way out."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")

    def terminate(*_: object) -> NoReturn:
        """End by an exception, so that what is half done is cleaned up."""
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, terminate)


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message on standard error and exit.

        Raises: SystemExit with status 2.
        """
        self.exit(2, f"{_in_one_line(f'{self.prog}: {message} (see {self.prog} --help)')}\n")


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of a command line: of the commands, only the one in `words` has its options."""
    parser = OneLineParser(
        prog="ipa",
        description="Interoperable Private Attribution: a reference implementation.",
        epilog=EXIT_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"ipa {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=EXIT_STATUSES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name in words[:1]:
            module = import_module(f"ipa.commands.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _ended(message: str, status: int) -> int:
    print(f"ipa: {_in_one_line(message)}", file=sys.stderr)
    return status


def _in_one_line(message: str) -> str:
    """The message with line breaks and the like escaped, which paths and names may hold."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in message
    )
