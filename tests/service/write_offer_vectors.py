"""Writes tests/vectors/service_offers.json anew.

    PYTHONPATH=tests/cases python tests/service/write_offer_vectors.py

Nothing in it is random, so it comes out the same as long as the format does.
"""

import json
from pathlib import Path
from typing import Any

from service_cases import small_query

from ipa.service.offers import Offer

PATH = Path(__file__).parents[1] / "vectors" / "service_offers.json"


def cases() -> list[dict[str, Any]]:
    """Offers, with their bytes."""
    asked = small_query("query-1")
    found = []
    for sender, receiver, query_id in ((1, 3, "query-1"), (1, 2, "q"), (2, 3, "\u00e9" * 127)):
        attempt = bytes(range(sender, sender + 16))
        offer = Offer(sender, receiver, attempt, asked.digest(), query_id)
        told = {"sender": sender, "receiver": receiver, "attempt": attempt.hex()}
        told |= {"digest": offer.digest.hex(), "query_id": query_id}
        found.append(told | {"bytes": offer.to_bytes().hex()})
    return found


def text() -> str:
    """The file."""
    described = "Offers that helper parties make each other: SPEC_NOTES.md, note services."
    return json.dumps({"description": described, "offers": cases()}, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
