"""One case with everything the hand-off knows of it: evidence, claims, and who was told when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.matched import shown_word
from lims.work.views.board import Choice
from lims.work.views.case_notices import NoticeLine, case_notices


class Gone(StrEnum):
    """A recall took it back, or a newer result of the same test stands in its place."""

    RECALLED = "recalled"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One result or rapid test behind the case.

    ``gone``: why it does not count (any more). `ct_cycles`, and the machine's word where none came
    (`called`), only for those who may read it.
    """

    barcode: str | None
    assay: str
    outcome: str
    ct_cycles: float | None
    called: str | None
    kit_lot: str | None
    pooled: int
    at: datetime
    gone: Gone | None


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """Who held the case, from when to when. ``reason``: why it was given back or taken over."""

    team: str
    claimed_by: str
    claimed_at: datetime
    ended_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What stands on the case's page below its heading."""

    definition: str
    site: str
    evidence: Sequence[Evidence]
    claims: Sequence[ClaimLine]
    notices: Sequence[NoticeLine]
    teams: Sequence[Choice]


_ABOUT = text(
    """
    SELECT c.definition, site.name AS site, f.evidence, f.specimen_id
    FROM f0_case c JOIN site ON site.id = c.site_id JOIN finding f ON f.id = c.finding_id
    WHERE c.id = :case
    """
)

_EVIDENCE = text(
    """
    SELECT t.barcode, t.assay_code AS assay, r.outcome, r.ct_cycles, NULL AS kit_lot,
           (SELECT count(*) FROM tube_specimen ts WHERE ts.tube_id = t.id) AS pooled,
           r.created_at AS at, m.targets, m.call, m.called, m.closed_system,
           CASE WHEN r.current THEN NULL
                WHEN EXISTS (SELECT FROM result n WHERE n.supersedes_id = r.id
                             AND n.why LIKE 'recalled: %') THEN 'recalled'
                ELSE 'superseded' END AS gone
    FROM result r JOIN tube t ON t.id = r.tube_id
    JOIN measurement m ON m.id = r.measurement_id
    WHERE r.id = ANY(:evidence)
    UNION ALL
    SELECT NULL, 'antigen', q.outcome, NULL, l.lot, 1, q.read_at, NULL, NULL, NULL, false,
           CASE WHEN EXISTS (SELECT FROM recall_strip x WHERE x.rapid_test_id = q.id)
                THEN 'recalled' END
    FROM rapid_test q JOIN kit_lot l ON l.id = q.kit_lot_id WHERE q.specimen_id = :specimen
    ORDER BY at
    """
)

_CLAIMS = text(
    """
    SELECT t.name AS team, k.claimed_by, k.claimed_at, k.ended_at,
           (SELECT e.detail ->> 'reason' FROM audit_event e
            WHERE e.subject = CAST(k.case_id AS text) AND e.at = k.ended_at
              AND e.verb IN ('claim-released', 'claim-taken-over') LIMIT 1) AS reason
    FROM claim k JOIN team t ON t.id = k.team_id
    WHERE k.case_id = :case ORDER BY k.claimed_at
    """
)

_TOLD_TEAMS = text(
    """
    SELECT DISTINCT t.id AS value, t.name AS label
    FROM notice n JOIN subscription b ON b.id = n.subscription_id JOIN team t ON t.id = b.team_id
    WHERE n.case_id = :case ORDER BY t.name
    """
)

_READS_ANTIGEN: Final = {"positive": "detected", "negative": "not_detected"}


def case_file(session: Session, case_id: UUID, *, with_ct: bool) -> CaseFile:
    """The file of a case that the caller has found visible; `with_ct` for reviewers and admins."""
    about = session.execute(_ABOUT, {"case": case_id}).one()
    given = {"case": case_id}
    return CaseFile(
        definition=about.definition,
        site=about.site,
        evidence=_evidence(session, list(about.evidence), about.specimen_id, with_ct=with_ct),
        claims=[
            ClaimLine(row.team, row.claimed_by, row.claimed_at, row.ended_at, row.reason)
            for row in session.execute(_CLAIMS, given)
        ],
        notices=case_notices(session, case_id),
        teams=[Choice(str(row.value), row.label) for row in session.execute(_TOLD_TEAMS, given)],
    )


def _evidence(
    session: Session, ids: Sequence[UUID], specimen_id: UUID, *, with_ct: bool
) -> Sequence[Evidence]:
    rows = session.execute(_EVIDENCE, {"evidence": ids, "specimen": specimen_id})
    return [
        Evidence(
            barcode=row.barcode,
            assay=row.assay,
            outcome=_READS_ANTIGEN.get(row.outcome, row.outcome),
            ct_cycles=row.ct_cycles if with_ct else None,
            called=shown_word(row, row.assay, row.outcome) if with_ct else None,
            kit_lot=row.kit_lot,
            pooled=row.pooled,
            at=row.at,
            gone=Gone(row.gone) if row.gone else None,
        )
        for row in rows
    ]
