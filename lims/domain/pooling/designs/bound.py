"""What no design can do with less than."""

from math import log2


def entropy(probability: float) -> float:
    """Bits in one person's status: with answers of yes and no and never an error, as many tests a
    person are needed on average (Shannon 1948)."""
    other = 1 - probability
    return -probability * log2(probability) - other * log2(other)
