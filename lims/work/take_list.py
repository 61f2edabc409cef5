"""Take a positive list out of the laboratory: recorded, with everybody who is on it.

Law 91/2025 (personal data): who has read whose health data can be said afterwards, and a copy has
an end. The record is in the transaction that read the list; no record, no list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.refusals import NotFound
from lims.tables import Site, Team
from lims.work.apart import apart
from lims.work.audit import record
from lims.work.situation import midnights
from lims.work.views.board import Scope
from lims.work.views.positives import positives
from reports.positive_list import PositiveList
from reports.positive_pdf import positive_pdf
from reports.positive_xlsx import positive_xlsx
from reports.saying import Saying

COPY_LASTS: Final = timedelta(days=14)  # printed on every page; our default, not the law's
EVERY_TEAM: Final = {"vi": "Mọi tổ truy vết", "en": "Every team"}


class ListForm(StrEnum):
    """By the ending of the file's name."""

    PDF = "pdf"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAsked:
    """Whose list (no team: every team's), of which day (none: every open case), in what form."""

    team_id: UUID | None
    day: date | None
    form: ListForm
    for_laboratory: bool = False


def take_list(
    session: Session,
    asked: ListAsked,
    saying: Saying,
    *,
    site_id: UUID,
    by: str,
    by_name: str,
    now: datetime,
) -> PositiveList:
    """The list as a value, recorded under `by`. Raises NotFound for no team of this site.

    Whether `by` may have this team's list, or the laboratory's columns, is the door's to know.
    """
    between = None if asked.day is None else midnights(asked.day, saying.timezone)
    scope = Scope(everything=asked.team_id is None, team_id=asked.team_id)
    found = positives(
        session, scope, site_id=site_id, between=between, for_laboratory=asked.for_laboratory
    )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="positive-list-taken",
        subject=str(asked.team_id or "every team"),
        now=now,
        day=None if asked.day is None else asked.day.isoformat(),
        form=str(asked.form),
        for_laboratory=asked.for_laboratory,
        cases=[str(one.case_id) for one in found],
    )
    local_day = now.astimezone(ZoneInfo(saying.timezone)).date()
    return PositiveList(
        site=session.scalars(select(Site.name).where(Site.id == site_id)).one(),
        team=_team_name(session, asked.team_id, site_id, saying),
        day=asked.day,
        made_at=now,
        made_by=by_name,
        destroy_by=local_day + COPY_LASTS,
        lines=[one.line for one in found],
    )


def drawn(listed: PositiveList, form: ListForm, saying: Saying) -> bytes:
    """The file, drawn in a process of its own. Raises ChildBroke."""
    return apart(positive_pdf if form is ListForm.PDF else positive_xlsx, listed, saying)


def _team_name(session: Session, team_id: UUID | None, site_id: UUID, saying: Saying) -> str:
    if team_id is None:
        return EVERY_TEAM[saying.tongue]
    name = session.scalar(select(Team.name).where(Team.id == team_id, Team.site_id == site_id))
    if name is None:
        raise NotFound(came=str(team_id), where="teams")
    return name
