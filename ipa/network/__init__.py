"""The helper party network: parties, channels, the step they are in, what it costs."""

from ipa.network.channel import Channel, Message, in_memory_channels
from ipa.network.costs import Cost, cost_of, costs_by_step
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import Interceptor, Transcript
from ipa.network.product_log import CheckRules, ProductLog
from ipa.network.simulation import RunOptions, pairwise_keys, simulated_network
from ipa.network.sockets import SocketChannel, local_socket_channels
from ipa.network.trace import Trace, TracedValue
from ipa.network.view import View
from ipa.network.view_comparison import ViewComparison, compare_views

__all__ = [
    "Channel",
    "CheckRules",
    "Cost",
    "HelperParty",
    "HelperPartyNetwork",
    "Interceptor",
    "Message",
    "ProductLog",
    "RunOptions",
    "SocketChannel",
    "Trace",
    "TracedValue",
    "Transcript",
    "View",
    "ViewComparison",
    "compare_views",
    "cost_of",
    "costs_by_step",
    "in_memory_channels",
    "local_socket_channels",
    "pairwise_keys",
    "simulated_network",
]
