"""The protocols, all of them plain functions over a network and shared values.

The steps of the query are here, one file each; `circuits`, `verification` and `primitives` hold what
they are composed of. What a notebook needs can be imported from here, and then says what to hand in where
something else than a network is.
"""

from ipa.network.network_argument import checking_networks
from ipa.protocols.aggregation import sums_per_breakdown
from ipa.protocols.capping import cap_credits
from ipa.protocols.circuits.addition import add, multiply_integers, subtract, sum_of, sum_rows
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.constants import public_columns, public_number, zero_extend
from ipa.protocols.circuits.conversion import bits_from_elements, elements_from_bits
from ipa.protocols.circuits.division import divide
from ipa.protocols.circuits.equality import all_ones, equal
from ipa.protocols.circuits.multiplexer import choose
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.circuits.scan import last_of_group, running_totals
from ipa.protocols.circuits.sorting import sort_rows
from ipa.protocols.helper_bits import HelperBits, helper_bits
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.match_key_compression import compress_match_keys
from ipa.protocols.padding import pad_reports
from ipa.protocols.primitives.coins import public_coins
from ipa.protocols.primitives.opening import open_bits, open_elements
from ipa.protocols.primitives.run_name import agree_on_run_name
from ipa.protocols.primitives.two_party import TwoPartyBits, replicate_two_party
from ipa.protocols.report_bound import BoundedColumns, bound_reports
from ipa.protocols.report_sorting import sort_reports
from ipa.protocols.verification.product_check import check_products

__all__ = [
    "BoundedColumns",
    "HelperBits",
    "TwoPartyBits",
    "add",
    "agree_on_run_name",
    "all_ones",
    "attribute_last_touch",
    "bits_from_elements",
    "bound_reports",
    "cap_credits",
    "check_products",
    "choose",
    "compress_match_keys",
    "divide",
    "elements_from_bits",
    "equal",
    "greater_than",
    "helper_bits",
    "last_of_group",
    "multiply",
    "multiply_elements",
    "multiply_integers",
    "open_bits",
    "open_elements",
    "pad_reports",
    "public_coins",
    "public_columns",
    "public_number",
    "replicate_two_party",
    "running_totals",
    "sort_reports",
    "sort_rows",
    "subtract",
    "sum_of",
    "sum_rows",
    "sums_per_breakdown",
    "zero_extend",
]

globals().update(checking_networks(__name__, __all__, globals()))
