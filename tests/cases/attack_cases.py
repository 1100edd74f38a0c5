"""A tiny query to attack, its steps, and what an attack that is noticed looks like."""

from malicious_cases import SEED, TINY_EVENTS, honest_messages, tiny

from ipa.attacks import Attack, AttackReport, run_attack

PARAMETERS = tiny()
STEPS = list(dict.fromkeys(message.step for message in honest_messages("proportional")))


def attacked(attack: Attack) -> AttackReport:
    return run_attack(TINY_EVENTS, PARAMETERS, attack, SEED)


def assert_aborted(report: AttackReport) -> None:
    assert report.outcome == "aborted"
    assert report.result_is_right is None
    assert report.step
    assert report.detected_by
