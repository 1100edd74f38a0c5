"""Exercises of notebook 9: devices, reports and intake."""

from hashlib import sha256

from exercises.checking import Exercise, checker, expect_number, expect_result


def encryptions(answer: object) -> None:
    """A context has one epoch and one site."""
    mistakes = {
        7: "Each site is visited in each epoch.",
        3: "A ciphertext is for one epoch.",
        4: "A ciphertext is for one site.",
    }
    expect_number(answer, 3 * 4, "A context has one site and one epoch.", mistakes)


def address_of_a_hash(answer: object) -> None:
    """Addresses at every place of a list, and one that is not there."""
    addresses = [f"{name}@mail.example" for name in ("ada", "bob", "cem")]
    for address in addresses:
        digest = sha256(address.encode()).hexdigest()
        expect_result(answer, address, digest, list(addresses))
    nowhere = sha256(b"eve@mail.example").hexdigest()
    expect_result(answer, "nobody", nowhere, list(addresses))
    expect_result(answer, "nobody", nowhere, [])


def reports_that_take_part(answer: object) -> None:
    """Each bad report is dropped alone."""
    mistakes = {
        8: "Of a record that is sent twice the first one takes part, but not the second.",
        6: "Of a record that is sent twice the first one takes part.",
        0: "A bad report is dropped alone.",
    }
    expect_number(answer, 10 - 3, "Count the reports that are dropped.", mistakes)


EXERCISES: tuple[Exercise, ...] = (
    encryptions,
    address_of_a_hash,
    reports_that_take_part,
)
check = checker(*EXERCISES)
