"""Pictures of the protocol, each drawn from a real run: plain functions that return a `Picture`.

A picture shows itself in a notebook, and `picture.save("name.svg")` writes it to a file. Where one shows
what is secret in a deployment, its function says so: it makes the run itself, of values that the caller
has in the clear, or asks for what `reconstruct_for_testing` gives.
"""

from ipa.display.picture import Picture
from ipa.pictures.batch_check import picture_of_batch_check
from ipa.pictures.last_touch import picture_of_last_touch
from ipa.pictures.messages import picture_of_messages
from ipa.pictures.noise import picture_of_noise
from ipa.pictures.shares import picture_of_shares
from ipa.pictures.sort import picture_of_sort

__all__ = [
    "Picture",
    "picture_of_batch_check",
    "picture_of_last_touch",
    "picture_of_messages",
    "picture_of_noise",
    "picture_of_shares",
    "picture_of_sort",
]
