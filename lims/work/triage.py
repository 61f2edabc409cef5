"""Write down what is known of an F0's health; its colour follows from the site's table of rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import CaseState
from lims.domain.refusals import IllegalMove, NotFound
from lims.domain.triage import (
    AGES,
    DOSES,
    SHIPPED,
    SHIPPED_NAME,
    SPO2,
    Clinical,
    Colour,
    Fact,
    Illness,
    RulesFault,
    Signs,
    Triage,
    TriageRule,
    classify,
    rule_of,
    rule_values,
    rules_fault,
)
from lims.tables import CaseTriage, F0Case, Person, TriageTable
from lims.work.access import Fault, refuse
from lims.work.audit import record
from lims.work.kits import VIETNAM
from lims.work.register_doses import registered_doses

MOST_RULES: Final = 40
_RULE_FAULTS: Final = {
    RulesFault.RANGE: Fault.RULE_RANGE,
    RulesFault.SHADOWED: Fault.RULE_SHADOWED,
    RulesFault.SEVERE: Fault.RULE_SEVERE,
}


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The table that judges now; without one of its own, a site has the shipped one."""

    name: str
    rules: tuple[TriageRule, ...]
    source: str
    added_at: datetime | None
    added_by: str | None


def rules_in_force(session: Session, *, site_id: UUID) -> RulesInForce:
    newest = session.scalars(
        select(TriageTable)
        .where(TriageTable.site_id == site_id)
        .order_by(TriageTable.added_at.desc(), TriageTable.id.desc())
        .limit(1)
    ).first()
    if newest is None:
        return RulesInForce(SHIPPED_NAME, SHIPPED, "3646/QĐ-BYT, 5525/QĐ-BYT", None, None)
    rules = tuple(rule_of(values) for values in newest.rules)
    return RulesInForce(newest.name, rules, newest.source, newest.added_at, newest.added_by)


def record_clinical(
    session: Session,
    record_id: UUID,
    case_id: UUID,
    known: Clinical,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> Triage:
    """Keep what was asked; a known year of birth says the age, and a register the doses that were
    not asked. The same ``record_id`` again changes nothing.

    Raises NotFound, IllegalMove for a case that is over, InvalidBody for a value out of bounds.
    """
    case = session.scalars(
        select(F0Case)
        .where(F0Case.id == case_id, F0Case.site_id == site_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if case is None:
        raise NotFound(came=str(case_id), where="cases")
    before = session.get(CaseTriage, record_id)
    if before is not None and before.case_id == case_id:
        colour = Colour(before.colour) if before.colour else None
        return Triage(colour, frozenset(Fact(one) for one in before.missing))
    if case.state not in {CaseState.PRESUMPTIVE, CaseState.CONFIRMED}:
        raise IllegalMove(
            source=case.state, target="classified", allowed=[], where=f"case {case_id}"
        )
    _refuse_out_of_bounds(known, now)
    person = session.get_one(Person, case.person_id)
    table = rules_in_force(session, site_id=site_id)
    answer_id = None
    if known.doses is None and (said := registered_doses(session, [person.id]).get(person.id)):
        known, answer_id = replace(known, doses=said.doses), said.answer_id
    judged = classify(with_age(known, person.birth_year, now), table.rules)
    kept = Judged(record_id, case_id, known, judged, answer_id, by)
    keep_records(session, [kept], table.name, site_id=site_id, now=now)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="classify_case",
        subject=str(case_id),
        now=now,
        colour=judged.colour,
        table=table.name,
    )
    return judged


def add_rules(
    session: Session,
    name: str,
    rules: Sequence[TriageRule],
    *,
    source: str,
    site_id: UUID,
    by: str,
    now: datetime,
) -> int:
    """A new table from now on; how many open cases it judged anew. Old records stay as they were.

    Raises InvalidBody as ``refuse_table`` does.
    """
    refuse_table(session, name, rules, source=source, site_id=site_id)
    session.add(
        TriageTable(
            id=uuid7(),
            site_id=site_id,
            name=name,
            source=source.strip(),
            rules=[rule_values(rule) for rule in rules],
            added_at=now,
            added_by=by,
        )
    )
    record(session, site_id=site_id, actor=by, verb="add_triage_table", subject=name, now=now)
    session.flush()
    return _judge_again(session, name, rules, site_id=site_id, by=by, now=now)


def refuse_table(
    session: Session, name: str, rules: Sequence[TriageRule], *, source: str, site_id: UUID
) -> None:
    """Raises InvalidBody: no name, one that exists, no source, no rules, impossible ones."""
    faults = dict[str, Fault]()
    taken = select(TriageTable.id).where(TriageTable.site_id == site_id, TriageTable.name == name)
    if not 1 <= len(name) <= 100:
        faults["name"] = Fault.NAME
    elif name == SHIPPED_NAME or session.scalar(taken):
        faults["name"] = Fault.NAME_TAKEN
    if not source.strip():
        faults["source"] = Fault.SOURCE
    if not 1 <= len(rules) <= MOST_RULES:
        faults["rules"] = Fault.RULES
    elif fault := rules_fault(rules):
        faults["rules"] = _RULE_FAULTS[fault]
    refuse(faults, where="triage table")


def _judge_again(
    session: Session,
    name: str,
    rules: Sequence[TriageRule],
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> int:
    rows = session.execute(_OPEN, {"site": site_id}).all()
    records = []
    for row in rows:
        triage = session.get_one(CaseTriage, row.id)
        known = clinical_of(triage)
        judged = classify(with_age(known, row.birth_year, now), rules)
        records.append(Judged(uuid7(), row.case_id, known, judged, triage.doses_answer_id, by))
    keep_records(session, records, name, site_id=site_id, now=now)
    return len(rows)


_OPEN = text("""
SELECT t.id, t.case_id, p.birth_year FROM case_triage t
JOIN f0_case c ON c.id = t.case_id AND c.state IN ('presumptive', 'confirmed')
JOIN person p ON p.id = c.person_id
WHERE t.current AND c.site_id = :site ORDER BY c.person_id FOR NO KEY UPDATE OF c
""")


def clinical_of(row: CaseTriage) -> Clinical:
    """What a record says; the age where it was asked."""
    ill = row.illnesses
    return Clinical(
        age_years=row.age_years,
        illnesses=None if ill is None else frozenset(Illness(one) for one in ill),
        doses=row.doses,
        spo2_percent=row.spo2_percent,
        signs=Signs(row.signs) if row.signs else None,
        onset_on=row.onset_on,
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A record to keep of a case that the caller holds. ``doses_answer_id``: the register's answer
    that says the doses; ``by``: who knew it."""

    record_id: UUID
    case_id: UUID
    known: Clinical
    triage: Triage
    doses_answer_id: UUID | None
    by: str


def keep_records(
    session: Session, records: Sequence[Judged], table: str, *, site_id: UUID, now: datetime
) -> None:
    """Each in place of the newest record of its case."""
    session.execute(
        update(CaseTriage)
        .where(CaseTriage.case_id.in_([one.case_id for one in records]), CaseTriage.current)
        .values(current=False)
        .execution_options(synchronize_session="fetch")
    )
    session.add_all(
        CaseTriage(
            id=one.record_id,
            site_id=site_id,
            case_id=one.case_id,
            age_years=one.known.age_years,
            illnesses=None if one.known.illnesses is None else sorted(one.known.illnesses),
            doses=one.known.doses,
            doses_answer_id=one.doses_answer_id,
            spo2_percent=one.known.spo2_percent,
            signs=one.known.signs,
            onset_on=one.known.onset_on,
            colour=one.triage.colour,
            missing=sorted(one.triage.missing),
            by_table=table,
            recorded_at=now,
            recorded_by=one.by,
        )
        for one in records
    )
    session.flush()


def with_age(known: Clinical, birth_year: int | None, now: datetime) -> Clinical:
    """By calendar years, which is all that many cards say."""
    if birth_year is None:
        return known
    return replace(known, age_years=max(0, _today(now).year - birth_year))


def _today(now: datetime) -> date:
    """Until seven in the morning it is yesterday still in UTC."""
    return now.astimezone(VIETNAM).date()


def _refuse_out_of_bounds(known: Clinical, now: datetime) -> None:
    faults = dict[str, Fault]()
    if known.spo2_percent is not None and not SPO2[0] <= known.spo2_percent <= SPO2[1]:
        faults["spo2_percent"] = Fault.SPO2
    if known.age_years is not None and not AGES[0] <= known.age_years <= AGES[1]:
        faults["age_years"] = Fault.AGE
    if known.doses is not None and not DOSES[0] <= known.doses <= DOSES[1]:
        faults["doses"] = Fault.DOSES
    if known.onset_on is not None and not date(2019, 12, 1) <= known.onset_on <= _today(now):
        faults["onset_on"] = Fault.ONSET
    refuse(faults, where="triage")
