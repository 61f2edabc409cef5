"""Read one rapid antigen test: a positive opens a case and asks for PCR (S19)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import Exposure, RapidOutcome
from lims.domain.refusals import DifferentBody, InvalidBody
from lims.domain.registration import PersonGiven, digest
from lims.work.audit import record
from lims.work.kits import LotKnown, lot_of, lot_said
from lims.work.once import one_at_a_time
from lims.work.people import keep_person
from lims.work.rapid_pcr import pcr_waits, take_pcr_tube
from lims.work.rapid_readings import ReadTogether, StripRead, keep_readings, refuse_unreadable


@dataclass(frozen=True, slots=True)
class RapidReading:
    """One test read at the desk. The lot is one that was registered, or as somebody said it."""

    specimen_id: UUID
    started_at: datetime
    read_at: datetime
    outcome: RapidOutcome
    kit_lot: str | None = None
    kit_lot_id: UUID | None = None
    person: PersonGiven | None = None
    person_id: UUID | None = None
    pcr_barcode: str | None = None
    exposure: Exposure | None = None
    suspect: bool | None = None


@dataclass(frozen=True, slots=True)
class RapidRead:
    """The receipt: the person, and the PCR tube that a positive asked for."""

    specimen_id: UUID
    person_id: UUID
    outcome: RapidOutcome
    pcr_specimen_id: UUID | None
    replayed: bool


def read_rapid_test(
    session: Session,
    reading: RapidReading,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
    tube_may_follow: bool = False,
) -> RapidRead:
    """Keep the reading; a positive isolates at once and queues its PCR at top priority.

    Where somebody looks at the answer, the PCR tube may follow; a machine sends it along, unless
    one of the person waits for its answer already. Raises OutsideReadWindow outside the kit's
    window or ahead of the clock, KitExpired, InvalidBody when a positive comes without a PCR tube,
    DifferentBody, BarcodeTaken, NotFound.
    """
    said = digest(reading)
    one_at_a_time(session, reading.specimen_id)
    earlier = _earlier(session, reading, said)
    if earlier is not None:
        return earlier
    lot = _lot(session, reading, site_id=site_id, by=by, now=now)
    together = ReadTogether(lot, reading.started_at, reading.read_at)
    refuse_unreadable(together, now=now)
    if not tube_may_follow:
        _refuse_without_tube(session, reading)
    person_id = _keep_strip(session, reading, together, said, site_id=site_id, by=by, now=now)
    pcr_swab = _take_tube(session, reading, site_id=site_id, by=by, now=now)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="read_rapid_test",
        subject=str(reading.specimen_id),
        now=now,
        outcome=str(reading.outcome),
        kit_lot=lot.lot,
    )
    return RapidRead(reading.specimen_id, person_id, reading.outcome, pcr_swab, replayed=False)


def _earlier(session: Session, reading: RapidReading, said: str) -> RapidRead | None:
    """The receipt of the same reading, told before. Raises DifferentBody."""
    row = session.execute(_EARLIER, {"specimen": reading.specimen_id}).one_or_none()
    if row is None:
        return None
    if row.body_digest != said:
        raise DifferentBody(came="another reading under this id", where="specimen_id")
    return RapidRead(
        reading.specimen_id, row.person_id, reading.outcome, row.pcr_specimen_id, replayed=True
    )


def _keep_strip(
    session: Session,
    reading: RapidReading,
    together: ReadTogether,
    said: str,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> UUID:
    """The person and what their strip showed; returns who it is."""
    person_id = keep_person(
        session,
        reading.person,
        reading.person_id,
        specimen_id=reading.specimen_id,
        site_id=site_id,
        now=now,
    )
    strip = StripRead(
        reading.specimen_id,
        person_id,
        reading.outcome,
        said,
        reading.exposure or Exposure.NONE,
        bool(reading.suspect),
    )
    keep_readings(session, [strip], together, site_id=site_id, by=by, now=now)
    return person_id


def _take_tube(
    session: Session, reading: RapidReading, *, site_id: UUID, by: str, now: datetime
) -> UUID | None:
    """The PCR swab that came along with a positive."""
    if reading.outcome is not RapidOutcome.POSITIVE or reading.pcr_barcode is None:
        return None
    return take_pcr_tube(
        session,
        reading.specimen_id,
        reading.pcr_barcode,
        site_id=site_id,
        by=by,
        now=now,
        collected_at=reading.read_at,
    ).pcr_specimen_id


def _lot(
    session: Session, reading: RapidReading, *, site_id: UUID, by: str, now: datetime
) -> LotKnown:
    if reading.kit_lot_id is not None:
        return lot_of(session, reading.kit_lot_id, site_id=site_id)
    return lot_said(session, reading.kit_lot or "", site_id=site_id, by=by, now=now)


def _refuse_without_tube(session: Session, reading: RapidReading) -> None:
    """Raises InvalidBody for a positive without a PCR tube, unless one of theirs waits."""
    if reading.outcome is not RapidOutcome.POSITIVE or reading.pcr_barcode is not None:
        return
    person = reading.person
    known = reading.person_id or session.scalar(
        text("SELECT id FROM person WHERE national_id = cast(:number AS text)"),
        {"number": person.national_id if person else None},
    )
    if known is not None and pcr_waits(session, known):
        return
    raise InvalidBody(
        errors=[{"pointer": "#/pcr_barcode", "detail": "a positive asks for a PCR tube"}],
        where="pcr_barcode",
        came="nothing",
    )


_EARLIER = text("""
SELECT s.body_digest, s.person_id, r.pcr_specimen_id
FROM specimen s LEFT JOIN rapid_test r ON r.specimen_id = s.id WHERE s.id = :specimen
""")
