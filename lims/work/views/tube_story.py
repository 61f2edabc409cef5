"""The whole way of one tube: who did what, when, where, and which evidence says so."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind, TubeState
from lims.domain.refusals import NotFound
from lims.work.views import story_events
from lims.work.views.story_events import Event


class Sign(StrEnum):
    """How a person or a tube stands, as pages colour it."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    PRELIMINARY = "preliminary"
    PRESUMPTIVE = "presumptive"
    INCONCLUSIVE = "inconclusive"
    DISCORDANT = "discordant"
    RECOLLECT = "recollect"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Holder:
    """One person whose swab is in the tube, and what is known of the swab."""

    person_id: UUID
    specimen_id: UUID
    name: str
    birth_year: int | None
    sex: str | None
    household: str | None
    area: str | None
    collected_at: datetime
    sign: Sign
    status: str | None
    ct_cycles: float | None
    finding_id: UUID | None


@dataclass(frozen=True, slots=True)
class Relation:
    """A tube that this one was drawn from or into."""

    barcode: str
    kind: TubeKind
    position: int


@dataclass(frozen=True, slots=True)
class TubeStory:
    """A tube, its people, its relations and everything that happened, oldest first."""

    tube_id: UUID
    barcode: str
    kind: TubeKind
    state: TubeState
    campaign: str | None
    reject_reason: str | None
    created_at: datetime
    holders: tuple[Holder, ...]
    pool: Relation | None
    sources: tuple[Relation, ...]
    events: tuple[Event, ...]

    @property
    def sign(self) -> Sign:
        """The worst that is known of anybody in it."""
        signs = {holder.sign for holder in self.holders}
        for sign in _WORST_FIRST:
            if sign in signs:
                return sign
        return Sign.WAITING

    @property
    def waits_for(self) -> Event | None:
        """The open test, if there is one."""
        waiting = [event for event in self.events if event.open]
        return waiting[-1] if waiting else None


_WORST_FIRST = (
    Sign.POSITIVE,
    Sign.DISCORDANT,
    Sign.PRESUMPTIVE,
    Sign.PRELIMINARY,
    Sign.RECOLLECT,
    Sign.INCONCLUSIVE,
    Sign.WAITING,
    Sign.NEGATIVE,
)

_HOLDERS = text("""
SELECT p.id AS person_id, s.id AS specimen_id, p.name, p.birth_year, p.sex, h.label AS household,
       home.full_name AS area, s.collected_at, coalesce(f.outcome, 'waiting') AS sign, f.status,
       f.ct_cycles, f.id AS finding_id
FROM tube_specimen ts
JOIN specimen s ON s.id = ts.specimen_id
JOIN person p ON p.id = s.person_id
LEFT JOIN household h ON h.id = p.household_id
LEFT JOIN area home ON home.scheme = p.area_scheme AND home.code = p.area_code
LEFT JOIN finding f ON f.specimen_id = s.id AND f.current
WHERE ts.tube_id = :tube ORDER BY s.collected_at, s.id
""")

_POOL = text("""
SELECT t.barcode, t.kind, s.position FROM tube_source s JOIN tube t ON t.id = s.pool_id
WHERE s.source_id = :tube
UNION ALL
SELECT m.barcode, m.kind, 0 FROM tube t JOIN tube m ON m.id = t.master_id WHERE t.id = :tube
""")

_SOURCES = text("""
SELECT t.barcode, t.kind, s.position FROM tube_source s JOIN tube t ON t.id = s.source_id
WHERE s.pool_id = :tube
UNION ALL
SELECT t.barcode, t.kind, s.place FROM sub_pool p JOIN sub_pool_source s ON s.sub_pool_id = p.id
JOIN tube t ON t.id = s.source_id WHERE p.tube_id = :tube
ORDER BY position
""")


def tube_story(session: Session, barcode: str, *, site_id: UUID) -> TubeStory:
    """Everything about the tube with this stored barcode. Raises NotFound."""
    if not barcode.isprintable():  # PostgreSQL takes no NUL, and no scanner reads one
        raise NotFound(came="characters that no barcode has", where="tubes")
    tube = session.execute(
        text(
            "SELECT t.id, t.barcode, t.kind, t.state, c.name AS campaign, t.reject_reason,"
            " t.created_at FROM tube t LEFT JOIN campaign c ON c.id = t.campaign_id"
            " WHERE t.barcode = :barcode AND t.site_id = :site"
        ),
        {"barcode": barcode, "site": site_id},
    ).one_or_none()
    if tube is None:
        raise NotFound(came=barcode, where="tubes", todo="scan the tube again, or register it")
    about = {"tube": tube.id}
    pool = session.execute(_POOL, about).one_or_none()
    holders = tuple(
        Holder(**{**row._mapping, "sign": Sign(row.sign)})
        for row in session.execute(_HOLDERS, about)
    )
    return TubeStory(
        tube_id=tube.id,
        barcode=tube.barcode,
        kind=TubeKind(tube.kind),
        state=TubeState(tube.state),
        campaign=tube.campaign,
        reject_reason=tube.reject_reason,
        created_at=tube.created_at,
        holders=holders,
        pool=None if pool is None else Relation(pool.barcode, TubeKind(pool.kind), pool.position),
        sources=tuple(
            Relation(row.barcode, TubeKind(row.kind), row.position)
            for row in session.execute(_SOURCES, about)
        ),
        events=story_events.events(session, tube.id),
    )
