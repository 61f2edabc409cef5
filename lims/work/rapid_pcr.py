"""The PCR tube of a positive rapid test, scanned with the reading or a minute after it.

The case is told when the strip is read, not when the tube is: isolation starts at once, and a
label that is out of reach must not hold it back. Until the tube comes, the test owes it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.lifecycle import OrderReason, TubeKind, TubeState
from lims.domain.pooling.evidence import TOP_PRIORITY
from lims.domain.rapid_test import RapidOutcome
from lims.domain.refusals import DifferentBody, NotFound
from lims.domain.registration import digest
from lims.tables import RapidTest, Specimen, Tube, TubeSpecimen
from lims.work.audit import record
from lims.work.people import doubt_too
from lims.work.pool import refuse_taken
from lims.work.receive import queue_first_test


@dataclass(frozen=True, slots=True)
class PcrTube:
    """The receipt: the swab in the tube that confirms or refutes a rapid positive."""

    specimen_id: UUID
    pcr_specimen_id: UUID
    barcode: str
    replayed: bool


def take_pcr_tube(
    session: Session,
    specimen_id: UUID,
    barcode: str,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
    collected_at: datetime | None = None,
) -> PcrTube:
    """Queue the tube of this positive at top priority. The same label again changes nothing.

    The swab was taken now, unless the reading that brings the tube along says when.

    Raises NotFound for what is no positive rapid test, DifferentBody when it has another tube,
    BarcodeTaken.
    """
    test = session.scalars(
        select(RapidTest)
        .where(
            RapidTest.specimen_id == specimen_id,
            RapidTest.site_id == site_id,
            RapidTest.outcome == RapidOutcome.POSITIVE,
        )
        .with_for_update()
    ).one_or_none()
    if test is None:
        raise NotFound(came=str(specimen_id), where="rapid_test")
    if test.pcr_specimen_id is not None:
        known = session.execute(_LABEL, {"specimen": test.pcr_specimen_id}).scalar_one()
        if known != barcode:
            raise DifferentBody(
                came=f"{barcodes.shown(barcode)} beside {barcodes.shown(known)}",
                where="pcr_barcode",
            )
        return PcrTube(specimen_id, test.pcr_specimen_id, barcode, replayed=True)
    swab = _keep_tube(session, test, barcode, collected_at or now, by=by, now=now)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="take_pcr_tube",
        subject=barcode,
        now=now,
        specimen_id=str(specimen_id),
    )
    return PcrTube(specimen_id, swab, barcode, replayed=False)


def pcr_waits(session: Session, person_id: UUID) -> bool:
    """True when an earlier positive of this person has a tube that has not answered yet."""
    return session.execute(_WAITS, {"person": person_id}).first() is not None


def _keep_tube(
    session: Session,
    test: RapidTest,
    barcode: str,
    collected_at: datetime,
    *,
    by: str,
    now: datetime,
) -> UUID:
    refuse_taken(session, barcode)
    seen = session.get_one(Specimen, test.specimen_id)
    swab = Specimen(
        id=uuid7(),
        site_id=test.site_id,
        person_id=seen.person_id,
        campaign_id=seen.campaign_id,
        material="swab",
        collected_at=collected_at,
        registered_at=now,
        registered_by=by,
        body_digest=digest([str(test.specimen_id), barcode]),
    )
    tube = Tube(
        id=uuid7(),
        site_id=test.site_id,
        barcode=barcode,
        kind=TubeKind.INDIVIDUAL,
        state=TubeState.COLLECTED,
        assay_code="sars-cov-2",
        capacity=1,
        created_at=now,
        created_by=by,
    )
    session.add_all([swab, tube])
    session.flush()
    session.add(TubeSpecimen(tube_id=tube.id, specimen_id=swab.id))
    test.pcr_specimen_id = swab.id
    session.flush()
    doubt_too(session, test.specimen_id, swab.id, now=now)
    queue_first_test(session, tube, now=now, why=OrderReason.CONFIRM, priority=TOP_PRIORITY)
    session.flush()
    return swab.id


_LABEL = text("""
SELECT t.barcode FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id AND t.kind = 'individual'
WHERE ts.specimen_id = :specimen
""")

_WAITS = text("""
SELECT 1 FROM specimen s
JOIN rapid_test r ON r.specimen_id = s.id AND r.pcr_specimen_id IS NOT NULL
WHERE s.person_id = :person AND s.material = 'antigen'
  AND NOT EXISTS (SELECT FROM finding f WHERE f.specimen_id = r.pcr_specimen_id AND f.current
                                          AND f.outcome IN ('negative', 'positive')) LIMIT 1
""")
