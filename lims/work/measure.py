"""Take one message of an analyser: bytes kept once, wells matched, the run judged, people told.

Everything a message implies is one transaction: measurements, results, cleared
people, re-tests, cases and the notices owed. The same bytes again get the same
receipt and change nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from instruments.measurement import Capture
from lims.db.ids import uuid7
from lims.domain.instrument_clock import ahead
from lims.domain.lifecycle import MessageState, RunState, Standing
from lims.domain.refusals import UnknownInstrument
from lims.tables import Instrument, RawMessage
from lims.work.judge_again import judge_again
from lims.work.judge_run import Judged, hold_runs, judge_runs
from lims.work.kits import VIETNAM
from lims.work.match import match, release_held
from lims.work.matched import SAID_BEFORE, Matched
from lims.work.recalled_since import hear_recalled, take_back_held
from lims.work.results import write_results
from lims.work.settle_run import settle_measured
from lims.work.told_whole import set_late_part_aside, set_parts_aside


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message. Stored with it, so that a replay answers the same."""

    message_id: str
    digest: str
    state: str
    reason: str | None
    measurements: int
    matched: int
    held: int
    unmatched: int
    corrections: int
    duplicates: int
    runs: dict[str, str]


def take(
    session: Session, capture: Capture, *, site_id: UUID, captured_at: datetime, now: datetime
) -> tuple[Receipt, bool]:
    """Take a capture; returns its receipt and whether it is a replay. Bytes that lie in quarantine
    and that the gateway's driver of today can read are read as if they came now.

    Raises UnknownInstrument when no instrument of that name is set up: the
    gateway keeps the message and sends it again when one is.
    """
    instrument = session.scalars(
        select(Instrument).where(Instrument.name == capture.instrument, Instrument.active)
    ).one_or_none()
    if instrument is None:
        raise UnknownInstrument(came=capture.instrument, where="instrument")
    message_id = _keep_bytes(
        session, capture, instrument.id, site_id=site_id, captured_at=captured_at, now=now
    )
    if message_id is None and (message_id := _to_read_anew(session, capture)) is None:
        return _earlier(session, capture.digest), True
    instrument.last_message_at = now
    off_s = _clock_ahead_s(capture, captured_at)
    if off_s is not None:
        instrument.clock_ahead_s = off_s
    session.flush()
    receipt = _read(
        session,
        capture,
        message_id,
        instrument,
        site_id=site_id,
        captured_at=captured_at,
        now=now,
    )
    session.execute(
        update(RawMessage)
        .where(RawMessage.id == message_id)
        .values(state=receipt.state, receipt=asdict(receipt))
    )
    return receipt, False


def _keep_bytes(
    session: Session,
    capture: Capture,
    instrument_id: UUID,
    *,
    site_id: UUID,
    captured_at: datetime,
    now: datetime,
) -> UUID | None:
    return session.execute(
        insert(RawMessage)
        .values(
            id=uuid7(),
            site_id=site_id,
            instrument_id=instrument_id,
            digest=capture.digest,
            driver=capture.driver,
            driver_version=capture.driver_version,
            body=capture.raw,
            state=MessageState.ACCEPTED,
            reason=capture.quarantine.reason if capture.quarantine else None,
            captured_at=captured_at,
            sent_text=capture.sent_at,
            clock_ahead_s=_clock_ahead_s(capture, captured_at),
            stored_at=now,
            receipt={},
        )
        .on_conflict_do_nothing(index_elements=[RawMessage.digest])
        .returning(RawMessage.id)
    ).scalar_one_or_none()


def _clock_ahead_s(capture: Capture, captured_at: datetime) -> int | None:
    by = ahead(capture.sent_at, captured_at, VIETNAM)
    return None if by is None else round(by.total_seconds())


def _to_read_anew(session: Session, capture: Capture) -> UUID | None:
    """The message of these bytes, if nobody could read them before and now its gateway can."""
    if capture.quarantine is not None:
        return None
    return session.execute(
        update(RawMessage)
        .where(RawMessage.digest == capture.digest, RawMessage.state == MessageState.QUARANTINED)
        .values(
            driver=capture.driver,
            driver_version=capture.driver_version,
            state=MessageState.ACCEPTED,
            reason=None,
        )
        .returning(RawMessage.id)
    ).scalar_one_or_none()


def _earlier(session: Session, digest: str) -> Receipt:
    stored: dict[str, Any] = session.execute(
        select(RawMessage.receipt).where(RawMessage.digest == digest)
    ).scalar_one()
    return Receipt(**stored)


def _read(
    session: Session,
    capture: Capture,
    message_id: UUID,
    instrument: Instrument,
    *,
    site_id: UUID,
    captured_at: datetime,
    now: datetime,
) -> Receipt:
    instrument_id = instrument.id
    if capture.quarantine is not None:
        return _receipt(
            capture, message_id, MessageState.QUARANTINED, reason=capture.quarantine.reason
        )
    matched = match(
        session,
        capture,
        message_id,
        instrument_id,
        site_id=site_id,
        set_up=instrument.driver,
        now=now,
    )
    runs = {m.run_id for m in matched if m.run_id is not None}
    if not capture.complete:
        hold_runs(session, runs, instrument_id, now=now)
        take_back_held(
            session, runs, instrument_id, captured_at=captured_at, site_id=site_id, now=now
        )
        set_late_part_aside(session, capture, message_id, instrument_id, now=now)
        return _receipt(
            capture, message_id, MessageState.HELD, matched=matched, reason="incomplete"
        )
    set_parts_aside(session, capture, instrument_id, now=now)
    resumed = release_held(session, runs)
    states = judge_runs(session, runs, instrument_id, site_id=site_id, now=now)
    again = judge_again(session, states, instrument_id, site_id=site_id, now=now)
    heard = hear_recalled(
        session,
        again.states,
        [*matched, *resumed, *again.speaking],
        instrument_id,
        captured_at=captured_at,
        site_id=site_id,
        now=now,
    )
    states = heard.states
    results = write_results(session, heard.spoken, states, site_id=site_id, now=now)
    freed = heard.with_freed(again.with_freed(results))
    settle_measured(session, freed, site_id=site_id, now=now)
    heard.keep(session)
    said = {plate.plate: str(plate.state) for plate in states.values()}
    return _receipt(
        capture,
        message_id,
        MessageState.ACCEPTED,
        matched=_as_they_stand(matched, states),
        runs=said,
    )


def _as_they_stand(
    matched: tuple[Matched, ...], states: Mapping[UUID, Judged]
) -> tuple[Matched, ...]:
    """Wells of a run that is not judged yet are held, however well they matched."""
    waiting = {run for run, judged in states.items() if judged.state is RunState.MEASURING}
    counted = {Standing.MATCHED, Standing.CONTROL}
    return tuple(
        replace(one, standing=Standing.HELD)
        if one.run_id in waiting and one.standing in counted
        else one
        for one in matched
    )


def _receipt(
    capture: Capture,
    message_id: UUID,
    state: MessageState,
    *,
    matched: tuple[Matched, ...] = (),
    runs: dict[str, str] | None = None,
    reason: str | None = None,
) -> Receipt:
    def count(standing: Standing) -> int:
        return sum(m.standing is standing for m in matched)

    return Receipt(
        message_id=str(message_id),
        digest=capture.digest,
        state=str(state),
        reason=reason,
        measurements=len(capture.measurements),
        matched=count(Standing.MATCHED) + count(Standing.CONTROL),
        held=count(Standing.HELD),
        unmatched=count(Standing.UNMATCHED),
        corrections=count(Standing.CORRECTION),
        duplicates=sum(m.why == SAID_BEFORE for m in matched),
        runs=runs or {},
    )
