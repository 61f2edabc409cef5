"""One card number, two cards: a reviewer has compared them and says whose the swab is (S16)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import IllegalMove, NotFound
from lims.tables import CardDoubt
from lims.work.audit import record
from lims.work.evidence import lock_components
from lims.work.hand_over import hand_over
from lims.work.settle import settle
from lims.work.unflagged import release_unflagged

SAME, OTHER = "same", "other"


@dataclass(frozen=True, slots=True)
class Decided:
    """Whose the swab is now."""

    doubt_id: UUID
    specimen_id: UUID
    person_id: UUID
    replayed: bool


def same_person(session: Session, doubt_id: UUID, *, by: str, now: datetime) -> Decided:
    """The name stays as first registered; the swab stays where it is.

    Again changes nothing. Raises NotFound, and IllegalMove when the cards were said to be two
    people's.
    """
    doubt = _locked(session, doubt_id)
    if doubt.decision is not None:
        return _replay(doubt, SAME)
    _decide(session, doubt, SAME, by=by, now=now)
    return Decided(doubt.id, doubt.specimen_id, doubt.person_id, replayed=False)


def other_person(session: Session, doubt_id: UUID, *, by: str, now: datetime) -> Decided:
    """The number was mistyped: the swab and all that is said of it go to the person on its card.

    That person has no number until a card gives one. A positive's case is withdrawn from the
    first person and opened for the other, and both are told; its finding waits for its final
    word again, since nobody has signed for this person. Again changes nothing. Raises NotFound,
    and IllegalMove when the cards were said to be one person's.
    """
    doubt = _locked(session, doubt_id)
    if doubt.decision is not None:
        return _replay(doubt, OTHER)
    about = {"specimen": doubt.specimen_id}
    tubes = list(session.execute(_TUBES, about).scalars())
    lock_components(session, tubes)
    owner = _person_on_the_card(session, doubt, now=now)
    hand_over(
        session,
        [doubt.specimen_id],
        first=doubt.person_id,
        owner=owner,
        site_id=doubt.site_id,
        by=by,
        now=now,
    )
    settle(session, tubes, site_id=doubt.site_id, now=now)
    doubt.became_id = owner
    _decide(session, doubt, OTHER, by=by, now=now)
    return Decided(doubt.id, doubt.specimen_id, owner, replayed=False)


def _locked(session: Session, doubt_id: UUID) -> CardDoubt:
    """The doubt, after the person it is about: two doubts of one person are decided in turn."""
    session.execute(_LOCK_PERSON, {"doubt": doubt_id})
    doubt = session.scalars(
        select(CardDoubt)
        .where(CardDoubt.id == doubt_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if doubt is None:
        raise NotFound(came=str(doubt_id), where="doubt_id")
    return doubt


def _replay(doubt: CardDoubt, wanted: str) -> Decided:
    if doubt.decision != wanted:
        raise IllegalMove(
            source=f"decided: {doubt.decision} person",
            target=f"{wanted} person",
            allowed=[],
            where=f"card doubt {doubt.id}",
        )
    owner = doubt.became_id or doubt.person_id
    return Decided(doubt.id, doubt.specimen_id, owner, replayed=True)


def _decide(session: Session, doubt: CardDoubt, decision: str, *, by: str, now: datetime) -> None:
    doubt.decision, doubt.decided_at, doubt.decided_by = decision, now, by
    session.flush()
    session.execute(_UNMARK, {"person": doubt.person_id})
    for person_id in sorted({doubt.person_id, doubt.became_id or doubt.person_id}):
        release_unflagged(session, now=now, person_id=person_id)
    record(
        session,
        site_id=doubt.site_id,
        actor=by,
        verb=f"{decision}_person",
        subject=str(doubt.person_id),
        now=now,
        doubt_id=str(doubt.id),
        specimen_id=str(doubt.specimen_id),
        **({"became": str(doubt.became_id)} if doubt.became_id else {}),
    )
    session.flush()


def _person_on_the_card(session: Session, doubt: CardDoubt, *, now: datetime) -> UUID:
    """Whoever the same card became before, or a new person."""
    known: UUID | None = session.scalar(_BECAME, {"doubt": doubt.id})
    if known is not None:
        return known
    made = uuid7()
    session.execute(_NEWCOMER, {"id": made, "doubt": doubt.id, "now": now})
    return made


_LOCK_PERSON = text("""
SELECT 1 FROM person p JOIN card_doubt d ON d.person_id = p.id WHERE d.id = :doubt
FOR NO KEY UPDATE OF p
""")

_TUBES = text("SELECT tube_id FROM tube_specimen WHERE specimen_id = :specimen")

_UNMARK = text("""
UPDATE person SET identity_conflict = NULL WHERE id = :person AND NOT EXISTS (
    SELECT FROM card_doubt d WHERE d.person_id = person.id AND d.decided_at IS NULL)
""")

_BECAME = text("""
SELECT e.became_id FROM card_doubt d JOIN card_doubt e ON e.person_id = d.person_id
 AND e.name_key = d.name_key AND e.birth_year IS NOT DISTINCT FROM d.birth_year
WHERE d.id = :doubt AND e.decision = 'other' ORDER BY e.decided_at LIMIT 1
""")

_NEWCOMER = text("""
INSERT INTO person (id, site_id, name, name_key, birth_year, birth_date, sex, phone, household_id,
                    address, area_scheme, area_code, work_area_scheme, work_area_code, created_at)
SELECT :id, site_id, name, name_key, birth_year, birth_date, sex, phone, household_id, address,
       area_scheme, area_code, work_area_scheme, work_area_code, :now
FROM card_doubt WHERE id = :doubt
""")
