"""A run of three helper parties from what a case gives: keys, session, and what is delivered changed.

In every case of the steps below `messages/` the input has the pairwise `keys` k_1, k_2, k_3, the name
of the run as `session`, and perhaps `delivered`: one message that arrives with another payload than was
sent, or not at all. The output has every message as it was sent, and what the helpers hold. Only
`messages/run-name` has neither keys nor session: nothing is drawn, and a name is what it agrees on.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from ipa.conformance.json_values import Json, refused_at
from ipa.errors import (
    MisbehaviourError,
    MismatchError,
    ParameterError,
    RandomnessReuseError,
    RefusedCaseError,
)
from ipa.network.channel import Message, in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import Transcript, intercepted
from ipa.network.product_log import CheckRules
from ipa.parameters import Security
from ipa.parties import HELPERS, right_of
from ipa.sharing.prss import Prss, ReproducibleKey
from ipa.sharing.verification.binary_field import BinaryField

Act = Callable[[HelperPartyNetwork, Json], Json]
"""What is done in the run: from the network and the input to what the output has beside messages."""

REASONS = {
    "padding bits are set": "padding",
    "not an element": "element",
    "no message": "missing",
    "a message of another step": "step",
    "bytes instead of": "length",
    "the two copies of the opened share differ": "copies",
    "a helper does not go on": "verdict",
    "there is a message nobody waits for": "left over",
    "neighbours hold different": "inputs",
    "rows were changed": "rows",
    "a product is wrong": "product",
    "do not lie on a line": "line",
    "were not all told the same": "told",
}
"""By words of the library's error, the reason that a case names."""


def messages_of(
    given: Json, act: Act, security: Security = "semi-honest", degree: int = 64
) -> Json:
    """Run `act` and give its output with every message sent, in order.

    Raises: RefusedCaseError when a helper aborts, at the step where it does.
    """
    transcript = Transcript()
    with refused_at("keys", "length"):
        network = _network(given, transcript, security, degree)
    try:
        output = act(network, given)
    except MisbehaviourError as error:
        raise RefusedCaseError(error.step, reason_of(error)) from error
    except RandomnessReuseError as error:
        raise RefusedCaseError("draw", "reuse") from error
    except ParameterError as error:
        reason = "mismatch" if isinstance(error, MismatchError) else "range"
        raise RefusedCaseError("input", reason) from error
    return {"messages": [_message_to_json(message) for message in transcript.messages], **output}


def reason_of(error: MisbehaviourError) -> str:
    """The reason that a case names for why a helper aborted."""
    return next(reason for words, reason in REASONS.items() if words in error.problem)


def _network(
    given: Json, transcript: Transcript, security: Security, degree: int
) -> HelperPartyNetwork:
    keys = dict(
        zip(HELPERS, (ReproducibleKey(bytes.fromhex(k)) for k in given["keys"]), strict=True)
    )
    channels = intercepted(in_memory_channels(), [transcript, _delivery(given.get("delivered"))])
    parties = [
        HelperParty(helper, Prss(keys[helper], keys[right_of(helper)]), channels[helper])
        for helper in HELPERS
    ]
    rules = CheckRules(bit_field=BinaryField(degree))
    return HelperPartyNetwork(given["session"], parties, security=security, check_rules=rules)


def _delivery(changed: Json | None) -> Callable[[Message], Iterable[Message]]:
    def deliver(message: Message) -> Iterable[Message]:
        """The message, or what arrives in its place."""
        route = {"step": message.step, "from": message.sender, "to": message.receiver}
        if changed is None or {name: changed[name] for name in route} != route:
            return (message,)
        if changed["payload"] is None:
            return ()
        return (replace(message, payload=bytes.fromhex(changed["payload"])),)

    return deliver


def _message_to_json(message: Message) -> Json:
    return {
        "step": message.step,
        "from": message.sender,
        "to": message.receiver,
        "payload": message.payload.hex(),
    }


def comparable_messages(output: Json) -> Json:
    """An output whose messages stand by sender and receiver: only along a route is their order fixed."""
    messages = sorted(output["messages"], key=lambda message: (message["from"], message["to"]))
    return {**output, "messages": messages}
