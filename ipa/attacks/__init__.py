"""The attack laboratory: corrupt one helper party, run a query, see who detects what.

A helper is corrupted by what happens to its messages (an interceptor from `tamper`) or by how it
behaves (`add_error`, `use_other_keys`, `feed_other_input`). `run_attack` runs a query in lockstep
and `run_attack_in_threads` with every helper in a thread of its own; both report what the query came
to instead of raising it. An attack that changes nothing is an error: a report of it would only look
like one of a defence.
"""

from ipa.attacks.corruption import (
    Attack,
    Change,
    Tampering,
    add_error,
    feed_other_input,
    tamper,
    use_other_keys,
)
from ipa.attacks.laboratory import AttackReport, run_attack, run_attack_in_threads

__all__ = [
    "Attack",
    "AttackReport",
    "Change",
    "Tampering",
    "add_error",
    "feed_other_input",
    "run_attack",
    "run_attack_in_threads",
    "tamper",
    "use_other_keys",
]
