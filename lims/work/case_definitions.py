"""Which case definitions a laboratory has, and the next one with the day it comes into force."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, SessionTransaction

from lims.db.ids import uuid7
from lims.domain.case_definition import ALWAYS, MAY_CONFIRM, MOST_HOURS, CaseDefinition, in_force
from lims.domain.outcomes import Basis
from lims.tables import CaseDefinitionRow
from lims.work.access import Fault, refuse
from lims.work.audit import record

_READ: Final = "case_definitions"  # in what a session remembers
_MARGIN: Final = timedelta(minutes=5)  # nobody judges by tomorrow's while this commits


@dataclass(frozen=True, slots=True)
class _Read:
    """What one transaction has read: judged evidence costs no statement of its own."""

    within: SessionTransaction | None
    site_id: UUID
    definitions: Sequence[CaseDefinition]


def definitions_of(session: Session, *, site_id: UUID) -> Sequence[CaseDefinition]:
    """All of them, in the order in which they were added; read once in a transaction."""
    kept: _Read | None = session.info.get(_READ)
    if kept is None or kept.site_id != site_id or kept.within is not session.get_transaction():
        rows = session.scalars(
            select(CaseDefinitionRow)
            .where(of_site(site_id))
            .order_by(CaseDefinitionRow.added_at, CaseDefinitionRow.id)
        )
        found = [definition_of(row) for row in rows]
        kept = _Read(session.get_transaction(), site_id, found)
        session.info[_READ] = kept
    return kept.definitions


def definition_in_force(session: Session, at: datetime, *, site_id: UUID) -> CaseDefinition:
    """By which evidence of that moment is judged."""
    return in_force(at, definitions_of(session, site_id=site_id))


def definition_of(row: CaseDefinitionRow) -> CaseDefinition:
    return CaseDefinition(
        name=row.name,
        valid_from=row.valid_from,
        source=row.source,
        grounds=frozenset(Basis(one) for one in row.grounds),
        second_within=timedelta(hours=row.second_within_h),
    )


def add_definition(
    session: Session,
    new: CaseDefinition,
    *,
    timezone: str,
    site_id: UUID,
    by: str,
    now: datetime,
) -> None:
    """One more version, which judges from the site's midnight of a day on; those before it stay.

    A later version for the same day takes its place. What is judged already is never judged by
    another definition: a day that has begun is taken only where nothing was judged since.
    Raises InvalidBody.
    """
    faults = dict[str, Fault]()
    taken = select(CaseDefinitionRow.id).where(of_site(site_id), CaseDefinitionRow.name == new.name)
    if not 1 <= len(new.name) <= 100:
        faults["name"] = Fault.NAME
    elif session.scalar(taken):
        faults["name"] = Fault.NAME_TAKEN
    if not new.source.strip():
        faults["source"] = Fault.SOURCE
    if not _hours(1) <= new.second_within <= _hours(MOST_HOURS) or new.second_within % _hours(1):
        faults["second_within_h"] = Fault.SECOND_WITHIN
    if not new.grounds >= ALWAYS or not new.grounds <= frozenset(MAY_CONFIRM):
        faults["grounds"] = Fault.GROUNDS
    begins = first_moment(earliest_day(timezone, now), timezone)
    if new.valid_from < begins and _judged_since(session, new.valid_from, site_id):
        faults["valid_from"] = Fault.DAY_JUDGED
    refuse(faults, where="case definition")
    session.add(
        CaseDefinitionRow(
            id=uuid7(),
            site_id=site_id,
            name=new.name,
            valid_from=new.valid_from,
            source=new.source.strip(),
            grounds=_in_order(new.grounds),
            second_within_h=new.second_within // _hours(1),
            added_at=now,
            added_by=by,
        )
    )
    session.info.pop(_READ, None)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="add_case_definition",
        subject=new.name,
        now=now,
        valid_from=new.valid_from.isoformat(),
        grounds=_in_order(new.grounds),
    )
    session.flush()


def earliest_day(timezone: str, now: datetime) -> date:
    """From which day a next version may judge, whatever was judged today."""
    return (now + _MARGIN).astimezone(ZoneInfo(timezone)).date() + timedelta(days=1)


def first_moment(day: date, timezone: str) -> datetime:
    """The midnight with which a site's day begins."""
    return datetime.combine(day, time.min, ZoneInfo(timezone))


def _judged_since(session: Session, valid_from: datetime, site_id: UUID) -> bool:
    """Whoever judges has read the table until they commit, and so keeps its lock from us; who
    begins after us waits, and judges by the new version. Refusing at once, we hold up nobody."""
    try:
        with session.begin_nested():
            session.execute(_ALONE)
    except OperationalError as failure:
        if getattr(failure.orig, "sqlstate", "") == _LOCK_NOT_AVAILABLE:
            return True
        raise
    return bool(session.scalar(_JUDGED, {"site": site_id, "at": valid_from}))


_LOCK_NOT_AVAILABLE: Final = "55P03"  # PostgreSQL, appendix A
_ALONE = text("LOCK TABLE case_definition IN ACCESS EXCLUSIVE MODE NOWAIT")
_JUDGED = text("""
SELECT EXISTS (SELECT FROM f0_case WHERE site_id = :site AND opened_at >= :at)
    OR EXISTS (SELECT FROM rapid_test WHERE site_id = :site AND outcome = 'positive'
               AND read_at >= :at)
    OR EXISTS (SELECT FROM finding WHERE site_id = :site AND current AND outcome = 'positive'
               AND created_at >= :at)
""")


def of_site(site_id: UUID) -> ColumnElement[bool]:
    """Its own and the Ministry's."""
    return or_(CaseDefinitionRow.site_id.is_(None), CaseDefinitionRow.site_id == site_id)


def _in_order(grounds: Collection[Basis]) -> list[str]:
    return [one.value for one in MAY_CONFIRM if one in grounds]


def _hours(many: int) -> timedelta:
    return timedelta(hours=many)
