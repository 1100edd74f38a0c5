"""A Kingdom with a consumer and three data providers, one of which cannot make shares, for tests."""

from fractions import Fraction

from ipa.budget.bucket_ledger import BucketLedger
from ipa.client.keys import generate_key
from ipa.halo.buckets import buckets_of
from ipa.halo.kingdom import Kingdom
from ipa.halo.registers import SamplingInterval

KEY = generate_key(1).public()
PROVIDERS = ["alpha", "beta", "tv"]
HALF = Fraction(1, 2)
TINY = Fraction(1, 10**6)
ONE_DAY = buckets_of("shop", (3, 3), SamplingInterval(), slices=1)
OF_ANOTHER = buckets_of("another", (3, 3), SamplingInterval(), slices=1)


def kingdom(ledger: BucketLedger | None = None) -> Kingdom:
    made = Kingdom(3, ledger)
    made.add_consumer("shop", KEY)
    for name in PROVIDERS:
        made.add_provider(name, share_shuffle=name != "tv")
    return made
