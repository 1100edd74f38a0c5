"""The batch check's halvings: how one small product comes to stand for many, in a real check."""

from math import log2

from ipa.display.drawing import box, words
from ipa.display.markup import Markup
from ipa.display.numbers import plural
from ipa.display.picture import Picture
from ipa.display.style import BLUE, GREEN, ORANGE
from ipa.network.costs import Cost, costs_by_step
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.simulation import simulated_network
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.verification.product_blocks import arrange
from ipa.protocols.verification.product_check import check_products
from ipa.ranges import check_integer
from ipa.sharing.dealing import share_rows
from ipa.sharing.randomness import Randomness
from ipa.sharing.verification.blocks import Layout

_TOP, _ROW, _MIDDLE = 40, 26, 400
_NARROWEST, _WIDEST = 112, 380


def picture_of_batch_check(rows: int = 300, width: int = 64, seed: int | None = 1) -> Picture:
    """The check of `rows` times `width` AND gates of random numbers, step by step, with its bytes.

    How long the vectors are follows from the layout of the products; how many halvings there were, and what
    each sent, is read from the costs of the check.

    Raises: ParameterError for numbers out of range.
    """
    check_integer("rows", rows, 1, 1 << 16)
    check_integer("width", width, 1, 256)
    network = simulated_network(seed, security="malicious")
    randomness = Randomness.from_seed(seed, "client shares")
    numbers = [randomness.random_bits(width) for _ in range(rows)]
    shared = share_rows(network, numbers, width, randomness)
    multiply(network, shared, shared)
    layout, _ = arrange(network.products.pending_bits)
    check_products(network)
    return _drawn(rows * width, layout, network)


def _lengths(layout: Layout, halvings: int) -> list[int]:
    """How long the vectors are after each halving: first groups are folded, then what is in one."""
    chunks, length, lengths = layout.groups, layout.length, []
    for _ in range(halvings):
        if chunks > 1:
            chunks = -(-chunks // 2)
        else:
            length = -(-length // 2)
        lengths.append(chunks * length)
    return lengths


def _drawn(gates: int, layout: Layout, network: HelperPartyNetwork) -> Picture:
    halvings = [
        _cost_below(network.costs, path)
        for path in network.costs
        if path.startswith("check/bits/halve") and path.count("/") == 2
    ]
    lengths = _lengths(layout, len(halvings))
    steps = costs_by_step(network.costs, 3)
    start = layout.groups * layout.length
    values = Cost()
    for path in ("check/bits/coin", "check/bits/values"):
        values.add(steps[path])
    stages = [
        ("to be checked", f"{gates:,} AND gates", gates, BLUE, Cost()),
        (
            f"{plural(layout.groups, 'group')} of blocks, at one coin",
            f"2 vectors of {start:,}",
            start,
            GREEN,
            values,
        ),
    ]
    for number, (length, cost) in enumerate(zip(lengths, halvings, strict=True), 1):
        stages.append((f"halving {number}", f"2 vectors of {length:,}", length, GREEN, cost))
    stages.append(
        (
            "last vectors",
            f"2 vectors of {lengths[-1]:,}, masked",
            lengths[-1],
            ORANGE,
            steps["check/bits/last"],
        )
    )
    parts = [
        words(190, 18, "step", anchor="end", bold=True),
        words(_MIDDLE, 18, "what is still to be shown", bold=True),
        words(690, 18, "rounds", anchor="end", bold=True),
        words(780, 18, "bytes sent", anchor="end", bold=True),
    ]
    for place, stage in enumerate(stages):
        parts += _stage(place, *stage, gates)
    says = (
        "Bars are on a logarithmic scale. Every halving folds the vectors at a coin that nobody knew before; "
        "a false claim stays false but for a chance of about 2^-63. Bytes of all helpers together."
    )
    return Picture("The batch check, halving by halving", (800, _y(len(stages))), *parts, says=says)


def _cost_below(costs: dict[str, Cost], path: str) -> Cost:
    """What the step cost this one time, with all steps in it."""
    total = Cost()
    for each, cost in costs.items():
        if each == path or each.startswith(f"{path}/"):
            total.add(cost)
    return total


def _y(place: int) -> float:
    return _TOP + _ROW * place


def _stage(
    place: int, name: str, what: str, length: int, colour: str, cost: Cost, most: int
) -> list[Markup]:
    width = _NARROWEST + (_WIDEST - _NARROWEST) * log2(length) / max(1, log2(most))
    y = _y(place)
    parts = [
        words(190, y + 14, name, anchor="end"),
        box(
            _MIDDLE - width / 2, y + 1, width, 18, fill=colour, border=None, opacity=0.35, rounded=3
        ),
        words(_MIDDLE, y + 14, what, size=11),
    ]
    if cost.rounds:
        parts.append(words(690, y + 14, f"{cost.rounds:,}", anchor="end"))
        parts.append(words(780, y + 14, f"{cost.bytes_sent:,}", anchor="end"))
    return parts
