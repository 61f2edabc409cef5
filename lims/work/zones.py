"""Zones: places that cut across communes, and who belongs to one, as a resident or a worker."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.identity import name_key
from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.domain.refusals import NotFound
from lims.domain.zones import Tie, ZoneKind
from lims.tables import Zone
from lims.work.access import Fault, refuse
from lims.work.audit import record
from lims.work.live_cases import live_cases
from lims.work.measurements import given_reason
from lims.work.tell import CaseNews, owe_newcomers


@dataclass(frozen=True, slots=True)
class Belonging:
    """Somebody lives or works at a zone."""

    person_id: UUID
    zone_id: UUID
    tie: Tie


@dataclass(frozen=True, slots=True)
class Left:
    """``ended``: there was such a tie; ``told``: the zone's team knows of an open case of theirs,
    and goes on hearing of it."""

    ended: bool
    told: bool


def open_zone(
    session: Session, *, site_id: UUID, name: str, kind: ZoneKind, by: str, now: datetime
) -> UUID:
    """A zone that a team can subscribe to. Names differ by more than accents and case.

    Raises InvalidBody.
    """
    name = " ".join(name.split())
    key = name_key(name)
    if not 1 <= len(name) <= 200:
        refuse({"name": Fault.NAME}, where="zone")
    if session.scalar(select(Zone.id).where(Zone.site_id == site_id, Zone.name_key == key)):
        refuse({"name": Fault.NAME_TAKEN}, where="zone")
    zone = Zone(
        id=uuid7(),
        site_id=site_id,
        kind=kind,
        name=name,
        name_key=key,
        created_at=now,
        created_by=by,
    )
    session.add(zone)
    _record(session, zone, "zone-opened", by, now, name=name, kind=kind)
    session.flush()
    return zone.id


def set_zone_open(
    session: Session, zone_id: UUID, is_open: bool, *, site_id: UUID, by: str, now: datetime
) -> None:
    """Closed: no form offers it and nothing more is owed for it. Raises NotFound."""
    zone = _zone(session, zone_id, site_id)
    if (zone.closed_at is None) != is_open:
        zone.closed_at = None if is_open else now
        _record(session, zone, "zone-reopened" if is_open else "zone-closed", by, now)


def zone_is_open(session: Session, zone_id: UUID, *, site_id: UUID) -> bool:
    """Whether it is one of the site's, and people may still be said to belong to it."""
    zone = session.get(Zone, zone_id)
    return zone is not None and zone.site_id == site_id and zone.closed_at is None


def join_zones(
    session: Session, given: Sequence[Belonging], *, site_id: UUID, by: str, now: datetime
) -> int:
    """Keep that these people belong to these zones: how many ties are new. Twice changes nothing.

    Who has an open case is told of to the zone's teams at once, as when an address is resolved.
    The people are locked first: a case that is being opened either comes before and is seen here,
    or after and finds the tie. Raises NotFound for a zone that is closed or
    another site's, NoDesk.
    """
    if not given:
        return 0
    _refuse_unknown(session, {one.zone_id for one in given}, site_id)
    rows = [
        {"person_id": one.person_id, "zone_id": one.zone_id, "tie": one.tie, "id": uuid7()}
        for one in given
    ]
    values = {"rows": rows_as_json(rows), "site": site_id, "by": by, "now": now}
    session.execute(LOCK_WITH_CARDS, {"people": sorted({one.person_id for one in given})})
    fresh = session.execute(_JOIN, values).scalars().all()
    tell_zones(session, set(fresh), site_id=site_id, now=now)
    return len(fresh)


def tell_zones(session: Session, people: Collection[UUID], *, site_id: UUID, now: datetime) -> None:
    """Who belongs to a zone only now, and has an open case: its teams hear of that. Raises NoDesk.

    Whoever calls holds the people as ``LOCK_WITH_CARDS`` does.
    """
    for case in live_cases(session, sorted(people)).values():
        news = CaseNews(
            case.id,
            case.person_id,
            NoticeKind.CASE_OPENED,
            case.sequence,
            CaseState(case.state),
            Basis(case.basis),
        )
        owe_newcomers(session, news, site_id=site_id, now=now)


def leave_zone(
    session: Session, given: Belonging, reason: str, *, site_id: UUID, by: str, now: datetime
) -> Left:
    """It was wrong, or they moved: they belong to it no longer, nor does a card merged into theirs.

    What was told cannot be unsaid: whoever was told of an open case for the zone's sake goes on
    hearing of it. No other case is told for it. Twice changes nothing. Raises InvalidBody.
    """
    said = given_reason(reason)
    about = {
        "person": given.person_id,
        "zone": given.zone_id,
        "tie": given.tie,
        "site": site_id,
        "by": by,
        "now": now,
    }
    ended = session.execute(_LEAVE, about).scalars().all()
    for person_id in sorted(ended):
        record(
            session,
            site_id=site_id,
            actor=by,
            verb="zone-left",
            subject=str(person_id),
            now=now,
            zone_id=str(given.zone_id),
            tie=given.tie,
            reason=said,
        )
    return Left(bool(ended), bool(session.scalar(_ZONE_WAS_TOLD, about)))


# The strongest lock, since opening a case takes the weakest (its foreign key): so one of the two
# waits for the other, before it looks. Of a merged card its case is opened in whom it became.
LOCK_WITH_CARDS = text("""
SELECT id FROM person
WHERE id = ANY(:people)
   OR id IN (SELECT merged_into_id FROM person WHERE id = ANY(:people))
ORDER BY id FOR UPDATE
""")

_JOIN = text("""
INSERT INTO person_zone (id, site_id, person_id, zone_id, tie, created_at, created_by)
SELECT g.id, :site, coalesce(p.merged_into_id, p.id), g.zone_id, g.tie, :now, :by
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(id uuid, person_id uuid, zone_id uuid, tie text)
JOIN person p ON p.id = g.person_id AND p.site_id = :site
ORDER BY g.person_id, g.zone_id, g.tie
ON CONFLICT (person_id, zone_id, tie) WHERE ended_at IS NULL DO NOTHING
RETURNING person_id
""")

_LEAVE = text("""
UPDATE person_zone SET ended_at = greatest(:now, created_at), ended_by = :by
WHERE zone_id = :zone AND tie = :tie AND ended_at IS NULL AND site_id = :site
  AND person_id IN (SELECT id FROM person WHERE id = :person OR merged_into_id = :person)
RETURNING person_id
""")

_ZONE_WAS_TOLD = text("""
SELECT EXISTS (
    SELECT FROM f0_case c JOIN notice n ON n.case_id = c.id
    JOIN subscription s ON s.id = n.subscription_id AND s.zone_id = :zone
    WHERE c.person_id = :person AND c.state IN ('presumptive', 'confirmed'))
""")


def _refuse_unknown(session: Session, zones: set[UUID], site_id: UUID) -> None:
    known = set(
        session.scalars(
            select(Zone.id).where(
                Zone.id.in_(zones), Zone.site_id == site_id, Zone.closed_at.is_(None)
            )
        )
    )
    for missing in sorted(zones - known):
        raise NotFound(came=str(missing), where="zones")


def _zone(session: Session, zone_id: UUID, site_id: UUID) -> Zone:
    zone = session.get(Zone, zone_id, with_for_update=True)
    if zone is None or zone.site_id != site_id:
        raise NotFound(came=str(zone_id), where="zones")
    return zone


def _record(
    session: Session, zone: Zone, verb: str, by: str, now: datetime, **detail: object
) -> None:
    record(
        session,
        site_id=zone.site_id,
        actor=by,
        verb=verb,
        subject=str(zone.id),
        now=now,
        **detail,
    )
