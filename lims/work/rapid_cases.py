"""Cases of positive rapid tests: judged by the definition of the day, told at once (S19, S20)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.case_definition import Judgement, PositiveStrip, judge
from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.domain.rapid_test import Exposure
from lims.work.cases import change_case, live_case, open_case
from lims.work.tell import CaseNews, owe_case_news


@dataclass(frozen=True, slots=True)
class PositivePerson:
    """A person with a positive strip, and the finding that says so."""

    person_id: UUID
    specimen_id: UUID
    finding_id: UUID
    strip: PositiveStrip


def follow_positives(
    session: Session, positives: Sequence[PositivePerson], *, site_id: UUID, now: datetime
) -> None:
    """Open each person's case, or strengthen the one there is; everyone who is told hears.

    A case that a definition confirmed stays so: its basis and the definition's name are written
    with it, and no later definition is asked again. Raises NoDesk.
    """
    if not positives:
        return
    earlier = _earlier(session, positives)
    news: list[CaseNews] = []
    for one in positives:
        judgement = judge(one.strip, earlier.get(one.specimen_id, ()))
        told = _follow(session, one, judgement, site_id=site_id, now=now)
        if told is not None:
            news.append(told)
    owe_case_news(session, news, site_id=site_id, now=now)


def follow_moved_strip(
    session: Session,
    person_id: UUID,
    specimen_id: UUID,
    finding_id: UUID,
    *,
    site_id: UUID,
    now: datetime,
) -> None:
    """A positive strip turned out to be this person's (identity.py): judge it as theirs."""
    row = session.execute(
        text("SELECT read_at, exposure, suspect FROM rapid_test WHERE specimen_id = :specimen"),
        {"specimen": specimen_id},
    ).one()
    strip = PositiveStrip(row.read_at, Exposure(row.exposure), row.suspect)
    one = PositivePerson(person_id, specimen_id, finding_id, strip)
    follow_positives(session, [one], site_id=site_id, now=now)


def _follow(
    session: Session,
    one: PositivePerson,
    judgement: Judgement,
    *,
    site_id: UUID,
    now: datetime,
) -> CaseNews | None:
    case = live_case(session, one.person_id)
    if case is None:
        return open_case(
            session,
            one.person_id,
            one.finding_id,
            judgement.basis,
            definition=judgement.definition,
            state=CaseState.CONFIRMED if judgement.confirms else CaseState.PRESUMPTIVE,
            site_id=site_id,
            now=now,
        )
    if case.basis != Basis.ANTIGEN_PRESUMPTIVE or not judgement.confirms:
        return None
    case.basis, case.definition = judgement.basis, judgement.definition
    case.finding_id = one.finding_id
    return change_case(session, case, CaseState.CONFIRMED, NoticeKind.CASE_CONFIRMED, now=now)


def _earlier(
    session: Session, positives: Sequence[PositivePerson]
) -> Mapping[UUID, Sequence[PositiveStrip]]:
    """For each strip, the person's other positive ones of the day before, unless PCR refuted."""
    found: dict[UUID, list[PositiveStrip]] = {}
    rows = session.execute(
        _EARLIER,
        {
            "people": [one.person_id for one in positives],
            "specimens": [one.specimen_id for one in positives],
            "reads": [one.strip.read_at for one in positives],
        },
    )
    for row in rows:
        strip = PositiveStrip(row.read_at, Exposure(row.exposure), row.suspect)
        found.setdefault(row.newest, []).append(strip)
    return found


_EARLIER = text("""
SELECT g.specimen AS newest, r.read_at, r.exposure, r.suspect
FROM unnest(cast(:people AS uuid[]), cast(:specimens AS uuid[]), cast(:reads AS timestamptz[]))
     AS g(person, specimen, read)
JOIN specimen s ON s.person_id = g.person AND s.id <> g.specimen AND s.material = 'antigen'
JOIN rapid_test r ON r.specimen_id = s.id AND r.outcome = 'positive'
 AND r.read_at BETWEEN g.read - interval '1 day' AND g.read
WHERE NOT EXISTS (SELECT FROM finding f WHERE f.specimen_id = r.pcr_specimen_id AND f.current
                                          AND f.outcome = 'negative')
""")
