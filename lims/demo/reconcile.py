"""Hold the laboratory's day against the truth and the receipts, person by person.

Lost: answered for, and gone - or a swab of which nobody knows anything, without a reason.
Duplicated: counted twice - a person, a case, a result, a notice. Missed and false: what chance
explains carries its reason (physics.py), what it does not carries none and is our fault.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.demo.evidence_book import EvidenceBook, PersonFacts, read_evidence
from lims.demo.ledger import Ledger
from lims.demo.opened_pools import by_strategy, opened_pools
from lims.demo.physics import Deviation, Error
from lims.demo.receiver import Entry
from lims.demo.truth import Commune
from lims.domain.pooling.choice import StrategyName


@dataclass(frozen=True, slots=True)
class Difference:
    """Between truth and case: a tube's barcode (or a strip's swab), and why; None is unknown."""

    barcode: str
    why: str | None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The day in figures. ``lost`` and ``duplicated`` name what they count; ``resolved`` are the
    pools in which an F0 was found, by strategy."""

    people: int
    tubes: int
    pools: int
    positive_pools: int
    sub_pools: int
    retests: int
    true_positives: int
    cases: int
    missed: tuple[Difference, ...]
    false: tuple[Difference, ...]
    notices_owed: int
    notices_delivered: int
    notices_pending: int
    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    resolved: Mapping[StrategyName, int] = field(default_factory=dict)

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        return tuple(d for d in (*self.missed, *self.false) if d.why is None)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicated or self.unexplained)

    def as_json(self, seconds: float) -> dict[str, object]:
        """The line that the demonstration ends with."""
        return {
            "people": self.people,
            "tubes": self.tubes,
            "pools": self.pools,
            "positive_pools": self.positive_pools,
            "sub_pools": self.sub_pools,
            "retests": self.retests,
            "true_positives": self.true_positives,
            "cases": self.cases,
            "missed": [{"barcode": d.barcode, "why": d.why} for d in self.missed],
            "false": [{"barcode": d.barcode, "why": d.why} for d in self.false],
            "notices_owed": self.notices_owed,
            "notices_delivered": self.notices_delivered,
            "lost": len(self.lost),
            "duplicated": len(self.duplicated),
            "resolved": {strategy.value: many for strategy, many in self.resolved.items()},
            "seconds": round(seconds, 1),
        }


@dataclass(frozen=True, slots=True)
class StillOpen:
    """What a day that is counted before its end may leave: swabs that wait, and for what; notices
    that are still being tried."""

    swabs: Mapping[UUID, str] = field(default_factory=dict)
    notices: frozenset[UUID] = frozenset()


ALL_DONE: Final = StillOpen()


def reconcile(
    session: Session,
    commune: Commune,
    ledger: Ledger,
    told: Sequence[Entry],
    still_open: StillOpen = ALL_DONE,
) -> Reckoning:
    """Reads only. ``told`` is the receiver's book."""
    evidence = read_evidence(session, ledger)
    named = evidence.villagers_with_a_case
    waiting = {
        ledger.swabs[swab]: why for swab, why in still_open.swabs.items() if swab in ledger.swabs
    }
    missed = [
        _missed(ledger, evidence.of(v), waiting.get(v)) for v in sorted(commune.infected - named)
    ]
    false = [_false(ledger, evidence.of(v)) for v in sorted(named - commune.infected)]
    owed, pending, undelivered = _notices(session, told, still_open.notices)
    figures = session.execute(_FIGURES).one()
    return Reckoning(
        people=len(commune.villagers),
        tubes=figures.tubes,
        pools=figures.pools,
        positive_pools=figures.positive_pools,
        sub_pools=figures.sub_pools,
        retests=figures.retests,
        true_positives=len(commune.infected & named),
        cases=figures.cases,
        missed=tuple(missed),
        false=tuple(false),
        notices_owed=owed,
        notices_delivered=owed - pending - len(undelivered),
        notices_pending=pending,
        lost=(
            *_gone(session, ledger),
            *_unknown(ledger, evidence, still_open.swabs),
            *undelivered,
        ),
        duplicated=(*_twice(session, told), *_strangers(session, ledger, commune, evidence)),
        resolved=by_strategy(opened_pools(session.connection())),
    )


_FIGURES = text("""
SELECT (SELECT count(*) FROM tube) AS tubes,
       (SELECT count(*) FROM tube WHERE kind <> 'individual' AND master_id IS NULL) AS pools,
       (SELECT count(DISTINCT t.id) FROM tube t JOIN result r ON r.tube_id = t.id
        WHERE t.kind <> 'individual' AND t.master_id IS NULL
        AND r.current AND r.outcome = 'detected') AS positive_pools,
       (SELECT count(*) FROM tube WHERE master_id IS NOT NULL) AS sub_pools,
       (SELECT count(*) FROM test_order
        WHERE why IN ('resolve', 'repeat', 'rerun', 'discordant') AND state <> 'cancelled')
           AS retests,
       (SELECT count(*) FROM f0_case WHERE state IN ('presumptive', 'confirmed')) AS cases
""")


def _missed(ledger: Ledger, facts: PersonFacts, waiting: str | None) -> Difference:
    """Every negative that was said of them must be a negative that chance made; with a swab that
    still waits, not everything was said yet."""
    whys: list[Deviation] = []
    for finding in facts.findings:
        by_chance = ledger.explanations(finding.subjects)
        if finding.outcome == "negative":
            by_chance = [d for d in by_chance if d.error is Error.MISSED]
            if not by_chance:
                return Difference(finding.subjects[0], None)
        whys += by_chance
    if waiting is not None and not whys:
        return Difference(facts.subjects[0], f"not known yet: {waiting}")
    return _difference(facts.subjects, whys)


def _false(ledger: Ledger, facts: PersonFacts) -> Difference:
    whys = ledger.explanations(facts.case_subjects)
    return _difference(facts.case_subjects, [d for d in whys if d.error is Error.FALSE_POSITIVE])


def _difference(subjects: Sequence[str], whys: Sequence[Deviation]) -> Difference:
    if not whys:
        return Difference(subjects[0] if subjects else "", None)
    return Difference(whys[0].subject, "; ".join(dict.fromkeys(d.why for d in whys)))


def _gone(session: Session, ledger: Ledger) -> list[str]:
    """Receipts whose subject is not in the database as it was answered for."""
    swabs = _there(session, "SELECT id FROM specimen WHERE id = ANY(:asked)", ledger.registered)
    tubes = _there(session, "SELECT barcode FROM tube WHERE barcode = ANY(:asked)", ledger.labelled)
    received = _there(
        session,
        "SELECT barcode FROM tube WHERE barcode = ANY(:asked) AND received_at IS NOT NULL",
        ledger.received,
    )
    lost = [f"swab {swab} registered" for swab in ledger.registered - swabs]
    lost += [f"tube {tube} registered" for tube in ledger.labelled - tubes]
    lost += [f"tube {tube} received" for tube in ledger.received - received]
    return lost + _unheard(session, ledger)


def _there(session: Session, query: str, asked: Iterable[object]) -> set[object]:
    return set(session.execute(text(query), {"asked": list(asked)}).scalars())


def _unheard(session: Session, ledger: Ledger) -> list[str]:
    """Messages that the analyser heard acknowledged to the end, and that are not all here."""
    wells = _counted(session, _WELLS)
    cartridges = _counted(session, _CARTRIDGES)
    lost = [
        f"plate {plate} acknowledged: {wells.get(plate, 0)} of {ledger.plates[plate]} wells here"
        for plate in sorted(ledger.plates_sent)
        if wells.get(plate, 0) < ledger.plates[plate]
    ]
    return lost + [
        f"cartridge of {tube} acknowledged"
        for tube, times in sorted(ledger.cartridges_sent.items())
        if cartridges.get(tube, 0) < times
    ]


_WELLS = """
SELECT run_text, count(DISTINCT well) FROM measurement
WHERE role = 'specimen' AND standing = 'matched' GROUP BY run_text
"""

_CARTRIDGES = """
SELECT specimen_text, count(*) FROM measurement WHERE run_text IS NULL GROUP BY specimen_text
"""


def _counted(session: Session, query: str) -> dict[str, int]:
    return {row[0]: row[1] for row in session.execute(text(query))}


def _unknown(ledger: Ledger, evidence: EvidenceBook, waiting: Mapping[UUID, str]) -> list[str]:
    """Swabs of which nothing is known, although chance did nothing to them."""
    return [
        f"swab {swab} has no finding"
        for swab in sorted(ledger.registered - evidence.specimens_with_a_finding - waiting.keys())
        if not ledger.explanations(evidence.subjects_of(swab))
    ]


def _notices(
    session: Session, told: Sequence[Entry], still_tried: frozenset[UUID]
) -> tuple[int, int, list[str]]:
    """How many were owed, how many are still being tried, and which did not reach their reader."""
    heard = {entry.webhook_id for entry in told if entry.what == "told"}
    owed = session.execute(
        text(
            "SELECT n.id, n.kind, n.state, s.channel FROM notice n"
            " JOIN subscription s ON s.id = n.subscription_id ORDER BY n.id"
        )
    ).all()
    undelivered = [
        f"notice {row.id} {row.kind}: {row.state} by {row.channel}"
        for row in owed
        if row.id not in still_tried
        and (
            row.state != "delivered" or (row.channel == "webhook" and f"msg_{row.id}" not in heard)
        )
    ]
    return len(owed), len(still_tried & {row.id for row in owed}), undelivered


_TWICE: Mapping[str, str] = {
    "people with two live cases": (
        "SELECT person_id::text FROM f0_case WHERE state IN ('presumptive', 'confirmed')"
        " GROUP BY person_id HAVING count(*) > 1"
    ),
    "tests with two results": (
        "SELECT order_id::text FROM result WHERE current GROUP BY order_id HAVING count(*) > 1"
    ),
    "tests measured twice": (
        "SELECT order_id::text FROM measurement"
        " WHERE standing = 'matched' AND order_id IS NOT NULL"
        " GROUP BY order_id HAVING count(*) > 1"
    ),
    "swabs with two findings": (
        "SELECT specimen_id::text FROM finding WHERE current"
        " GROUP BY specimen_id HAVING count(*) > 1"
    ),
    "notices owed twice": (
        "SELECT min(id::text) FROM notice"
        " GROUP BY subscription_id, case_id, pool_id, sequence HAVING count(*) > 1"
    ),
}


def _twice(session: Session, told: Sequence[Entry]) -> list[str]:
    found = [
        f"{what}: {which}"
        for what, query in _TWICE.items()
        for which in session.execute(text(query)).scalars()
    ]
    heard = Counter(
        (entry.office, entry.subject, entry.sequence)
        for entry in {e.webhook_id: e for e in told if e.what == "told"}.values()
    )
    return found + [f"told twice: {said}" for said, times in heard.items() if times > 1]


def _strangers(
    session: Session, ledger: Ledger, commune: Commune, evidence: EvidenceBook
) -> list[str]:
    """People and swabs that are here more often than they were swabbed."""
    swabs: set[UUID] = set(session.execute(text("SELECT id FROM specimen")).scalars())
    found = [f"swab {swab} that nobody took" for swab in sorted(swabs - ledger.swabs.keys())]
    return found + [
        f"one person under {len(ids)} ids: {sorted(map(str, ids))}"
        for villager in range(len(commune.villagers))
        if len(ids := evidence.of(villager).person_ids) > 1
    ]
