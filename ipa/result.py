"""What a query releases: the sums, the noise in them, and what it all cost."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ipa.display.records import record_html
from ipa.display.results import labelled_html, result_html
from ipa.errors import MismatchError, ParameterError
from ipa.events.encoding import EventEncoder
from ipa.events.frames import DataFrame, FrameLibrary, new_frame
from ipa.network.costs import Cost, cost_of
from ipa.noise.choice import noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.parameters import Mechanism, QueryParameters, check_parameters_type


@dataclass(frozen=True)
class NoiseInResult:
    """The noise in every sum, and the promise that it keeps.

    `standard_deviation` is a rounded float, for display. With probability 95 % a sum is within
    `interval_95` of what it would be without noise.
    """

    mechanism: Mechanism
    epsilon: Fraction
    delta: Fraction
    standard_deviation: float
    interval_95: int

    _repr_html_ = record_html


@dataclass(frozen=True)
class LabelledSum:
    """The sum (or count) of one breakdown key, by the label and in the unit of a table.

    `low` and `high` are the ends of the 95 % interval of the sum without noise; without noise both are
    the sum.
    """

    label: Hashable
    total: Decimal | int
    low: Decimal | int
    high: Decimal | int

    _repr_html_ = record_html


class LabelledSums(list[LabelledSum]):
    """The sums of a query by label; a notebook shows them as a table with bars.

    `heads` are what the table calls the labels and the sums, and `noise` is what is in each of them.
    """

    def __init__(
        self, sums: Iterable[LabelledSum], heads: tuple[str, str], noise: NoiseInResult | None
    ) -> None:
        super().__init__(sums)
        self.heads = heads
        self.noise = noise

    def __repr__(self) -> str:
        label, total = self.heads
        said = ", ".join(f"{each.label!r} {each.total}" for each in self)
        if self.noise is not None and self:
            said += f"; noise +-{self[0].high - self[0].total} at 95 %"
        return f"<{total} by {label}: {said}>"

    def _repr_html_(self) -> str:
        return labelled_html(self, self.heads, self.noise)


@dataclass(frozen=True)
class QueryResult:
    """What a query released, and what it cost.

    `sums[b]` is the sum (or count) attributed to breakdown key b, with noise unless the parameters have
    no epsilon; it can then be negative. `rows` is the number of reports. `costs` is by step path;
    `ipa.network.cost_of(result.costs)` is the total. It is empty where helper parties that are services
    computed, for what it cost is theirs to know.
    """

    sums: list[int]
    rows: int
    parameters: QueryParameters
    costs: dict[str, Cost]

    @property
    def noise(self) -> NoiseInResult | None:
        """The noise in every sum; None where the sums are exact and not private."""
        return noise_in(self.parameters)

    def clipped(self) -> list[int]:
        """The sums with negative ones as 0: nicer to look at, but no longer right on average."""
        return [max(0, total) for total in self.sums]

    def _repr_html_(self) -> str:
        asked = self.parameters
        return result_html(
            "Query result",
            range(len(self.sums)),
            self.sums,
            heads=("breakdown key", asked.aggregate),
            noise=self.noise,
            about=(
                ("reports", f"{self.rows:,}"),
                ("cap", f"{asked.cap:,} ({asked.capping})"),
                ("attribution", asked.attribution),
                ("security", asked.security),
            ),
            costs=self.costs,
        )

    def labelled(self, encoder: EventEncoder | None = None) -> LabelledSums:
        """The sums by label and in the table's unit, exactly; by breakdown key without an encoder.

        Raises: MismatchError for the encoder of another query.
        """
        aggregate, noise = self.parameters.aggregate, self.noise
        within = 0 if noise is None else noise.interval_95
        if encoder is None:
            keys = (
                LabelledSum(key, total, total - within, total + within)
                for key, total in enumerate(self.sums)
            )
            return LabelledSums(keys, ("breakdown_key", aggregate), noise)
        if len(encoder.breakdown_labels) != len(self.sums):
            raise MismatchError(
                f"the encoder has {len(encoder.breakdown_labels)} labels, and the result "
                f"{len(self.sums)} sums: it is not the encoder of this query"
            )
        labels = (
            LabelledSum(
                label,
                *(encoder.in_unit(x, aggregate) for x in (total, total - within, total + within)),
            )
            for label, total in zip(encoder.breakdown_labels, self.sums, strict=True)
        )
        return LabelledSums(labels, (encoder.label_column, aggregate), noise)

    def to_frame(
        self, encoder: EventEncoder | None = None, *, library: FrameLibrary = "pandas"
    ) -> DataFrame:
        """The sums as a frame of pandas or polars, a row for each breakdown key.

        Its columns are the breakdown key (with an encoder, the label, under the table's name for it),
        the sum or count, and with noise `low` and `high`, the 95 % interval. Amounts that are no integers
        are the nearest floats; `labelled` has them exactly.

        Raises: ParameterError where the library is not installed; MismatchError for the encoder of
            another query.
        """
        rows = self.labelled(encoder)
        label, total = rows.heads
        columns: dict[str, Sequence[object]] = {
            label: [row.label for row in rows],
            total: [_cell(row.total) for row in rows],
        }
        if self.noise is not None:
            columns["low"] = [_cell(row.low) for row in rows]
            columns["high"] = [_cell(row.high) for row in rows]
        return new_frame(columns, library)

    def __repr__(self) -> str:
        total, noise = cost_of(self.costs), self.noise
        cost = (
            f", {total.and_gates} AND gates, {total.rounds} rounds, {total.bytes_sent} bytes, "
            f"{total.seconds:.2f} s"
            if self.costs
            else ""
        )
        said = (
            "no noise: not private"
            if noise is None
            else f"noise +-{noise.interval_95} at 95 %, epsilon={float(noise.epsilon):g}"
        )
        return (
            f"QueryResult(sums={self.sums}, rows={self.rows}, {said}, "
            f"security={self.parameters.security!r}{cost})"
        )


def _cell(amount: Decimal | int) -> float | int:
    return amount if isinstance(amount, int) else float(amount)


def noise_in(parameters: QueryParameters) -> NoiseInResult | None:
    """The noise that a query with these parameters adds to every sum; None without epsilon.

    Delta is the one that is promised for in-MPC noise, and 0 for noise per helper.
    """
    noise = noise_for(parameters)
    if noise is None or parameters.epsilon is None:
        return None
    delta = parameters.delta if isinstance(noise, DigitwiseLaplace) else Fraction(0)
    return NoiseInResult(
        parameters.mechanism,
        Fraction(parameters.epsilon),
        delta,
        noise.standard_deviation,
        noise.interval_95,
    )


def check_noise_is_said(parameters: QueryParameters, no_noise: bool) -> None:
    """Check that exact sums are released only if the caller says so, and not if it says otherwise.

    Raises: ParameterError; also for what are no parameters of a query.
    """
    check_parameters_type(parameters)
    if parameters.epsilon is None and not no_noise:
        raise ParameterError(
            "without noise the result is not private: give the parameters an epsilon, or say "
            "no_noise=True (on the command line --epsilon or --no-noise)"
        )
    if parameters.epsilon is not None and no_noise:
        raise ParameterError("no_noise contradicts epsilon: leave one of them out")
