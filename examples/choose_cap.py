"""Choose a cap: a plot of what capping takes away, and of the noise it needs, for many caps.

Run it with `python examples/choose_cap.py`; `--help` lists the options. It shows what `ipa plan`
weighs: bias, noise and the error of both together, for one sum, and marks the cap with the least error.
The events are made up, or those of a file, of an epoch that may be seen in the clear.

The plot is made of text. With `--svg FILE` or `--png FILE` it is drawn too, by matplotlib, which the
extra `plots` installs.
"""

import argparse
import sys
from collections.abc import Sequence
from fractions import Fraction
from importlib.util import find_spec
from math import floor, log10
from pathlib import Path

from ipa import QueryParameters, generate_events, read_events_csv
from ipa.commands.options import exact_number
from ipa.errors import InputError, IpaError, ParameterError
from ipa.planning import CapPlan, best_cap, plan_caps

CAPS = "1,2,3,5,7,10,15,20,30,50,70,100,150,200,300,500,700,1000"

COLUMNS = 33
"""The width of the text plot, beside the table."""


def main() -> int:
    """Plan with the events of the command line, and plot the plan."""
    options = arguments()
    try:
        files = [(kind, vars(options)[kind]) for kind in ("svg", "png") if vars(options)[kind]]
        if files:
            check_matplotlib()
        parameters = QueryParameters(breakdowns=options.breakdowns, cap=1, epsilon=options.epsilon)
        if options.events is None:
            events = generate_events(
                options.count, breakdowns=parameters.breakdowns, seed=options.seed
            )
        else:
            events = read_events_csv(Path(options.events), options.events)
        plans = sorted(plan_caps(events, parameters, options.caps), key=lambda plan: plan.cap)
        print(f"{len(events):,} events, {parameters.breakdowns} breakdown keys, ", end="")
        print(f"epsilon {parameters.epsilon}\n")
        print(text_plot(plans))
        for kind, file in files:
            draw(plans, file, kind)
    except IpaError as error:
        print(f"choose_cap.py: {error}", file=sys.stderr)
        return 2
    return 0


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "events",
        nargs="?",
        metavar="EVENTS.csv",
        help="events that may be seen in the clear (default: made-up ones)",
    )
    parser.add_argument(
        "--caps",
        type=lambda text: [int(part) for part in text.split(",")],
        default=CAPS,
        metavar="C,C,...",
        help="the caps to compare (default: %(default)s)",
    )
    parser.add_argument(
        "--breakdowns", type=int, default=16, help="how many keys (default: %(default)s)"
    )
    parser.add_argument("--epsilon", type=exact_number, default=Fraction(1), help="default: 1")
    parser.add_argument(
        "--count", type=int, default=2000, help="how many events to make up (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of made-up events (default: %(default)s)"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the plot into it too")
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw the plot into it too")
    return parser.parse_args()


def text_plot(plans: Sequence[CapPlan]) -> str:
    """A line per cap: the numbers, and where they lie on a logarithmic scale; the best is marked.

    Of letters that fall on the same place, the last of b, n and E is shown. The scale begins at 1; what is
    below is not shown.
    """
    best = best_cap(plans)
    largest = max(10.0, *(plan.error for plan in plans))
    every = 1 if largest < 1e5 else 2  # so that the names of the powers of ten have room
    powers = [
        (10.0**power, f"{10**power}" if power < 4 else f"1e{power}")
        for power in range(0, 1 + floor(log10(largest)), every)
    ]
    lines = [f"{'cap':>6} {'bias':>9} {'noise':>9} {'error':>9}  {on_scale(powers, largest)}"]
    for plan in plans:
        values = [f"{in_few_digits(x):>9}" for x in (plan.bias, plan.noise, plan.error)]
        marks = on_scale([(plan.bias, "b"), (plan.noise, "n"), (plan.error, "E")], largest)
        best_mark = "  <- best" if plan is best else ""
        lines.append(f"{plan.cap:>6} {' '.join(values)}  {marks}{best_mark}".rstrip())
    lines.append("")
    lines.append("b is the bias of capping, n the noise, E the error of both, all of one sum.")
    lines.append(f"The least error, {best.error:,.1f}, is at cap {best.cap:,}.")
    return "\n".join(lines)


def in_few_digits(value: float) -> str:
    """A number with one decimal, or rounded where that would be too wide for its column."""
    return f"{value:,.1f}" if value < 100_000 else f"{value:.3g}"


def on_scale(marks: Sequence[tuple[float, str]], largest: float) -> str:
    """Each mark begins at the place of its value, between 1 and the largest."""
    line = ""
    for value, mark in marks:
        if value >= 1:
            place = round((COLUMNS - 1) * log10(value) / log10(largest))
            line = line.ljust(place)[:place] + mark + line[place + len(mark) :]
    return line


def check_matplotlib() -> None:
    """Check, before any work, that what draws is there.

    Raises: ParameterError if it is not.
    """
    if find_spec("matplotlib") is None:
        raise ParameterError(
            "--svg and --png need matplotlib, of the extra `plots`: "
            "pip install 'ipa-reference[plots]'"
        )


def draw(plans: Sequence[CapPlan], file: Path, kind: str) -> None:
    """Draw the three curves over the caps, and a line at the best cap, as SVG or PNG.

    Raises: InputError where the file cannot be written.
    """
    # Imported here: an optional extra, and slow to import.
    from matplotlib.figure import Figure

    best = best_cap(plans)
    caps = [plan.cap for plan in plans]
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    # Colours that colour-blind people tell apart, and markers and dashes for print without colour.
    axes.loglog(
        caps, [plan.bias for plan in plans], "s--", color="#0072b2", label="bias of capping"
    )
    axes.loglog(caps, [plan.noise for plan in plans], "^:", color="#d55e00", label="noise")
    axes.loglog(caps, [plan.error for plan in plans], "o-", color="black", label="error of both")
    least = f"least error, {best.error:,.1f}, at cap {best.cap:,}"
    axes.axvline(best.cap, color="gray", linewidth=1)
    axes.plot(best.cap, best.error, "*", color="black", markersize=16, label=least)
    # A bias of 0 has no place on the scale: as in the text, what is below 1 is not shown.
    axes.set_ylim(bottom=min(1, best.error))
    axes.set_xlabel("cap: the most that one person contributes")
    axes.set_ylabel("root mean square of one sum")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    try:
        figure.savefig(file, format=kind, dpi=150)
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
