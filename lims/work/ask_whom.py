"""Whom registers are to be asked about: everybody's card number once, doses of who is triaged.

Nothing is written when somebody registers. People are looked through in the order of their last
change (the index that readers page by), and whoever was not asked about as they are now is owed a
question. An outage piles nothing up: while enough waits to be asked, nobody is looked for.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.asking import ASKS, QuestionKind
from lims.domain.exchange import DestinationKind
from lims.domain.refusals import NotFound
from lims.tables import Destination, Person
from lims.work.audit import record
from lims.work.identity_stamp import ASKABLE, STAMP
from lims.work.told import complete_until_now

BY_ITSELF: Final = "exchange"
A_LOOK: Final = 1000  # people at a time; enough when so many are owed
_BEGINNING: Final = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


def registers_in_use(session: Session, kind: DestinationKind, *, site_id: UUID) -> Sequence[UUID]:
    return session.scalars(
        select(Destination.id)
        .where(
            Destination.site_id == site_id,
            Destination.kind == kind,
            Destination.stopped_at.is_(None),
        )
        .order_by(Destination.id)
    ).all()


def look(
    session: Session, destination_id: UUID, kind: QuestionKind, *, site_id: UUID, now: datetime
) -> int:
    """Owe the next questions: how many people were looked at or asked about, 0 when nobody is left.

    One at a time looks for a register; who comes second finds nobody.
    """
    about: dict[str, object] = {"destination": destination_id}
    session.execute(_BEGIN, about)
    mark = session.execute(_MARK, about).one_or_none()
    if mark is None or session.scalar(_ENOUGH, about | {"enough": A_LOOK}):
        return 0
    about |= {"site": site_id, "most": A_LOOK}
    if kind is QuestionKind.DOSES:
        people = list(session.scalars(_TRIAGED, about))
        return owe(session, destination_id, kind, people, by=BY_ITSELF, now=now)
    after = (mark.looked_until, mark.looked_person_id) if mark.looked_until else _BEGINNING
    until = complete_until_now(session)
    looked = session.execute(
        _NEXT, about | {"after": after[0], "after_id": after[1], "until": until}
    ).all()
    if looked:
        people = [row.id for row in looked if row.asked != row.stamp]
        owe(session, destination_id, kind, people, by=BY_ITSELF, now=now)
        last = looked[-1]
        session.execute(_MOVE, about | {"until": last.changed_at, "person": last.id})
    return len(looked)


def ask_about(
    session: Session, person_id: UUID, kind: QuestionKind, *, site_id: UUID, by: str, now: datetime
) -> int:
    """Somebody wants it asked, perhaps again: of how many registers. Raises NotFound."""
    person = session.get(Person, person_id)
    if person is None or person.site_id != site_id:
        raise NotFound(came=str(person_id), where="people")
    register = next(one for one, asked in ASKS.items() if asked is kind)
    registers = registers_in_use(session, register, site_id=site_id)
    owed = sum(owe(session, one, kind, [person_id], by=by, now=now) for one in registers)
    if owed:
        record(
            session,
            site_id=site_id,
            actor=by,
            verb="question-wanted",
            subject=str(person_id),
            now=now,
            kind=str(kind),
        )
    return owed


def overtake(
    session: Session, destination_id: UUID, people: Sequence[UUID], *, now: datetime
) -> None:
    """What was asked about them so far is no longer the question."""
    session.execute(_OVERTAKE, {"destination": destination_id, "people": list(people), "now": now})


def owe(
    session: Session,
    destination_id: UUID,
    kind: QuestionKind,
    people: Sequence[UUID],
    *,
    by: str,
    now: datetime,
) -> int:
    """A question about each as they are now, those named first to be asked first: how many."""
    if not people:
        return 0
    overtake(session, destination_id, people, now=now)
    made = session.execute(
        _OWE,
        {
            "destination": destination_id,
            "kind": str(kind),
            "people": list(people),
            "by": by,
            "now": now,
        },
    )
    return len(made.all())


_BEGIN = text("INSERT INTO asking (destination_id) VALUES (:destination) ON CONFLICT DO NOTHING")
_MARK = text("""
SELECT looked_until, looked_person_id FROM asking WHERE destination_id = :destination
FOR UPDATE SKIP LOCKED
""")
_MOVE = text("""
UPDATE asking SET looked_until = :until, looked_person_id = :person
WHERE destination_id = :destination
""")
_ENOUGH = text("""
SELECT count(*) >= :enough FROM (
    SELECT FROM person_question
    WHERE destination_id = :destination AND state = 'owed' AND attempts = 0 LIMIT :enough) owed
""")

# IS NOT DISTINCT FROM, which no index serves: a question is found by its person. Of a register that
# is new the planner believes that it was asked nothing, and would read all of it for each person.
_NEXT = text(f"""
SELECT l.id, l.changed_at, l.stamp, q.stamp AS asked
FROM (SELECT p.id, p.changed_at, CASE WHEN {ASKABLE} THEN {STAMP} END AS stamp
      FROM person p
      WHERE p.site_id = :site AND (p.changed_at, p.id) > (:after, :after_id)
        AND p.changed_at < :until
      ORDER BY p.changed_at, p.id LIMIT :most) l
LEFT JOIN person_question q ON q.person_id = l.id AND q.current
 AND q.destination_id IS NOT DISTINCT FROM :destination
ORDER BY l.changed_at, l.id
""")  # noqa: S608 - put together from constants

# Open cases first, the longest open of them; then members of positive pools.
_TRIAGED = text(f"""
SELECT p.id
FROM (SELECT person_id, min(place) AS place, min(since) AS since
      FROM (SELECT c.person_id, 1 AS place, c.opened_at AS since FROM f0_case c
            WHERE c.site_id = :site AND c.state IN ('presumptive', 'confirmed')
            UNION ALL
            SELECT s.person_id, 2, a.raised_at FROM alert_member a
            JOIN specimen s ON s.id = a.specimen_id
            WHERE a.site_id = :site AND a.state = 'provisional') every GROUP BY person_id) t
JOIN person p ON p.id = t.person_id AND {ASKABLE}
LEFT JOIN person_question q ON q.person_id = p.id AND q.current
 AND q.destination_id IS NOT DISTINCT FROM :destination
WHERE q.id IS NULL OR q.stamp <> {STAMP}
ORDER BY t.place, t.since, p.id LIMIT :most
""")  # noqa: S608 - put together from constants

_OVERTAKE = text("""
UPDATE person_question
SET current = false, ended_at = coalesce(ended_at, :now),
    state = CASE WHEN state = 'owed' THEN 'overtaken' ELSE state END
WHERE destination_id = :destination AND person_id = ANY(:people) AND current
""")

_OWE = text(f"""
INSERT INTO person_question (id, site_id, destination_id, kind, person_id, stamp, state, current,
                             attempts, next_attempt_at, asked_by, created_at)
SELECT mint_uuid7(:now), p.site_id, :destination, :kind, p.id, {STAMP}, 'owed', true, 0,
       :now - (cardinality(cast(:people AS uuid[])) - g.place) * interval '1 microsecond',
       :by, :now
FROM unnest(cast(:people AS uuid[])) WITH ORDINALITY g(id, place)
JOIN person p ON p.id = g.id AND {ASKABLE}
ON CONFLICT (destination_id, person_id) WHERE current DO NOTHING
RETURNING id
""")  # noqa: S608 - put together from constants
