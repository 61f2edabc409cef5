"""Keep what strips showed: swabs, tests and findings of a whole roster in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.rapid_test import (
    Exposure,
    RapidOutcome,
    refuse_expired,
    refuse_not_yet,
    refuse_outside_window,
)
from lims.domain.verification import Hold
from lims.work.kits import VIETNAM, LotKnown
from lims.work.owe_findings import owe_findings
from lims.work.rapid_cases import follow_positives
from lims.work.recalled_since import strips_since


@dataclass(frozen=True, slots=True)
class StripRead:
    """One strip: whose, what it showed, and what the desk was told of the person."""

    specimen_id: UUID
    person_id: UUID
    outcome: RapidOutcome
    digest: str
    exposure: Exposure = Exposure.NONE
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class ReadTogether:
    """Strips of one lot that were dropped together and read together."""

    lot: LotKnown
    started_at: datetime
    read_at: datetime
    campaign_id: UUID | None = None


def refuse_unreadable(together: ReadTogether, *, now: datetime) -> None:
    """Raise OutsideReadWindow, or KitExpired when the drop fell after the lot's last day."""
    refuse_not_yet(together.read_at, now)
    refuse_outside_window(together.started_at, together.read_at, together.lot.window)
    dropped_on = together.started_at.astimezone(VIETNAM).date()
    refuse_expired(together.lot.lot, together.lot.expires_on, dropped_on)


def keep_readings(
    session: Session,
    strips: Sequence[StripRead],
    together: ReadTogether,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> None:
    """Write every strip, then let the positives' cases follow.

    A negative is final at once, unless the site holds results of people whose identity is in
    doubt; a positive is presumptive until a definition, a PCR or a second strip says more; an
    invalid strip says nothing of the person. Strips of a recalled lot are taken back at once.
    Raises OutsideReadWindow, KitExpired, NoDesk.
    """
    refuse_unreadable(together, now=now)
    findings = [uuid7() if one.outcome is not RapidOutcome.INVALID else None for one in strips]
    session.execute(
        _KEEP,
        {
            "specimens": [one.specimen_id for one in strips],
            "people": [one.person_id for one in strips],
            "outcomes": [str(one.outcome) for one in strips],
            "exposures": [str(one.exposure) for one in strips],
            "suspects": [one.suspect for one in strips],
            "digests": [one.digest for one in strips],
            "findings": findings,
            "site": site_id,
            "campaign": together.campaign_id,
            "lot": together.lot.lot_id,
            "started": together.started_at,
            "read": together.read_at,
            "by": by,
            "now": now,
            "antigen": str(Hold.ANTIGEN),
            "identity": str(Hold.IDENTITY),
        },
    )
    swabs = [one.specimen_id for one in strips]
    if strips_since(session, together.lot.lot_id, swabs, site_id=site_id, now=now):
        return
    positives = [one.person_id for one in strips if one.outcome is RapidOutcome.POSITIVE]
    follow_positives(session, positives, site_id=site_id, now=now)
    owe_findings(session, [one.specimen_id for one in strips], site_id=site_id, now=now)


_KEEP = text("""
WITH g AS (
    SELECT * FROM unnest(
        cast(:specimens AS uuid[]), cast(:people AS uuid[]), cast(:outcomes AS text[]),
        cast(:exposures AS text[]), cast(:suspects AS boolean[]), cast(:digests AS text[]),
        cast(:findings AS uuid[])
    ) AS g(specimen, person, outcome, exposure, suspect, digest, finding)
), swab AS (
    INSERT INTO specimen (id, site_id, person_id, campaign_id, material, collected_at,
                          registered_at, registered_by, body_digest)
    SELECT specimen, :site, person, cast(:campaign AS uuid), 'antigen', :started, :now, :by, digest
    FROM g
), test AS (
    INSERT INTO rapid_test (id, site_id, specimen_id, kit_lot_id, outcome, exposure, suspect,
                            started_at, read_at)
    SELECT mint_uuid7(:now), :site, specimen, :lot, outcome, exposure, suspect, :started, :read
    FROM g
)
INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule, evidence, holds,
                     current, created_at, released_at, released_by)
SELECT finding, :site, specimen, person,
       CASE outcome WHEN 'negative' THEN 'negative' ELSE 'presumptive' END,
       CASE WHEN hold IS NULL THEN 'F' ELSE 'P' END,
       'antigen/1', '{}', array_remove(ARRAY[hold], NULL), true, :now,
       CASE WHEN hold IS NULL THEN cast(:now AS timestamptz) END,
       CASE WHEN hold IS NULL THEN 'antigen/1' END
FROM (
    SELECT g.*, CASE
        WHEN g.outcome <> 'negative' THEN cast(:antigen AS text)
        WHEN site.identity_holds AND p.identity_conflict IS NOT NULL THEN cast(:identity AS text)
        END AS hold
    FROM g JOIN person p ON p.id = g.person JOIN site ON site.id = :site
    WHERE g.finding IS NOT NULL
) judged
""")
