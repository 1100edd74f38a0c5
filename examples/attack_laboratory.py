"""A walk through the attack laboratory: corrupt one helper party, see who detects what, and where.

    python examples/attack_laboratory.py

Helper H2 is corrupted in one way after another;
H1 and H3 are honest. Under malicious security nobody gets a wrong result: the query ends with an
error that names the step. Under semi-honest security the same attack goes through.
"""

import argparse
from dataclasses import replace

from ipa import QueryParameters, generate_events
from ipa.attacks import (
    Attack,
    AttackReport,
    add_error,
    feed_other_input,
    run_attack,
    run_attack_in_threads,
    tamper,
    use_other_keys,
)

EVENTS = generate_events(30, breakdowns=4, match_key_bits=16, seed=7)
PARAMETERS = QueryParameters(breakdowns=4, cap=100, match_key_bits=16)

ATTACKS: list[tuple[str, Attack]] = [
    ("adds an error to products of the sort", add_error(2, "query/sort/*")),
    ("adds an error to products of the capping", add_error(2, "query/capping/*")),
    ("flips a bit of what it re-shares", tamper(2, "query/aggregation/*", "flip")),
    ("drops a message", tamper(2, "query/helper-bits/*", "drop")),
    ("sends a byte too few", tamper(2, "query/helper-bits/*", "truncate")),
    ("sends a message twice", tamper(2, "query/sort/*", "replay")),
    ("swaps two messages", tamper(2, "query/sort/*", "delay")),
    ("starts from other input shares", feed_other_input(2)),
    ("uses a key of its own", use_other_keys(2)),
    ("lies to H1 when a coin is opened", tamper(2, "check/*/coin/open", "flip", receiver=1)),
    ("lies to both when a coin is opened", tamper(2, "check/*/coin/open", "flip")),
    ("lies in the check of the products", tamper(2, "check/bits/values", "flip")),
    ("lies about its verdict", tamper(2, "query/agreement/verdict", "flip")),
]


def main() -> None:
    """Run the attacks one by one, then print the table."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    print("1. Everybody is honest.")
    print("  ", described(run_attack(EVENTS, PARAMETERS, Attack(2), seed=1)))

    print("2. H2 adds an error to its part of every product in the capping; nothing is checked.")
    semi_honest = replace(PARAMETERS, security="semi-honest")
    attack = add_error(2, "query/capping/*")
    print("  ", described(run_attack(EVENTS, semi_honest, attack, seed=1)))

    print("3. The same attack under malicious security: the batch check finds the wrong products.")
    print("  ", described(run_attack(EVENTS, PARAMETERS, attack, seed=1)))

    print("4. A lie to H1 alone; every helper has its own thread. What each honest helper says:")
    attack = tamper(2, "check/bits/coin/open", "flip", receiver=1)
    report = run_attack_in_threads(EVENTS, PARAMETERS, attack, seed=1, timeout=20)
    for helper, error in sorted(report.errors.items()):
        print(f"   H{helper}: {error}")

    print("5. All attacks. Who cheated is not identified, only that somebody did.")
    print("   How often: messages changed, products given an error, draws with another key.")
    print(f"   {'H2 ...':<42} {'how often':>9}  {'detected by':<12} step")
    for title, attack in ATTACKS:
        report = run_attack(EVENTS, PARAMETERS, attack, seed=1)
        row = f"   {title:<42} {report.tampered:>9}  {names(report.detected_by):<12} "
        print(row + (report.step or report.outcome))


def described(report: AttackReport) -> str:
    """What became of the query, in a line."""
    if report.outcome == "released":
        return f"A result is released; it is {'right' if report.result_is_right else 'WRONG'}."
    return f"Aborted at {report.step}, noticed by {names(report.detected_by)}; no result."


def names(helpers: tuple[int, ...]) -> str:
    """The helpers as H1, H3."""
    return ", ".join(f"H{helper}" for helper in helpers)


if __name__ == "__main__":
    main()
