"""Give a stray word of a rapid-test reader to the person it is really about (S13, S19)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from instruments.measurement import Role
from lims.domain.antigen import outcome_said
from lims.domain.lifecycle import Standing
from lims.domain.refusals import Conflict, IllegalMove
from lims.tables import Measurement, RawMessage
from lims.work.audit import record
from lims.work.measurements import refuse_unless
from lims.work.rapid_reader import ReaderWord, claim, keep_claimed
from lims.work.strips_named import NotThisStrip, strips_named


class NoOpenStrip(Conflict):
    """The reader's word cannot be the reading of any strip of that person."""

    slug = "no-open-strip"
    expected = "a person with one rapid test that was dropped before the reader read it"
    todo = "scan another tube or number of the person; or dismiss it and test with a new strip"


@dataclass(frozen=True, slots=True)
class AttachedReading:
    """What the strip shows now."""

    outcome: str
    replayed: bool


def attach_reading(
    session: Session, measurement: Measurement, scan: str, *, by: str, now: datetime
) -> AttachedReading:
    """The reading of that person's strip, as of when the reader read it, with all that follows.

    ``measurement`` is locked; ``scan`` is a tube of the person, or their number. Raises
    NoOpenStrip (with the reason), IllegalMove (not unmatched, a control), NoDesk.
    """
    word = _word(session, measurement, scan)
    if measurement.standing == Standing.MATCHED and measurement.strip_id is not None:
        return AttachedReading(str(word.outcome), replayed=True)
    refuse_unless(measurement, Standing.UNMATCHED)
    if measurement.role != Role.SPECIMEN:
        raise IllegalMove(
            source=measurement.role, target="attached", allowed=["dismissed"], where="measurement"
        )
    site_id = measurement.site_id
    try:
        strips = strips_named(session, scan, site_id=site_id)
        claimed = claim(session, strips, word, measurement.id, site_id=site_id, now=now)
    except NotThisStrip as why:
        raise NoOpenStrip(came=str(why), where="barcode") from why
    if claimed is None:
        raise NoOpenStrip(came="the strip of this person was read before", where="barcode")
    measurement.standing = Standing.MATCHED
    measurement.why = f"attached by {by}"
    measurement.strip_id = claimed.strip.strip_id
    session.flush()
    keep_claimed(session, claimed, site_id=site_id, by=by, now=now)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="attach",
        subject=str(claimed.strip.strip_id),
        now=now,
        measurement_id=str(measurement.id),
        outcome=str(claimed.outcome),
    )
    session.flush()
    return AttachedReading(str(claimed.outcome), replayed=False)


def _word(session: Session, measurement: Measurement, scan: str) -> ReaderWord:
    calls = [target["call"] or "" for target in measurement.targets]
    return ReaderWord(
        scanned=scan,
        outcome=outcome_said(calls, measurement.error),
        word=" ".join(filter(None, calls)),
        measured_text=measurement.measured_text,
        heard_at=session.get_one(RawMessage, measurement.message_id).captured_at,
    )
