"""Read a rapid antigen test: a positive opens a presumptive case and asks for PCR (S19)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.lifecycle import OrderReason, ResultStatus, TubeKind, TubeState
from lims.domain.outcomes import Basis, FindingOutcome
from lims.domain.pooling.evidence import TOP_PRIORITY
from lims.domain.rapid_test import RapidOutcome, refuse_not_yet, refuse_outside_window
from lims.domain.refusals import DifferentBody, InvalidBody
from lims.domain.registration import PersonGiven, digest
from lims.domain.verification import Hold
from lims.tables import Finding, RapidTest, Specimen, Tube, TubeSpecimen
from lims.work.audit import record
from lims.work.cases import open_case
from lims.work.once import one_at_a_time
from lims.work.people import doubt_too, keep_person
from lims.work.pool import refuse_taken
from lims.work.receive import queue_first_test
from lims.work.tell import owe_case_news

RULE = "antigen/1"


@dataclass(frozen=True, slots=True)
class RapidReading:
    """One test read at the desk. A positive names the barcode of its PCR tube."""

    specimen_id: UUID
    started_at: datetime
    read_at: datetime
    outcome: RapidOutcome
    kit_lot: str
    person: PersonGiven | None = None
    person_id: UUID | None = None
    pcr_barcode: str | None = None


@dataclass(frozen=True, slots=True)
class RapidRead:
    """The receipt: the person, and the PCR tube that a positive asked for."""

    specimen_id: UUID
    person_id: UUID
    outcome: RapidOutcome
    pcr_specimen_id: UUID | None
    replayed: bool


def read_rapid_test(
    session: Session, reading: RapidReading, *, site_id: UUID, by: str, now: datetime
) -> RapidRead:
    """Keep the reading; a positive isolates at once and queues its PCR at top priority.

    Raises OutsideReadWindow outside the kit's window or ahead of the clock,
    InvalidBody when a positive comes without a PCR tube, DifferentBody,
    BarcodeTaken, NotFound.
    """
    said = digest(reading)
    one_at_a_time(session, reading.specimen_id)
    earlier = session.get(Specimen, reading.specimen_id)
    if earlier is not None:
        if earlier.body_digest != said:
            raise DifferentBody(came="another reading under this id", where="specimen_id")
        return _receipt(session, reading, earlier.person_id, replayed=True)
    refuse_not_yet(reading.read_at, now)
    refuse_outside_window(reading.started_at, reading.read_at)
    if reading.outcome is RapidOutcome.POSITIVE and reading.pcr_barcode is None:
        raise InvalidBody(
            errors=[{"pointer": "#/pcr_barcode", "detail": "a positive asks for a PCR tube"}],
            where="pcr_barcode",
            came="nothing",
        )
    person_id = keep_person(
        session,
        reading.person,
        reading.person_id,
        specimen_id=reading.specimen_id,
        site_id=site_id,
        now=now,
    )
    _keep_swab(session, reading.specimen_id, person_id, reading, site_id=site_id, by=by, now=now)
    session.add(
        RapidTest(
            site_id=site_id,
            specimen_id=reading.specimen_id,
            outcome=reading.outcome,
            kit_lot=reading.kit_lot,
            started_at=reading.started_at,
            read_at=reading.read_at,
        )
    )
    session.flush()
    finding_id = _keep_finding(session, reading, person_id, site_id=site_id, now=now)
    if reading.outcome is RapidOutcome.POSITIVE and finding_id is not None:
        news = open_case(
            session, person_id, finding_id, Basis.ANTIGEN_PRESUMPTIVE, site_id=site_id, now=now
        )
        owe_case_news(session, [news] if news else [], site_id=site_id, now=now)
    if reading.pcr_barcode is not None:
        _ask_for_pcr(
            session, reading, reading.pcr_barcode, person_id, site_id=site_id, by=by, now=now
        )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="read_rapid_test",
        subject=str(reading.specimen_id),
        now=now,
        outcome=str(reading.outcome),
        kit_lot=reading.kit_lot,
    )
    return _receipt(session, reading, person_id, replayed=False)


def _keep_swab(
    session: Session,
    specimen_id: UUID,
    person_id: UUID,
    reading: RapidReading,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> None:
    session.add(
        Specimen(
            id=specimen_id,
            site_id=site_id,
            person_id=person_id,
            material="antigen",
            collected_at=reading.started_at,
            registered_at=now,
            registered_by=by,
            body_digest=digest(reading),
        )
    )
    session.flush()


def _keep_finding(
    session: Session, reading: RapidReading, person_id: UUID, *, site_id: UUID, now: datetime
) -> UUID | None:
    """An invalid strip says nothing of the person; the desk repeats it with a new kit."""
    if reading.outcome is RapidOutcome.INVALID:
        return None
    outcome = (
        FindingOutcome.NEGATIVE
        if reading.outcome is RapidOutcome.NEGATIVE
        else FindingOutcome.PRESUMPTIVE
    )
    holds = _holds(session, outcome, person_id)
    finding = Finding(
        id=uuid7(),
        site_id=site_id,
        specimen_id=reading.specimen_id,
        person_id=person_id,
        outcome=outcome,
        status=ResultStatus.PRELIMINARY if holds else ResultStatus.FINAL,
        rule=RULE,
        evidence=[],
        holds=list(map(str, holds)),
        created_at=now,
        released_at=None if holds else now,
        released_by=None if holds else RULE,
    )
    session.add(finding)
    session.flush()
    return finding.id


def _holds(session: Session, outcome: FindingOutcome, person_id: UUID) -> tuple[Hold, ...]:
    """A positive strip waits for its PCR; a negative for the identity flag where the site says."""
    if outcome is FindingOutcome.PRESUMPTIVE:
        return (Hold.ANTIGEN,)
    flagged = session.scalar(
        text(
            "SELECT 1 FROM person p JOIN site ON site.id = p.site_id AND site.identity_holds"
            " WHERE p.id = :person AND p.identity_conflict IS NOT NULL"
        ),
        {"person": person_id},
    )
    return (Hold.IDENTITY,) if flagged else ()


def _ask_for_pcr(
    session: Session,
    reading: RapidReading,
    barcode: str,
    person_id: UUID,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> None:
    """The PCR tube goes to the laboratory at top priority; its order says that it confirms."""
    refuse_taken(session, barcode)
    swab = uuid7()
    session.add(
        Specimen(
            id=swab,
            site_id=site_id,
            person_id=person_id,
            material="swab",
            collected_at=reading.read_at,
            registered_at=now,
            registered_by=by,
            body_digest=digest([str(reading.specimen_id), barcode]),
        )
    )
    tube = Tube(
        id=uuid7(),
        site_id=site_id,
        barcode=barcode,
        kind=TubeKind.INDIVIDUAL,
        state=TubeState.COLLECTED,
        assay_code="sars-cov-2",
        capacity=1,
        created_at=now,
        created_by=by,
    )
    session.add(tube)
    session.flush()
    session.add(TubeSpecimen(tube_id=tube.id, specimen_id=swab))
    session.flush()
    doubt_too(session, reading.specimen_id, swab, now=now)
    queue_first_test(session, tube, now=now, why=OrderReason.CONFIRM, priority=TOP_PRIORITY)
    session.flush()


def _receipt(
    session: Session, reading: RapidReading, person_id: UUID, *, replayed: bool
) -> RapidRead:
    pcr = None
    if reading.pcr_barcode is not None:
        pcr = session.scalar(
            text(
                "SELECT ts.specimen_id FROM tube t JOIN tube_specimen ts ON ts.tube_id = t.id"
                " WHERE t.barcode = :barcode"
            ),
            {"barcode": reading.pcr_barcode},
        )
    return RapidRead(reading.specimen_id, person_id, reading.outcome, pcr, replayed)
