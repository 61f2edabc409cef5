"""What the database says of each villager, tied to the tubes on which it rests."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.demo.ledger import Ledger


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """One current finding; ``subjects`` are the barcodes its evidence was measured on, or the
    swab itself where a strip was read."""

    outcome: str
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """One villager as the laboratory knows them."""

    person_ids: frozenset[UUID]
    findings: tuple[FindingFacts, ...]
    case_subjects: tuple[str, ...]
    subjects: tuple[str, ...]


NOBODY = PersonFacts(frozenset(), (), (), ())


@dataclass(frozen=True)
class EvidenceBook:
    """By villager, and by swab."""

    people: Mapping[int, PersonFacts]
    villagers_with_a_case: frozenset[int]
    specimens_with_a_finding: frozenset[UUID]
    tubes_of: Mapping[UUID, tuple[str, ...]]

    def of(self, villager: int) -> PersonFacts:
        return self.people.get(villager, NOBODY)

    def subjects_of(self, swab: UUID) -> tuple[str, ...]:
        """The swab, the tubes that hold it, and the plates they were on."""
        return (str(swab), *self.tubes_of.get(swab, ()))


_TUBES = text("""
SELECT ts.specimen_id, t.barcode, array_remove(array_agg(DISTINCT r.plate), NULL) AS plates
FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id
LEFT JOIN well w ON w.tube_id = t.id LEFT JOIN run r ON r.id = w.run_id
GROUP BY ts.specimen_id, t.barcode
""")

_FINDINGS = text("""
SELECT f.id, f.specimen_id, f.outcome, array_remove(array_agg(DISTINCT t.barcode), NULL) AS tubes
FROM finding f
LEFT JOIN result r ON r.id = ANY(f.evidence) LEFT JOIN tube t ON t.id = r.tube_id
GROUP BY f.id, f.specimen_id, f.outcome
""")

_CASES = text("""
SELECT c.person_id, f.id AS finding_id FROM f0_case c JOIN finding f ON f.id = c.finding_id
WHERE c.state IN ('presumptive', 'confirmed')
""")


def read_evidence(session: Session, ledger: Ledger) -> EvidenceBook:
    """A handful of statements, whatever the number of people."""
    tubes: dict[UUID, tuple[str, ...]] = defaultdict(tuple)
    for row in session.execute(_TUBES):
        tubes[row.specimen_id] += (row.barcode, *row.plates)
    said = {
        row.id: (row.specimen_id, FindingFacts(row.outcome, _subjects(row.specimen_id, row.tubes)))
        for row in session.execute(_FINDINGS)
    }
    current = set(session.execute(text("SELECT id FROM finding WHERE current")).scalars())
    persons: dict[int, set[UUID]] = defaultdict(set)
    for row in session.execute(text("SELECT id, person_id FROM specimen")):
        if row.id in ledger.swabs:
            persons[ledger.swabs[row.id]].add(row.person_id)
    by_person = {person: villager for villager, ids in persons.items() for person in ids}
    case_subjects = {
        by_person[row.person_id]: said[row.finding_id][1].subjects
        for row in session.execute(_CASES)
        if row.person_id in by_person
    }
    findings: dict[int, tuple[FindingFacts, ...]] = defaultdict(tuple)
    for finding in sorted(current):
        swab, facts = said[finding]
        if swab in ledger.swabs:
            findings[ledger.swabs[swab]] += (facts,)
    swabs_of: dict[int, list[UUID]] = defaultdict(list)
    for swab, villager in ledger.swabs.items():
        swabs_of[villager].append(swab)
    people = {
        villager: PersonFacts(
            person_ids=frozenset(persons[villager]),
            findings=findings[villager],
            case_subjects=case_subjects.get(villager, ()),
            subjects=tuple(s for swab in swabs for s in (*tubes[swab], str(swab))),
        )
        for villager, swabs in swabs_of.items()
    }
    return EvidenceBook(
        people, frozenset(case_subjects), frozenset(said[f][0] for f in current), dict(tubes)
    )


def _subjects(specimen_id: UUID, tubes: list[str]) -> tuple[str, ...]:
    return tuple(tubes) if tubes else (str(specimen_id),)
