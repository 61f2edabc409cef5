"""The other side's book: who is really in which tube, what was answered for, what chance did.

Reconciliation compares it with the database. It is written only after an answer came, so that
what it holds must be there whatever was killed since.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lims.demo.physics import Deviation
from lims.demo.truth import Household, Villager


@dataclass
class Ledger:
    """Safe for the desks' threads: each method is one operation on one dictionary or set.

    swabs: the villager of each swab, by specimen id; contents: the villagers in each tube, by
    barcode; the rest are receipts: specimens, tubes and pools registered (sub-pools too), tubes
    received, plates laid out, and messages that the analyser heard acknowledged to the end.
    """

    swabs: dict[UUID, int] = field(default_factory=dict)
    contents: dict[str, tuple[int, ...]] = field(default_factory=dict)
    registered: set[UUID] = field(default_factory=set)
    labelled: set[str] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    sub_pools: set[str] = field(default_factory=set)
    plates: dict[str, int] = field(default_factory=dict)
    plates_sent: set[str] = field(default_factory=set)
    cartridges_sent: Counter[str] = field(default_factory=Counter)
    deviations: dict[str, list[Deviation]] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)

    def single(self, body: Mapping[str, Any], villager: Villager) -> None:
        """A swab in a tube of its own was answered for."""
        self._swabbed(body["specimen_id"], villager.number)
        self._labelled(body["barcode"], (villager.number,))

    def family(self, body: Mapping[str, Any], household: Household) -> None:
        """A family's tube was answered for."""
        for member, villager in zip(body["members"], household.villagers, strict=True):
            self._swabbed(member["specimen_id"], villager.number)
        self._labelled(body["barcode"], tuple(v.number for v in household.villagers))

    def strip(
        self, body: Mapping[str, Any], receipt: Mapping[str, Any], villager: Villager
    ) -> None:
        """A strip's reading was answered for, and the PCR tube of a positive one."""
        self._swabbed(body["specimen_id"], villager.number)
        if body["pcr_barcode"] is not None:
            self._swabbed(receipt["pcr_specimen_id"], villager.number)
            self._labelled(body["pcr_barcode"], (villager.number,))

    def again(self, body: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        """The second swab of somebody whose first one could not tell."""
        villager = self.swabs[UUID(wanted["specimen_id"])]
        self._swabbed(body["specimen_id"], villager)
        self._labelled(body["barcode"], (villager,))

    def pool(self, label: str, sources: Iterable[str]) -> None:
        """A laboratory pool was answered for; it is made where it is."""
        self._labelled(label, tuple(v for source in sources for v in self.contents[source]))
        self.received.add(label)

    def sub_pool(self, label: str, sources: Iterable[str]) -> None:
        """A sub-pool of a positive pool was answered for."""
        self.pool(label, sources)
        self.sub_pools.add(label)

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

    def _swabbed(self, specimen_id: str, villager: int) -> None:
        self.swabs[UUID(specimen_id)] = villager
        self.registered.add(UUID(specimen_id))

    def _labelled(self, label: str, villagers: tuple[int, ...]) -> None:
        self.contents[label] = villagers
        self.labelled.add(label)
