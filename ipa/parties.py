"""The ring of three helper parties: H1, H2, H3 (the spec's P1, P2, P3)."""

HELPERS = (1, 2, 3)


def left_of(helper: int) -> int:
    """The neighbour that holds share x_helper second: H1 -> H3, H2 -> H1, H3 -> H2."""
    return (helper - 2) % 3 + 1


def right_of(helper: int) -> int:
    """The neighbour that holds share x_(helper + 1) first: H1 -> H2, H2 -> H3, H3 -> H1."""
    return helper % 3 + 1
