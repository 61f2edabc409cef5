"""The results of a day, newest first, a page at a time, however many there are.

A page begins after the last row of the one before (keyset), so the thousandth costs what the first
does. What is rare is an index's (`ix_finding_outcome`, `ix_finding_exceptions`); a commune with
few people is looked up by its people; anything else is filtered in a window of the day, so that a
filter nothing matches cannot read a million rows for one page: the page then says how far it has
looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import ResultStatus
from lims.domain.outcomes import FindingOutcome

PAGE: Final = 100
WINDOW: Final = 30_000  # findings looked through for one page: under 200 ms (loadtests/figures)
FEW_PEOPLE: Final = 5_000


@dataclass(frozen=True, slots=True)
class After:
    """Where a page ends: the moment and the id of the last row looked at."""

    at: datetime
    finding_id: UUID

    def word(self) -> str:
        """For an address; an id of a finding is nobody's name."""
        return f"{self.at.isoformat()}~{self.finding_id}"

    @classmethod
    def of(cls, word: str) -> After | None:
        """None for what we did not write."""
        moment, _, row_id = word.partition("~")
        try:
            at, finding_id = datetime.fromisoformat(moment), UUID(row_id)
        except ValueError:
            return None
        return cls(at, finding_id) if at.tzinfo else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsAsked:
    """The day, from its first moment to the next day's, and what it is narrowed to."""

    start: datetime
    end: datetime
    outcome: FindingOutcome | None = None
    status: ResultStatus | None = None
    campaign_id: UUID | None = None
    area: tuple[str, str] | None = None  # scheme and code
    after: After | None = None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One person's result as known now. A second swab without a campaign of its own was taken for
    the first's: ``first_campaign``. ``released_at`` is none before the last word."""

    finding_id: UUID
    found_at: datetime
    released_at: datetime | None
    outcome: FindingOutcome
    status: ResultStatus
    barcode: str | None
    person_id: UUID
    name: str
    birth_year: int | None
    area: str | None
    campaign: str | None
    first_campaign: str | None
    collected_at: datetime


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Up to a hundred rows; `after` goes on, none when the day is through.

    `looked_until` says that the window ended before the page was full.
    """

    rows: Sequence[ResultRow]
    after: After | None
    looked_until: datetime | None


_CURRENT: Final = (
    "f.site_id = :site AND f.current AND f.created_at >= :start AND f.created_at < :end"
)
_AFTER: Final = " AND f.created_at <= :at AND (f.created_at, f.id) < (:at, :id)"
_NEWEST: Final = " ORDER BY f.created_at DESC, f.id DESC"
_SHOWN: Final = """
    SELECT f.id, f.created_at, f.released_at, f.outcome, f.status, f.person_id, p.name,
           p.birth_year, a.full_name AS area, g.name AS campaign, s.collected_at,
           (SELECT t.barcode FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id
            WHERE ts.specimen_id = f.specimen_id ORDER BY t.kind = 'lab_pool' LIMIT 1) AS barcode,
           (SELECT c.name FROM recollection rc JOIN specimen o ON o.id = rc.specimen_id
            JOIN campaign c ON c.id = o.campaign_id
            WHERE rc.done_specimen_id = f.specimen_id AND s.campaign_id IS NULL
            LIMIT 1) AS first_campaign
    FROM ({found}) f
    JOIN specimen s ON s.id = f.specimen_id
    JOIN person p ON p.id = f.person_id
    LEFT JOIN area a ON a.scheme = p.area_scheme AND a.code = p.area_code
    LEFT JOIN campaign g ON g.id = s.campaign_id
"""
_PEOPLE: Final = text(
    "SELECT count(*) FROM (SELECT FROM person WHERE site_id = :site AND area_scheme = :scheme"
    " AND area_code = :code LIMIT :few) here"
)


def day_results(session: Session, asked: ResultsAsked, *, site_id: UUID) -> ResultPage:
    """One page."""
    values = _values(asked, site_id)
    if asked.area is not None and _few_people(session, values):
        return _page(session.execute(text(_by_people(asked)), values).all())
    if asked.area is None and asked.campaign_id is None:
        return _page(session.execute(text(_by_day(asked, PAGE + 1)), values).all())
    found = session.execute(text(_by_day(asked, WINDOW) + _BELONGING), values).all()
    return _windowed(session, found, asked, values)


_BELONGING: Final = """
    WHERE (CAST(:campaign AS uuid) IS NULL OR s.campaign_id = :campaign)
      AND (CAST(:scheme AS text) IS NULL OR p.area_scheme = :scheme AND p.area_code = :code)
    ORDER BY f.created_at DESC, f.id DESC LIMIT :page
"""


def _found(asked: ResultsAsked) -> str:
    return f"SELECT f.* FROM finding f WHERE {_narrowed(asked)}"  # noqa: S608 - put together from constants of this file


def _narrowed(asked: ResultsAsked) -> str:
    # Outcome and status are written out: once PostgreSQL plans a prepared statement for whatever
    # values may come, it cannot prove a partial index from a parameter, and reads the whole day.
    return (
        _CURRENT
        + (f" AND f.outcome = '{asked.outcome.value}'" if asked.outcome else "")
        + (f" AND f.status = '{asked.status.value}'" if asked.status else "")
        + (_AFTER if asked.after else "")
    )


def _by_day(asked: ResultsAsked, most: int) -> str:
    # OFFSET 0: the window is taken before anything is joined to it.
    shown = _SHOWN.format(found=f"{_found(asked)}{_NEWEST} LIMIT {most} OFFSET 0")
    return shown if most == WINDOW else shown + _NEWEST


def _by_people(asked: ResultsAsked) -> str:
    mine = (
        "SELECT f.* FROM person q JOIN finding f ON f.person_id = q.id"  # noqa: S608 - this file's own words
        " WHERE q.site_id = :site AND q.area_scheme = :scheme AND q.area_code = :code"
        f" AND {_narrowed(asked)} OFFSET 0"
    )
    where = " WHERE (CAST(:campaign AS uuid) IS NULL OR s.campaign_id = :campaign)"
    return _SHOWN.format(found=mine) + where + _NEWEST + f" LIMIT {PAGE + 1}"


def _few_people(session: Session, values: dict[str, Any]) -> bool:
    return bool(session.execute(_PEOPLE, values).scalar_one() <= FEW_PEOPLE)


def _values(asked: ResultsAsked, site_id: UUID) -> dict[str, Any]:
    scheme, code = asked.area or (None, None)
    return {
        "site": site_id,
        "start": asked.start,
        "end": asked.end,
        "campaign": asked.campaign_id,
        "scheme": scheme,
        "code": code,
        "at": asked.after.at if asked.after else None,
        "id": asked.after.finding_id if asked.after else None,
        "page": PAGE + 1,
        "few": FEW_PEOPLE + 1,
    }


def _page(found: Sequence[Row[Any]]) -> ResultPage:
    rows = [_row(row) for row in found[:PAGE]]
    more = After(rows[-1].found_at, rows[-1].finding_id) if len(found) > PAGE else None
    return ResultPage(rows, more, None)


def _windowed(
    session: Session, found: Sequence[Row[Any]], asked: ResultsAsked, values: dict[str, Any]
) -> ResultPage:
    """The page, or how far the window went when it was not enough to fill one."""
    if len(found) > PAGE:
        return _page(found)
    ends = f"{_found(asked)}{_NEWEST} LIMIT 1 OFFSET {WINDOW - 1}"
    edge = session.execute(text(ends), values).first()
    rows = [_row(row) for row in found]
    if edge is None:
        return ResultPage(rows, None, None)
    return ResultPage(rows, After(edge.created_at, edge.id), edge.created_at)


def _row(row: Row[Any]) -> ResultRow:
    return ResultRow(
        finding_id=row.id,
        found_at=row.created_at,
        released_at=row.released_at,
        outcome=FindingOutcome(row.outcome),
        status=ResultStatus(row.status),
        barcode=row.barcode,
        person_id=row.person_id,
        name=row.name,
        birth_year=row.birth_year,
        area=row.area,
        campaign=row.campaign,
        first_campaign=row.first_campaign,
        collected_at=row.collected_at,
    )
