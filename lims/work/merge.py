"""Two rows, one human being: merged by a reviewer, never by itself, and parted again (S16)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import Conflict, NotFound
from lims.tables import Claim, Person, PersonMerge
from lims.work.audit import record
from lims.work.claim import claim
from lims.work.evidence import lock_components
from lims.work.hand_over import hand_over
from lims.work.live_cases import live_case
from lims.work.measurements import given_reason
from lims.work.settle import settle
from lims.work.zones import LOCK_WITH_CARDS, tell_zones


class CannotMerge(Conflict):
    slug = "cannot-merge"
    expected = "two people of this site who may be one"
    todo = "compare the cards; decide what is open on either person first"


@dataclass(frozen=True, slots=True)
class Merged:
    """Who is left, who stands under them, and how many swabs changed hands."""

    merge_id: UUID
    kept_id: UUID
    merged_id: UUID
    swabs: int
    replayed: bool


def merge_people(
    session: Session,
    kept_id: UUID,
    merged_id: UUID,
    reason: str,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> Merged:
    """Give every swab of ``merged_id``, with what is said of it, to ``kept_id``.

    A final word stays final; a case goes along with the team that holds it, and everyone who was
    told hears so. The other row is kept and points here. Merging the same two again changes
    nothing. Raises NotFound (nobody of this site), InvalidBody (no reason), CannotMerge.
    """
    said = given_reason(reason)
    people = _locked(session, site_id, kept_id, merged_id)
    kept, merged = people[kept_id], people[merged_id]
    if merged.merged_into_id == kept_id:
        earlier = _open_merge(session, merged_id)
        return _answer(earlier, replayed=True)
    _refuse_what_is_open(session, kept, merged)
    swabs = list(session.scalars(_SWABS, {"person": merged_id}))
    _alone_with_zones(session, kept_id, merged_id)
    merged.merged_into_id = kept_id  # before anything is told: the zones of this card listen too
    _move(session, swabs, merged, kept, by=by, now=now)
    made = PersonMerge(
        id=uuid7(),
        site_id=kept.site_id,
        kept_id=kept_id,
        merged_id=merged_id,
        moved=swabs,
        took_number=_take_number(session, merged, kept),
        reason=said,
        merged_at=now,
        merged_by=by,
    )
    session.add(made)
    session.flush()
    tell_zones(session, [kept_id], site_id=site_id, now=now)
    _record(session, made, "merge_people", by, now, reason=said)
    return _answer(made, replayed=False)


def part_people(
    session: Session, merged_id: UUID, *, site_id: UUID, by: str, now: datetime
) -> Merged:
    """Undo a merge: the swabs that changed hands go back; later ones stay where they were taken.

    Parting again changes nothing. Raises NotFound when these were never merged here.
    """
    theirs = PersonMerge.merged_id == merged_id, PersonMerge.site_id == site_id
    last = session.scalars(_LAST_MERGE.where(*theirs)).first()
    if last is None:
        raise NotFound(expected="a person who was merged", came=str(merged_id), where="person_id")
    people = _locked(session, site_id, last.kept_id, merged_id)
    session.refresh(last)
    if last.undone_at is not None:
        return _answer(last, replayed=True)
    kept, merged = people[last.kept_id], people[merged_id]
    merged.merged_into_id = None
    there = list(session.scalars(_STILL_THERE, {"ids": last.moved, "person": kept.id}))
    _move(session, there, kept, merged, by=by, now=now)
    if last.took_number:
        _take_number(session, kept, merged)
    last.undone_at, last.undone_by = now, by
    _record(session, last, "part_people", by, now)
    return _answer(last, replayed=False)


def _locked(session: Session, site_id: UUID, *ids: UUID) -> dict[UUID, Person]:
    """Both rows in id order, so that two reviewers merging crosswise wait for one another.

    Whoever registers for a known row holds it FOR SHARE (people.py): that swab is there to be
    moved once these locks are had, and what comes later sees where the row points.
    """
    rows = session.scalars(
        select(Person)
        .where(Person.id.in_(ids), Person.site_id == site_id)
        .order_by(Person.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    people = {row.id: row for row in rows}
    for person_id in ids:
        if person_id not in people:
            raise NotFound(came=str(person_id), where="person_id")
    return people


def _alone_with_zones(session: Session, kept_id: UUID, merged_id: UUID) -> None:
    """What was said of either card brings zones along: a case that is being opened at this moment
    comes before, and is told of to them, or after, and finds them."""
    if session.scalar(_IN_ZONES, {"ids": [kept_id, merged_id]}):
        session.execute(LOCK_WITH_CARDS, {"people": [kept_id, merged_id]})


def _refuse_what_is_open(session: Session, kept: Person, merged: Person) -> None:
    where = f"person {merged.id}"
    if kept.id == merged.id:
        raise CannotMerge(came="the same person twice", where=where)
    if kept.merged_into_id or merged.merged_into_id:
        raise CannotMerge(came="one who was merged already", where=where)
    if session.scalar(_UNDER, {"person": merged.id}):
        raise CannotMerge(came="one under whom others were merged: keep that one", where=where)
    if kept.national_id and merged.national_id:
        raise CannotMerge(came="two people with two card numbers", where=where)
    if session.scalar(_DOUBTED, {"ids": [kept.id, merged.id]}):
        raise CannotMerge(came="one whose identity conflict is not decided", where=where)


def _move(
    session: Session, swabs: list[UUID], first: Person, owner: Person, *, by: str, now: datetime
) -> None:
    session.flush()
    tubes = list(session.scalars(_TUBES, {"ids": swabs}))
    lock_components(session, tubes)
    holder = _holder(session, first.id)
    hand_over(
        session,
        swabs,
        first=first.id,
        owner=owner.id,
        site_id=owner.site_id,
        by=by,
        now=now,
        signed=True,
    )
    settle(session, tubes, site_id=owner.site_id, now=now)
    case = live_case(session, owner.id)
    if case is not None and holder is not None and _holder(session, owner.id) is None:
        claim(session, case.id, holder, by=by, now=now)


def _holder(session: Session, person_id: UUID) -> UUID | None:
    """The team that holds the person's live case."""
    case = live_case(session, person_id)
    if case is None:
        return None
    return session.scalar(
        select(Claim.team_id).where(Claim.case_id == case.id, Claim.ended_at.is_(None))
    )


def _take_number(session: Session, giver: Person, taker: Person) -> bool:
    """A card number belongs to one row at a time: it goes to whoever is left."""
    number = giver.national_id
    if number is None or taker.national_id is not None:
        return False
    giver.national_id = None
    session.flush()
    taker.national_id = number
    session.flush()
    return True


def _open_merge(session: Session, merged_id: UUID) -> PersonMerge:
    return session.scalars(
        select(PersonMerge).where(
            PersonMerge.merged_id == merged_id, PersonMerge.undone_at.is_(None)
        )
    ).one()


def _answer(merge: PersonMerge, *, replayed: bool) -> Merged:
    return Merged(merge.id, merge.kept_id, merge.merged_id, len(merge.moved), replayed)


def _record(
    session: Session, merge: PersonMerge, verb: str, by: str, now: datetime, **detail: object
) -> None:
    record(
        session,
        site_id=merge.site_id,
        actor=by,
        verb=verb,
        subject=str(merge.kept_id),
        now=now,
        merged_id=str(merge.merged_id),
        swabs=len(merge.moved),
        **detail,
    )
    session.flush()


_LAST_MERGE = select(PersonMerge).order_by(PersonMerge.merged_at.desc(), PersonMerge.id.desc())
_SWABS = text("SELECT id FROM specimen WHERE person_id = :person ORDER BY id")
_STILL_THERE = text(
    "SELECT id FROM specimen WHERE id = ANY(:ids) AND person_id = :person ORDER BY id"
)
_TUBES = text("SELECT DISTINCT tube_id FROM tube_specimen WHERE specimen_id = ANY(:ids)")
_IN_ZONES = text(
    "SELECT 1 FROM person_zone WHERE person_id = ANY(:ids) AND ended_at IS NULL LIMIT 1"
)
_UNDER = text("SELECT 1 FROM person WHERE merged_into_id = :person LIMIT 1")
_DOUBTED = text(
    "SELECT 1 FROM card_doubt WHERE person_id = ANY(:ids) AND decided_at IS NULL LIMIT 1"
)
