"""The other side's book: who is really in which tube, what was answered for, what chance did.

Reconciliation compares it with the database. It is written only after an answer came, so that
what it holds must be there whatever was killed since.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from lims.demo.physics import Deviation


@dataclass
class Ledger:
    """Safe for the desks' threads: each method is one operation on one dictionary or set.

    swabs: the villager of each swab, by specimen id; contents: the villagers in each tube, by
    barcode; the rest are receipts: specimens, tubes and pools registered, tubes received, plates
    laid out, and messages that the analyser heard acknowledged to the end.
    """

    swabs: dict[UUID, int] = field(default_factory=dict)
    contents: dict[str, tuple[int, ...]] = field(default_factory=dict)
    registered: set[UUID] = field(default_factory=set)
    labelled: set[str] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    plates: dict[str, int] = field(default_factory=dict)
    plates_sent: set[str] = field(default_factory=set)
    cartridges_sent: Counter[str] = field(default_factory=Counter)
    deviations: dict[str, list[Deviation]] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)

    def note(self, deviation: Deviation | None) -> None:
        """Keep what chance did, by its subject."""
        if deviation is not None:
            self.deviations.setdefault(deviation.subject, []).append(deviation)

    def next_attempt(self, subject: str) -> int:
        """Counts the measurements of a tube from one; only the bench measures."""
        self.attempts[subject] += 1
        return self.attempts[subject]

    def explanations(self, subjects: Iterable[str]) -> list[Deviation]:
        """Everything chance did to these tubes, plates or swabs."""
        return [d for subject in subjects for d in self.deviations.get(subject, ())]
