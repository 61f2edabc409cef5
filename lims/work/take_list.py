"""Take a list of F0 out of the laboratory: whose it is stands on it, and it has an end.

Law 91/2025 (personal data): who has read whose health data can be said afterwards. A list is read
in one transaction, drawn without one, and handed out only when the next has kept it with everybody
who is on it: no record, no list. What a progressive list got to is part of that record, so a list
that broke on its way leaves nothing out of the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.refusals import NotFound, WrongScope
from lims.domain.registration import AreaRef
from lims.domain.tracing_lists import ListForm, ListKind
from lims.tables import Area, Site, Team, TracingList, Zone
from lims.work.apart import apart
from lims.work.audit import record
from lims.work.situation import midnights
from lims.work.told import complete_until_now
from lims.work.views.board import Scope
from lims.work.views.list_places import is_told_of, list_zones, zone_cases
from lims.work.views.positives import Wanted, positives
from reports.field_sheet import field_sheet
from reports.positive_csv import positive_csv
from reports.positive_list import PositiveList
from reports.positive_pdf import positive_pdf
from reports.positive_xlsx import positive_xlsx
from reports.saying import Saying

COPY_LASTS: Final = timedelta(days=14)  # printed on every page; our default, not the law's
KEPT_FOR: Final = timedelta(days=3)  # the same file again; afterwards a new list is taken
EVERY_TEAM: Final = {"vi": "Mọi tổ truy vết", "en": "Every team"}
_DRAWN: Final = {
    ListForm.PDF: positive_pdf,
    ListForm.XLSX: positive_xlsx,
    ListForm.CSV: positive_csv,
    ListForm.SHEET: field_sheet,
}


@dataclass(frozen=True, slots=True)
class Days:
    """From the first to the last day, both included, of the site's calendar."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAsked:
    """Whose list (no team: every team's), as what file, and of which cases: of some days,
    `progressive` what is new since the taker's last one, else every open case; narrowed to an
    `area` or to a `zone_id`, not to both."""

    team_id: UUID | None
    form: ListForm
    days: Days | None = None
    progressive: bool = False
    area: AreaRef | None = None
    zone_id: UUID | None = None
    for_laboratory: bool = False

    @property
    def kind(self) -> ListKind:
        if self.progressive:
            return ListKind.SINCE
        return ListKind.OPEN if self.days is None else ListKind.DAY


@dataclass(frozen=True, slots=True)
class ListRead:
    """A list as a value, with what is kept of it."""

    asked: ListAsked
    listed: PositiveList
    cases: tuple[UUID, ...]
    saying: Saying


@dataclass(frozen=True, slots=True)
class Slot:
    """The hour of a standing order that a list is for."""

    schedule_id: UUID
    at: datetime


def read_list(
    session: Session,
    asked: ListAsked,
    saying: Saying,
    *,
    site_id: UUID,
    by: str,
    by_name: str,
    now: datetime,
) -> ListRead:
    """Raises NotFound for no team, area or zone of this site, WrongScope for one it is not told of.

    Whether `by` may have this team's list, or the laboratory's columns, is the door's to know.
    """
    scope = Scope(everything=asked.team_id is None, team_id=asked.team_id)
    team = _team_name(session, asked.team_id, site_id, saying)
    place = _place(session, scope, asked, site_id)
    until = complete_until_now(session) if asked.progressive else None  # before anything is read
    since = last_progress(session, asked, by=by) if asked.progressive else None
    found = positives(
        session,
        scope,
        Wanted(
            between=_between(asked.days, saying.timezone),
            told_between=(since, until) if since is not None and until is not None else None,
            area=asked.area,
            among=None
            if asked.zone_id is None
            else zone_cases(session, asked.zone_id, site_id=site_id, now=now),
        ),
        site_id=site_id,
        for_laboratory=asked.for_laboratory,
    )
    days = asked.days
    listed = PositiveList(
        site=session.scalars(select(Site.name).where(Site.id == site_id)).one(),
        team=team,
        day=None if days is None else days.first,
        last_day=None if days is None else days.last,
        made_at=now,
        made_by=by_name,
        destroy_by=now.astimezone(ZoneInfo(saying.timezone)).date() + COPY_LASTS,
        lines=[one.line for one in found],
        area=place,
        since=since,
        complete_until=until,
    )
    return ListRead(asked, listed, tuple(one.case_id for one in found), saying)


def drawn(read: ListRead) -> bytes:
    """The file, drawn in a process of its own. Raises ChildBroke."""
    return apart(_DRAWN[read.asked.form], read.listed, read.saying)


def keep_list(
    session: Session,
    list_id: UUID,
    read: ListRead,
    file: bytes,
    *,
    site_id: UUID,
    by: str,
    slot: Slot | None = None,
) -> None:
    """The list with its file, and in the record everybody who is on it."""
    asked, listed = read.asked, read.listed
    session.add(
        TracingList(
            id=list_id,
            site_id=site_id,
            team_id=asked.team_id,
            area_scheme=asked.area.scheme if asked.area else None,
            area_code=asked.area.code if asked.area else None,
            zone_id=asked.zone_id,
            kind=asked.kind,
            from_day=asked.days.first if asked.days else None,
            to_day=asked.days.last if asked.days else None,
            since=listed.since,
            complete_until=listed.complete_until,
            form=asked.form,
            language=read.saying.tongue,
            for_laboratory=asked.for_laboratory,
            cases=len(read.cases),
            taken_by=by,
            taken_by_name=listed.made_by,
            taken_at=listed.made_at,
            expires_at=listed.made_at + KEPT_FOR,
            file=file,
            schedule_id=slot.schedule_id if slot else None,
            slot_at=slot.at if slot else None,
        )
    )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="positive-list-taken",
        subject=str(asked.team_id or "every team"),
        now=listed.made_at,
        list=str(list_id),
        kind=str(asked.kind),
        day=asked.days.first.isoformat() if asked.days else None,
        to_day=asked.days.last.isoformat() if asked.days else None,
        area=f"{asked.area.scheme} {asked.area.code}" if asked.area else None,
        zone=str(asked.zone_id) if asked.zone_id else None,
        form=str(asked.form),
        for_laboratory=asked.for_laboratory,
        cases=[str(one) for one in read.cases],
    )
    session.flush()


def last_progress(session: Session, asked: ListAsked, *, by: str) -> datetime | None:
    """Up to when the taker's progressive lists of this team and place go; none before the first."""
    reached: datetime | None = session.execute(
        text("""
SELECT max(complete_until) FROM tracing_list
WHERE kind = 'since' AND taken_by = :by AND team_id IS NOT DISTINCT FROM cast(:team AS uuid)
  AND area_scheme IS NOT DISTINCT FROM cast(:scheme AS text)
  AND area_code IS NOT DISTINCT FROM cast(:code AS text)
  AND zone_id IS NOT DISTINCT FROM cast(:zone AS uuid)
"""),
        {
            "by": by,
            "team": asked.team_id,
            "scheme": asked.area.scheme if asked.area else None,
            "code": asked.area.code if asked.area else None,
            "zone": asked.zone_id,
        },
    ).scalar_one()
    return reached


def refuse_list(
    session: Session, asked: ListAsked, why: str, *, site_id: UUID, by: str, now: datetime
) -> None:
    """Somebody asked for what is not theirs to read: who, and for which area or zone."""
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="positive-list-refused",
        subject=str(asked.team_id or "every team"),
        now=now,
        area=f"{asked.area.scheme} {asked.area.code}" if asked.area else None,
        zone=str(asked.zone_id) if asked.zone_id else None,
        why=why,
    )


def _place(session: Session, scope: Scope, asked: ListAsked, site_id: UUID) -> str | None:
    """How the area or the zone is called that the list is narrowed to."""
    if asked.zone_id is not None:
        zone = session.get(Zone, asked.zone_id)
        if zone is None or zone.site_id != site_id:
            raise NotFound(came=str(asked.zone_id), where="zones")
        if zone.id not in {one for one, _ in list_zones(session, scope, site_id=site_id)}:
            raise WrongScope(where="a list of F0", came=zone.name)
        return zone.name
    if asked.area is None:
        return None
    area = session.get(Area, (asked.area.scheme, asked.area.code))
    if area is None:
        raise NotFound(came=asked.area.code, where="areas")
    if not is_told_of(session, scope, asked.area):
        raise WrongScope(where="a list of F0", came=area.full_name)
    return area.full_name


def _between(days: Days | None, timezone: str) -> tuple[datetime, datetime] | None:
    if days is None:
        return None
    return midnights(days.first, timezone)[0], midnights(days.last, timezone)[1]


def _team_name(session: Session, team_id: UUID | None, site_id: UUID, saying: Saying) -> str:
    if team_id is None:
        return EVERY_TEAM[saying.tongue]
    name = session.scalar(select(Team.name).where(Team.id == team_id, Team.site_id == site_id))
    if name is None:
        raise NotFound(came=str(team_id), where="teams")
    return name
