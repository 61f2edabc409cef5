"""A roster as the desk sees it: the grid, the timers, the positives and what they still owe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import Exposure, RapidOutcome, Readiness, ReadWindow, RosterKind
from lims.domain.strip_standing import StripStands, written


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One roster in a list."""

    roster_id: UUID
    kind: RosterKind
    name: str
    place: str | None
    opened_at: datetime
    people: int
    running: int
    negative: int
    positive: int
    first_opens_at: datetime | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of the grid with its newest strip. ``outcome`` is what was kept of it."""

    position: int
    person_id: UUID
    name: str
    birth_year: int | None
    timer_id: UUID | None
    state: str | None
    mark: str | None
    outcome: str | None
    exposure: Exposure
    suspect: bool
    card_differs: bool


@dataclass(frozen=True, slots=True)
class TimerSeen:
    """One timer: its kit, its window, and what stands on its strips."""

    timer_id: UUID
    number: int
    kit: str
    lot: str
    started_at: datetime
    window: ReadWindow
    running: int
    missed: int
    read: int
    negative: int
    positive: int
    invalid: int
    positions: tuple[int, ...]

    @property
    def opens_at(self) -> datetime:
        return self.started_at + self.window.opens

    @property
    def closes_at(self) -> datetime:
        return self.started_at + self.window.closes

    def readiness(self, at: datetime) -> Readiness:
        return self.window.readiness(self.started_at, at)


@dataclass(frozen=True, slots=True)
class PositiveSeen:
    """A positive of this roster: the case that was told, and the tube it gave or owes."""

    specimen_id: UUID
    person_id: UUID
    position: int
    name: str
    phone: str | None
    read_at: datetime
    case_state: str | None
    case_basis: str | None
    pcr_specimen_id: UUID | None
    pcr_barcode: str | None
    pcr_collected: bool
    tube_waits: bool

    @property
    def owes_tube(self) -> bool:
        return self.pcr_barcode is None and not self.tube_waits


@dataclass(frozen=True, slots=True)
class RosterSheet:
    """Everything on a roster's page."""

    roster_id: UUID
    kind: RosterKind
    name: str
    place: str | None
    area: str | None
    campaign: str | None
    exposure: Exposure
    opened_at: datetime
    cells: tuple[Cell, ...]
    timers: tuple[TimerSeen, ...]
    positives: tuple[PositiveSeen, ...]

    def stands(self, timer_id: UUID) -> str:
        """What stands on the strips of this timer that wait, as a confirmation says it."""
        return written(
            StripStands(
                cell.position, RapidOutcome(cell.mark or "negative"), cell.exposure, cell.suspect
            )
            for cell in self.cells
            if cell.timer_id == timer_id and cell.state == "running"
        )

    def waiting(self, at: datetime) -> tuple[Cell, ...]:
        """Those who wait for a strip: without one, or whose last one said nothing of them."""
        late = {t.timer_id for t in self.timers if t.readiness(at) is Readiness.TOO_LATE}
        return tuple(
            cell
            for cell in self.cells
            if cell.state in (None, "missed")
            or (cell.state == "running" and cell.timer_id in late)
            or (cell.state == "read" and cell.outcome == "invalid")
        )


_LINES = text("""
SELECT r.id AS roster_id, r.kind, r.name, r.place, r.opened_at,
       (SELECT count(*) FROM roster_member m WHERE m.roster_id = r.id) AS people,
       s.running, s.negative, s.positive, s.first_opens_at
FROM roster r
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE p.state = 'running') AS running,
           count(*) FILTER (WHERE q.outcome = 'negative') AS negative,
           count(*) FILTER (WHERE q.outcome = 'positive') AS positive,
           min(t.started_at + make_interval(mins => k.reads_from_min))
               FILTER (WHERE p.state = 'running') AS first_opens_at
    FROM strip p JOIN strip_timer t ON t.id = p.timer_id
    JOIN kit_lot l ON l.id = t.kit_lot_id JOIN kit k ON k.id = l.kit_id
    LEFT JOIN rapid_test q ON q.specimen_id = p.id
    WHERE p.roster_id = r.id
) s
WHERE r.site_id = :site AND r.opened_at >= :since
ORDER BY s.first_opens_at NULLS LAST, r.opened_at DESC, r.id DESC LIMIT 60
""")

_NAMED = text("""
SELECT DISTINCT ON (r.name_key, r.kind) r.id, r.name, r.kind, r.opened_at,
       (SELECT count(*) FROM roster_member m WHERE m.roster_id = r.id) AS people
FROM roster r WHERE r.site_id = :site
ORDER BY r.name_key, r.kind, r.opened_at DESC LIMIT 200
""")

_ROSTER = text("""
SELECT r.id, r.kind, r.name, r.place, a.full_name AS area, c.name AS campaign, r.exposure,
       r.opened_at
FROM roster r LEFT JOIN campaign c ON c.id = r.campaign_id
LEFT JOIN area a ON a.scheme = r.area_scheme AND a.code = r.area_code
WHERE r.id = :id AND r.site_id = :site
""")

_CELLS = text("""
SELECT m.position, m.person_id, p.name, p.birth_year, s.timer_id, s.state, s.mark, q.outcome,
       coalesce(q.exposure, s.exposure, r.exposure) AS exposure,
       coalesce(q.suspect, s.suspect, false) AS suspect, m.card IS NOT NULL AS card_differs
FROM roster_member m
JOIN roster r ON r.id = m.roster_id
JOIN person p ON p.id = m.person_id
LEFT JOIN LATERAL (
    SELECT s.id, s.timer_id, s.state, s.mark, s.exposure, s.suspect FROM strip s
    JOIN strip_timer t ON t.id = s.timer_id
    WHERE s.member_id = m.id ORDER BY t.number DESC LIMIT 1
) s ON true
LEFT JOIN rapid_test q ON q.specimen_id = s.id
WHERE m.roster_id = :id ORDER BY m.position
""")

# While strips of it wait, a timer tells of those alone: that is what a confirmation keeps. What a
# reader has read of it is on the grid.
_TIMERS = text("""
SELECT t.id AS timer_id, t.number, k.name AS kit, l.lot, t.started_at, k.reads_from_min,
       k.reads_to_min, s.*
FROM strip_timer t JOIN kit_lot l ON l.id = t.kit_lot_id JOIN kit k ON k.id = l.kit_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE p.state = 'running') AS running,
           count(*) FILTER (WHERE p.state = 'missed') AS missed,
           count(*) FILTER (WHERE p.state = 'read') AS read,
           count(*) FILTER (WHERE p.told AND p.mark IS NULL) AS negative,
           count(*) FILTER (WHERE p.told AND p.mark = 'positive') AS positive,
           count(*) FILTER (WHERE p.told AND p.mark = 'invalid') AS invalid,
           array_agg(p.position ORDER BY p.position) AS positions
    FROM (
        SELECT one.state, one.mark, m.position,
               one.state = CASE WHEN bool_or(one.state = 'running') OVER () THEN 'running'
                                ELSE 'read' END AS told
        FROM strip one JOIN roster_member m ON m.id = one.member_id WHERE one.timer_id = t.id
    ) p
) s
WHERE t.roster_id = :id ORDER BY t.number
""")

_POSITIVES = text("""
SELECT q.specimen_id, p.id AS person_id, m.position, p.name, p.phone, q.read_at,
       c.state AS case_state, c.basis AS case_basis, q.pcr_specimen_id, pcr.barcode AS pcr_barcode,
       coalesce(pcr.state = 'collected', false) AS pcr_collected,
       EXISTS (SELECT FROM specimen o JOIN rapid_test w ON w.specimen_id = o.id
               WHERE o.person_id = p.id AND o.material = 'antigen' AND o.id <> q.specimen_id
                 AND w.pcr_specimen_id IS NOT NULL
                 AND NOT EXISTS (SELECT FROM finding f WHERE f.specimen_id = w.pcr_specimen_id
                                 AND f.current AND f.outcome IN ('negative', 'positive'))
       ) AS tube_waits
FROM strip s
JOIN rapid_test q ON q.specimen_id = s.id AND q.outcome = 'positive'
JOIN specimen w ON w.id = q.specimen_id
JOIN person p ON p.id = w.person_id
JOIN roster_member m ON m.id = s.member_id
LEFT JOIN LATERAL (
    SELECT t.barcode, t.state FROM tube_specimen ts
    JOIN tube t ON t.id = ts.tube_id AND t.kind = 'individual'
    WHERE ts.specimen_id = q.pcr_specimen_id
) pcr ON true
LEFT JOIN LATERAL (
    SELECT state, basis FROM f0_case WHERE person_id = p.id ORDER BY opened_at DESC LIMIT 1
) c ON true
WHERE s.roster_id = :id ORDER BY q.read_at, m.position
""")


@dataclass(frozen=True, slots=True)
class EarlierRoster:
    """The last roster of a name, whose people may be taken over."""

    roster_id: UUID
    name: str
    kind: RosterKind
    opened_at: datetime
    people: int


def rosters_since(session: Session, *, site_id: UUID, since: datetime) -> Sequence[RosterLine]:
    """Those opened since, the one that is to be read first at the top."""
    rows = session.execute(_LINES, {"site": site_id, "since": since})
    return [RosterLine(**{**row._mapping, "kind": RosterKind(row.kind)}) for row in rows]


def earlier_rosters(session: Session, *, site_id: UUID) -> Sequence[EarlierRoster]:
    """The last one of each name, the newest first."""
    rows = session.execute(_NAMED, {"site": site_id})
    found = [
        EarlierRoster(row.id, row.name, RosterKind(row.kind), row.opened_at, row.people)
        for row in rows
    ]
    return sorted(found, key=lambda one: one.opened_at, reverse=True)


def roster_sheet(session: Session, roster_id: UUID, *, site_id: UUID) -> RosterSheet | None:
    """A roster with everything on it, or None."""
    about = {"id": roster_id, "site": site_id}
    row = session.execute(_ROSTER, about).one_or_none()
    if row is None:
        return None
    cells = session.execute(_CELLS, about)
    timers = session.execute(_TIMERS, about)
    return RosterSheet(
        roster_id=row.id,
        kind=RosterKind(row.kind),
        name=row.name,
        place=row.place,
        area=row.area,
        campaign=row.campaign,
        exposure=Exposure(row.exposure),
        opened_at=row.opened_at,
        cells=tuple(Cell(**{**one._mapping, "exposure": Exposure(one.exposure)}) for one in cells),
        timers=tuple(_timer(dict(one._mapping)) for one in timers),
        positives=tuple(PositiveSeen(**one._mapping) for one in session.execute(_POSITIVES, about)),
    )


def _timer(row: dict[str, object]) -> TimerSeen:
    opens, closes = row.pop("reads_from_min"), row.pop("reads_to_min")
    positions = row.pop("positions")
    return TimerSeen(
        **row,  # type: ignore[arg-type]  # the columns are the fields, by name
        window=ReadWindow.of_minutes(int(str(opens)), int(str(closes))),
        positions=tuple(positions) if isinstance(positions, list) else (),
    )
