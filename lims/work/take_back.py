"""Take back a registration made by mistake, while its tube is still on the street.

Nothing is lost: the swab moves to ``taken_back`` as it was registered, its label is free again,
the re-swab that it had answered is owed again, and the audit trail has both deeds. A rapid positive
whose PCR tube is taken back stays what it is, and owes a tube again.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind
from lims.domain.refusals import NothingToTakeBack, NotYourRegistration, TooLateToTakeBack
from lims.work.audit import record


@dataclass(frozen=True, slots=True)
class TakenBackTube:
    """The receipt: whose swabs were in the tube. ``replayed`` means that it was gone already."""

    specimen_id: UUID
    barcode: str
    kind: TubeKind
    person_ids: tuple[UUID, ...]
    replayed: bool


def take_back(
    session: Session, specimen_id: UUID, *, site_id: UUID, by: str, now: datetime
) -> TakenBackTube:
    """Take back the registration of this swab, and of every other swab in its tube.

    Safe to repeat. Raises NothingToTakeBack, NotYourRegistration, TooLateToTakeBack.
    """
    tube = session.execute(_TUBE, {"specimen": specimen_id, "site": site_id}).one_or_none()
    if tube is None:
        earlier = _earlier(session, specimen_id, site_id)
        if earlier is None:
            raise NothingToTakeBack(came=str(specimen_id), where="specimen_id")
        return earlier
    if tube.registered_by != by:
        raise NotYourRegistration(came=tube.barcode, where="registered_by")
    if tube.state != "collected" or tube.used:
        raise TooLateToTakeBack(came=tube.barcode, where="state")
    moved = session.execute(
        _MOVE, {"tube": tube.id, "barcode": tube.barcode, "kind": tube.kind, "by": by, "now": now}
    ).all()
    people = [row.person_id for row in moved]
    session.execute(_UNMARK, {"people": people})
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="take_back",
        subject=tube.barcode,
        now=now,
        specimen_ids=[str(row.specimen_id) for row in moved],
    )
    session.flush()
    kind = TubeKind(tube.kind)
    return TakenBackTube(specimen_id, tube.barcode, kind, tuple(people), replayed=False)


def take_back_last(
    session: Session, *, site_id: UUID, by: str, since: datetime, now: datetime
) -> TakenBackTube:
    """Take back this desk's last registration: one step, however often it is asked for.

    A scanner that reads the undo card twice must not undo two people, so where the last one is
    gone already, the answer is that one again. A list is not taken back by a card.
    Raises NothingToTakeBack and what ``take_back`` raises.
    """
    last = session.execute(_LAST, {"site": site_id, "by": by, "since": since}).one_or_none()
    if last is None:
        raise NothingToTakeBack(where="registered_by")
    if last.listed:
        raise NothingToTakeBack(
            where="registered_by",
            expected="a registration made at the desk",
            todo="the last registration was a list: undo the wrong line among those of today",
        )
    return take_back(session, last.id, site_id=site_id, by=by, now=now)


def was_taken_back(session: Session, *, tube_id: UUID) -> bool:
    """True when a tube of this id was registered and taken back."""
    query = text("SELECT EXISTS (SELECT FROM taken_back WHERE tube_id = :tube)")
    return bool(session.scalar(query, {"tube": tube_id}))


def _earlier(session: Session, specimen_id: UUID, site_id: UUID) -> TakenBackTube | None:
    rows = session.execute(_GONE, {"specimen": specimen_id, "site": site_id}).all()
    if not rows:
        return None
    kind, people = TubeKind(rows[0].kind), tuple(row.person_id for row in rows)
    return TakenBackTube(specimen_id, rows[0].barcode, kind, people, replayed=True)


# The tube's row is locked before anything is decided, so that a scan at the laboratory's door
# either comes first, and the undo is refused, or meets a tube that nobody knows.
_TUBE = text("""
SELECT t.id, t.barcode, t.kind, t.state, s.registered_by,
       EXISTS (SELECT FROM test_order o WHERE o.tube_id = t.id
               AND (o.why, o.state) <> ('confirm', 'queued'))
       OR EXISTS (SELECT FROM tube_source d WHERE t.id IN (d.source_id, d.pool_id))
       OR EXISTS (SELECT FROM measurement m WHERE m.tube_id = t.id)
       OR EXISTS (SELECT FROM tube_specimen i JOIN finding f ON f.specimen_id = i.specimen_id
                  WHERE i.tube_id = t.id)
       OR EXISTS (SELECT FROM tube_specimen i JOIN rapid_test r
                  ON i.specimen_id = r.specimen_id WHERE i.tube_id = t.id)
       OR EXISTS (SELECT FROM tube_specimen i JOIN card_doubt d ON d.specimen_id = i.specimen_id
                  WHERE i.tube_id = t.id AND d.decided_at IS NOT NULL) AS used
FROM specimen s
JOIN tube_specimen ts ON ts.specimen_id = s.id
JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'lab_pool'
WHERE s.id = :specimen AND s.site_id = :site
FOR UPDATE OF t
""")

_GONE = text("""
SELECT b.barcode, b.kind, b.person_id FROM taken_back b
WHERE b.site_id = :site AND b.tube_id = (
    SELECT one.tube_id FROM taken_back one WHERE one.specimen_id = :specimen)
ORDER BY b.specimen_id
""")

_MOVE = text("""
WITH inside AS (
    DELETE FROM tube_specimen WHERE tube_id = :tube RETURNING specimen_id
), doubt AS (
    DELETE FROM card_doubt d USING inside WHERE d.specimen_id = inside.specimen_id RETURNING d.*
), owed AS (
    UPDATE recollection r SET state = 'open', done_specimen_id = NULL, ended_at = NULL
    FROM inside WHERE r.done_specimen_id = inside.specimen_id
), confirming AS (
    UPDATE rapid_test r SET pcr_specimen_id = NULL
    FROM inside WHERE r.pcr_specimen_id = inside.specimen_id
), wanted AS (
    DELETE FROM test_order WHERE tube_id = :tube
), swab AS (
    DELETE FROM specimen s USING inside WHERE s.id = inside.specimen_id RETURNING s.*
), plastic AS (
    DELETE FROM tube WHERE id = :tube
)
INSERT INTO taken_back (id, site_id, specimen_id, tube_id, barcode, kind, person_id, campaign_id,
                        collected_at, registered_at, registered_by, card, taken_back_at,
                        taken_back_by)
SELECT mint_uuid7(:now), s.site_id, s.id, :tube, :barcode, :kind, s.person_id, s.campaign_id,
       s.collected_at, s.registered_at, s.registered_by,
       (SELECT to_jsonb(doubt) FROM doubt WHERE doubt.specimen_id = s.id),
       greatest(:now, s.registered_at), :by
FROM swab s
RETURNING specimen_id, person_id
""")

_UNMARK = text("""
UPDATE person SET identity_conflict = NULL
WHERE id = ANY(:people) AND identity_conflict IS NOT NULL AND NOT EXISTS (
    SELECT FROM card_doubt d WHERE d.person_id = person.id AND d.decided_at IS NULL)
""")

_LAST = text("""
SELECT last.id, EXISTS (
    SELECT FROM audit_event e WHERE e.site_id = :site AND e.at = last.registered_at
      AND e.actor = :by AND e.verb = 'register_batch') AS listed
FROM (
    (SELECT s.id, s.registered_at FROM specimen s
     WHERE s.registered_by = :by AND starts_with(s.registered_by, 'user:') AND s.site_id = :site
       AND s.material = 'swab' AND s.registered_at >= :since
     ORDER BY s.registered_at DESC, s.id DESC LIMIT 1)
    UNION ALL
    (SELECT b.specimen_id, b.registered_at FROM taken_back b
     WHERE b.registered_by = :by AND b.site_id = :site AND b.registered_at >= :since
     ORDER BY b.registered_at DESC, b.specimen_id DESC LIMIT 1)
) last
ORDER BY last.registered_at DESC, last.id DESC LIMIT 1
""")
