"""One well of a pool, or of a part of it, as evidence."""

from dataclasses import dataclass

from lims.domain.pooling.bayes.error_model import Role


@dataclass(frozen=True, slots=True, order=True)
class Measurement:
    """One valid attempt at one tube. ``members``: indices into the pool, ascending; ``attempt``
    tells two attempts at the same tube apart (two tubes of the same members share what they were
    drawn from, and count as one); ``ct_cycles`` where it was detected, else None."""

    role: Role
    members: tuple[int, ...]
    detected: bool
    attempt: int = 1
    ct_cycles: float | None = None
