"""How a case ends well: a release test; and when a later positive is the same infection still.

A final negative, or a positive at a late Ct, of a swab taken long enough after the one that made
the case, ends isolation (negative or Ct >= 30 in 2021). A positive soon after that is the old
infection's remains: evidence on the case, never a second F0 (WHO asks for 90 days between two).
The days and the Ct are choices of the laboratory (lims/domain/policy.py). Days are counted by the
calendar: a swab of the seventh morning counts, whatever hour the first one was taken at.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.tables import F0Case
from lims.work.kits import VIETNAM
from lims.work.live_cases import move_case
from lims.work.tell import CaseNews


def end_by_release_tests(
    session: Session, swabs: Sequence[UUID], *, now: datetime
) -> list[CaseNews]:
    """Close the confirmed cases of people whom one of these swabs, by its final word, releases."""
    if not swabs:
        return []
    found = session.execute(_RELEASES, {"swabs": list(swabs), "zone": VIETNAM.key}).all()
    by_case = {row.case_id: row.finding_id for row in found}
    return [
        _moved(case, CaseState.CLOSED, NoticeKind.CASE_CLOSED, now, ended_by=by_case[case.id])
        for case in _locked(session, by_case)
        if case.state == CaseState.CONFIRMED
    ]


def reopen_what_ended_wrongly(
    session: Session, people: Iterable[UUID], *, now: datetime
) -> list[CaseNews]:
    """Cases that a release test ended which no longer says so: isolation goes on, unless another
    test has released the person too."""
    asked = {"people": list(people), "zone": VIETNAM.key}
    reopened = []
    lost = {row.case_id: row for row in session.execute(_LOST_ENDS, asked)}
    for case in _locked(session, lost):
        if case.state != CaseState.CLOSED or lost[case.id].live:
            continue
        if lost[case.id].instead is not None:
            case.ended_by_id = lost[case.id].instead
            continue
        reopened.append(_moved(case, CaseState.CONFIRMED, NoticeKind.CASE_CORRECTED, now))
    return reopened


def same_infection(session: Session, findings: Iterable[UUID]) -> dict[UUID, UUID]:
    """For each positive finding of somebody released lately, the case that it still belongs to."""
    rows = session.execute(_SAME, {"findings": list(findings), "zone": VIETNAM.key})
    return {row.finding_id: row.case_id for row in rows}


def positive_again(session: Session, case_id: UUID, *, now: datetime) -> CaseNews:
    """Everyone who was told of the closed case hears that its person was found positive again."""
    (case,) = _locked(session, [case_id])
    case.sequence += 1
    case.changed_at = now
    session.flush()
    return CaseNews(
        case.id,
        case.person_id,
        NoticeKind.CASE_CORRECTED,
        case.sequence,
        CaseState(case.state),
        Basis(case.basis),
    )


def _locked(session: Session, cases: Iterable[UUID]) -> Sequence[F0Case]:
    return session.scalars(
        select(F0Case)
        .where(F0Case.id.in_(list(cases)))
        .order_by(F0Case.person_id, F0Case.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def _moved(
    case: F0Case,
    wanted: CaseState,
    kind: NoticeKind,
    now: datetime,
    *,
    ended_by: UUID | None = None,
) -> CaseNews:
    move_case(case, wanted, now=now)
    case.ended_by_id = ended_by
    case.sequence += 1
    case.changed_at = now
    return CaseNews(case.id, case.person_id, kind, case.sequence, wanted, Basis(case.basis))


_DAYS_AFTER = """
    (s.collected_at AT TIME ZONE :zone)::date - (began.collected_at AT TIME ZONE :zone)::date"""

_ENDS = f"""
    f.current AND f.status IN ('F', 'C')
    AND s.material = 'swab'
    AND {_DAYS_AFTER} >= site.release_from_day
    AND (f.outcome = 'negative' OR f.outcome = 'positive' AND f.ct_cycles >= site.release_ct)"""

_RELEASES = text(
    f"""
SELECT DISTINCT ON (c.id) c.id AS case_id, f.id AS finding_id
FROM finding f
JOIN specimen s ON s.id = f.specimen_id
JOIN f0_case c ON c.person_id = f.person_id AND c.state = 'confirmed'
JOIN site ON site.id = c.site_id
JOIN finding ground ON ground.id = c.finding_id
JOIN specimen began ON began.id = ground.specimen_id
WHERE f.specimen_id = ANY(:swabs) AND {_ENDS}
ORDER BY c.id, s.collected_at, f.id
"""  # noqa: S608 - put together from constants of this file
)

_LOST_ENDS = text(
    f"""
SELECT c.id AS case_id,
       EXISTS (SELECT FROM f0_case o WHERE o.person_id = c.person_id
               AND o.state IN ('presumptive', 'confirmed')) AS live,
       (SELECT f.id FROM finding f JOIN specimen s ON s.id = f.specimen_id
        WHERE f.person_id = c.person_id AND {_ENDS}
        ORDER BY s.collected_at, f.id LIMIT 1) AS instead
FROM f0_case c
JOIN finding word ON word.id = c.ended_by_id AND NOT word.current
JOIN site ON site.id = c.site_id
JOIN finding ground ON ground.id = c.finding_id
JOIN specimen began ON began.id = ground.specimen_id
WHERE c.person_id = ANY(:people) AND c.state = 'closed'
ORDER BY c.id
"""  # noqa: S608 - put together from constants of this file
)

_SAME = text(
    f"""
SELECT DISTINCT ON (f.id) f.id AS finding_id, c.id AS case_id
FROM finding f
JOIN specimen s ON s.id = f.specimen_id
JOIN f0_case c ON c.person_id = f.person_id AND c.state = 'closed'
JOIN site ON site.id = c.site_id
JOIN finding ground ON ground.id = c.finding_id
JOIN specimen began ON began.id = ground.specimen_id
WHERE f.id = ANY(:findings)
  AND {_DAYS_AFTER} < site.reinfection_days
ORDER BY f.id, c.opened_at DESC
"""  # noqa: S608 - put together from constants of this file
)
