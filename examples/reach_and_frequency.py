"""How many persons did two publishers and a television panel reach, and how often?

    python examples/reach_and_frequency.py

Three workers answer without seeing anybody's impressions, by two protocols; both answers are compared
with SQL over the impressions in the clear. Then the same with noise, a report of set expressions, and
what one dishonest worker can do to an honest majority protocol that checks nothing, and what becomes of it
in one that does.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from ipa.budget import BucketLedger, EpsilonDelta
from ipa.halo.attacks import Corruption, add_to_share, run_halo_attack
from ipa.halo.impressions import Impression, Selection, read_impressions_csv
from ipa.halo.measurement import fresh_hash_key, run_measurement
from ipa.halo.oracle_sql import frequency_histogram_sql, reach_sql
from ipa.halo.reporting import ReportSpecification, cumulative_periods, run_report, sets_by
from ipa.halo.share_shuffle import ShareShuffle
from ipa.halo.specification import MeasurementSpecification

IMPRESSIONS = Path(__file__).with_name("impressions.csv")
MOST = 5
EXACT = MeasurementSpecification(max_frequency=MOST)
NOISED = replace(EXACT, epsilon=Fraction(1))


def main() -> int:
    """Measure, report, attack; say whether the exact answers are right."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    with IMPRESSIONS.open(encoding="utf-8", newline="") as stream:
        impressions = read_impressions_csv(stream, str(IMPRESSIONS))
    people = len({impression.person for impression in impressions})
    print(f"{len(impressions)} impressions of {people} persons\n")
    right = [exactly(impressions)]
    with_noise(impressions)
    right.append(report(impressions))
    attack(impressions)
    return 0 if all(right) else 1


def exactly(impressions: Sequence[Impression]) -> bool:
    """Two protocols without noise beside SQL."""
    expected = frequency_histogram_sql(impressions, MOST)
    print(f"persons reached 1, 2, ..., {MOST} or more times")
    print(f"  SQL:  {expected}, {sum(expected)} in all")
    shuffle = run_measurement(impressions, EXACT, "hmss", no_noise=True)
    print(f"  hmss: {list(shuffle.frequency or ())}, {shuffle.reach} in all")
    # Liquid Legions estimates from a sketch, on the curve that a deployment would take.
    legions = run_measurement(impressions, EXACT, "llv2", no_noise=True, seed=1)
    print(f"  llv2: {list(legions.frequency or ())}, {legions.reach} in all, estimated\n")
    return list(shuffle.frequency or ()) == expected


def with_noise(impressions: Sequence[Impression]) -> None:
    """The same with noise, paid from a budget that suffices once."""
    granted = EpsilonDelta(epsilon=Fraction(3, 2), delta=Fraction(1, 10**6))
    with TemporaryDirectory() as directory:
        ledger = BucketLedger.create(Path(directory) / "ledger", granted)
        result = run_measurement(impressions, NOISED, "hmss", ledger=ledger, seed=1)
        charged = ledger.charges()["measurement"]
        left = granted.epsilon - max(ledger.spent(bucket).epsilon for bucket in charged.buckets)
    print(
        f"with noise for epsilon {NOISED.epsilon}, charged to {len(charged.buckets)} buckets of days "
        f"and people; of {granted.epsilon}, {left} is left to each afterwards"
    )
    print(f"  hmss: {list(result.frequency or ())}, {result.reach} in all\n")


def report(impressions: Sequence[Impression]) -> bool:
    """Set expressions by medium, week after week, beside the unions in SQL."""
    sets = sets_by(impressions, "medium")
    names = ("tv | video | display", "tv - (video | display)", "tv & video")
    asked = ReportSpecification(
        sets=sets, expressions=names, periods=cumulative_periods(0, 27, 7), cumulative=True
    )
    key = fresh_hash_key()

    def measure(chosen: Sequence[Selection]) -> int:
        union = MeasurementSpecification(selections=tuple(chosen))
        return run_measurement(impressions, union, "hmss", no_noise=True, hash_key=key).reach

    made = run_report(asked, measure)
    for name in names:
        reaches = [row.reach for row in made.rows if row.expression == name]
        print(f"  {name:24} by week: {reaches}")
    print(f"  from {made.measurements} measured unions\n")
    return made == run_report(asked, lambda chosen: reach_sql(impressions, chosen))


def attack(impressions: Sequence[Impression]) -> None:
    """One worker adds 1 to the first ten registers of its share, wherever they came from."""
    registers = len({impression.person for impression in impressions})
    parameters = ShareShuffle(registers=registers, providers=3, max_frequency=MOST)
    dishonest = Corruption(1, "hmss/shuffled", add_to_share(parameters, [1] * 10))
    found = run_halo_attack(impressions, EXACT, "hmss", dishonest)
    print("a dishonest worker adds 1 to ten registers")
    print(f"  honest:   {list(found.honest.frequency or ())}")
    if found.attacked is not None:
        print(f"  attacked: {list(found.attacked.frequency or ())}, and nobody noticed")
    # The same on replicated shares, where a worker's every message is checked.
    dishonest = Corruption(1, "hmss-malicious/shuffle/pass/*", invert_first_byte)
    found = run_halo_attack(impressions, EXACT, "hmss-malicious", dishonest)
    print(f"  hmss-malicious, honest: {list(found.honest.frequency or ())}")
    print(f"  hmss-malicious, attacked: no result; {found.noticed}")


def invert_first_byte(payload: bytes) -> bytes:
    """What a dishonest worker sends instead."""
    return bytes([payload[0] ^ 255]) + payload[1:]


if __name__ == "__main__":
    sys.exit(main())
