"""Read a whole roster that a telephone kept: one lot, one drop, one reading, everybody in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.rapid_test import Exposure, RapidOutcome
from lims.domain.refusals import DifferentBody, PersonTwiceInPool
from lims.domain.registration import PersonGiven, digest
from lims.work.audit import record
from lims.work.copying import copy_people
from lims.work.kits import lot_said
from lims.work.once import one_at_a_time
from lims.work.people import keep_person, refuse_unknown_areas
from lims.work.people_together import MemberGiven, card_of, whose_are
from lims.work.rapid_pcr import take_pcr_tube
from lims.work.rapid_readings import ReadTogether, StripRead, keep_readings, refuse_unreadable


@dataclass(frozen=True, slots=True)
class BatchStrip:
    """One strip of the batch; what is not said is negative."""

    specimen_id: UUID
    outcome: RapidOutcome = RapidOutcome.NEGATIVE
    person: PersonGiven | None = None
    person_id: UUID | None = None
    exposure: Exposure | None = None
    suspect: bool | None = None
    pcr_barcode: str | None = None


@dataclass(frozen=True, slots=True)
class RapidBatch:
    """Strips dropped together and read together. Its id is minted by the client."""

    batch_id: UUID
    kit_lot: str
    started_at: datetime
    read_at: datetime
    strips: tuple[BatchStrip, ...]
    exposure: Exposure | None = None
    campaign_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class StripKept:
    """One strip of the receipt."""

    specimen_id: UUID
    person_id: UUID
    outcome: RapidOutcome
    pcr_specimen_id: UUID | None


@dataclass(frozen=True, slots=True)
class RapidBatchRead:
    """The receipt: how many of each, and every strip in the order it came."""

    batch_id: UUID
    negative: int
    positive: int
    invalid: int
    strips: tuple[StripKept, ...]
    replayed: bool


def read_rapid_batch(
    session: Session, batch: RapidBatch, *, site_id: UUID, by: str, now: datetime
) -> RapidBatchRead:
    """Keep every strip or none. The same batch again answers the same.

    Positives are told at once; a PCR tube that is not there yet follows. Raises OutsideReadWindow,
    KitExpired, NotAKitCode, DifferentBody, PersonTwiceInPool, NotFound, UnknownUnit, BarcodeTaken.
    """
    said = digest(batch)
    one_at_a_time(session, batch.batch_id)
    if _told_before(session, batch, said):
        return _receipt(session, batch, replayed=True)
    lot = lot_said(session, batch.kit_lot, site_id=site_id, by=by, now=now)
    together = ReadTogether(lot, batch.started_at, batch.read_at, batch.campaign_id)
    refuse_unreadable(together, now=now)
    people = _keep_people(session, batch, site_id=site_id, now=now)
    strips = _strips_of(batch, people, said)
    keep_readings(session, strips, together, site_id=site_id, by=by, now=now)
    _take_tubes(session, batch, site_id=site_id, by=by, now=now)
    receipt = _receipt(session, batch, replayed=False)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="read_rapid_batch",
        subject=str(batch.batch_id),
        now=now,
        kit_lot=lot.lot,
        negative=receipt.negative,
        positive=receipt.positive,
        invalid=receipt.invalid,
    )
    return receipt


def _told_before(session: Session, batch: RapidBatch, said: str) -> bool:
    """Whether this very batch is kept already. Raises DifferentBody where a part of it is."""
    ids = [one.specimen_id for one in batch.strips]
    if len(set(ids)) < len(ids):
        raise DifferentBody(came="one specimen_id for two people", where="strips")
    kept = text("SELECT body_digest FROM specimen WHERE id = ANY(:ids)")
    earlier = session.execute(kept, {"ids": ids}).scalars().all()
    if earlier and (len(earlier) < len(ids) or set(earlier) != {said}):
        raise DifferentBody(came="other strips under these ids", where="strips")
    return bool(earlier)


def _strips_of(batch: RapidBatch, people: Sequence[UUID], said: str) -> list[StripRead]:
    return [
        StripRead(
            one.specimen_id,
            person_id,
            one.outcome,
            said,
            one.exposure or batch.exposure or Exposure.NONE,
            bool(one.suspect),
        )
        for one, person_id in zip(batch.strips, people, strict=True)
    ]


def _take_tubes(
    session: Session, batch: RapidBatch, *, site_id: UUID, by: str, now: datetime
) -> None:
    """The PCR tubes that came along with positives."""
    for one in batch.strips:
        if one.pcr_barcode is not None and one.outcome is RapidOutcome.POSITIVE:
            take_pcr_tube(
                session,
                one.specimen_id,
                one.pcr_barcode,
                site_id=site_id,
                by=by,
                now=now,
                collected_at=batch.read_at,
            )


def _keep_people(
    session: Session, batch: RapidBatch, *, site_id: UUID, now: datetime
) -> list[UUID]:
    given = [MemberGiven(one.person, one.person_id) for one in batch.strips]
    cards = [one.person for one in given if one.person]
    refuse_unknown_areas(session, {a for p in cards for a in (p.area, p.work_area) if a})
    people, newcomers, doubted = whose_are(session, given, site_id=site_id)
    if len(set(people)) < len(people):
        raise PersonTwiceInPool(
            expected="each person once in a batch", came="the same person twice", where="strips"
        )
    copy_people(session, newcomers, site_id=site_id, now=now)
    for one, person_id in zip(batch.strips, people, strict=True):
        if person_id in doubted:
            card = card_of(doubted[person_id])
            swab = one.specimen_id
            keep_person(session, card, None, specimen_id=swab, site_id=site_id, now=now)
    return people


def _receipt(session: Session, batch: RapidBatch, *, replayed: bool) -> RapidBatchRead:
    rows = session.execute(_READ, {"ids": [one.specimen_id for one in batch.strips]})
    kept = {row.specimen_id: row for row in rows}
    strips = tuple(
        StripKept(
            one.specimen_id,
            kept[one.specimen_id].person_id,
            one.outcome,
            kept[one.specimen_id].pcr_specimen_id,
        )
        for one in batch.strips
    )
    outcomes = [one.outcome for one in batch.strips]
    return RapidBatchRead(
        batch.batch_id,
        outcomes.count(RapidOutcome.NEGATIVE),
        outcomes.count(RapidOutcome.POSITIVE),
        outcomes.count(RapidOutcome.INVALID),
        strips,
        replayed,
    )


_READ = text("""
SELECT r.specimen_id, s.person_id, r.pcr_specimen_id
FROM rapid_test r JOIN specimen s ON s.id = r.specimen_id WHERE r.specimen_id = ANY(:ids)
""")
