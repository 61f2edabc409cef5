"""Take what a rapid-test reader says as the reading of the one strip it can be about (S19).

What was scanned in the reader names a person: by a label of one of their tubes, or by their
national number. Of their strips that were dropped and not read, the one whose window is open at
the moment of the reading is meant. Nothing is guessed: without such a strip, or with several, the
measurement is unmatched, with the reason. A strip that was read before is never overwritten.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from instruments.measurement import Capture, Measurement, Role
from lims.domain.antigen import outcome_said
from lims.domain.lifecycle import Standing, StripState
from lims.domain.rapid_test import CLOCK_SKEW, Exposure, RapidOutcome, Readiness
from lims.domain.refusals import KitExpired, OutsideReadWindow
from lims.domain.registration import digest
from lims.work.audit import record
from lims.work.kits import VIETNAM, LotKnown, lot_of
from lims.work.matched import SAID_BEFORE, Matched
from lims.work.rapid_readings import ReadTogether, StripRead, keep_readings, refuse_unreadable
from lims.work.read_strips import CardedStrip, keep_cards
from lims.work.strips_named import DroppedStrip, NotThisStrip, strips_named

_LOT: Final = "lot-"
_RESENT: Final = "resent"


@dataclass(frozen=True, slots=True)
class ReaderWord:
    """What a reader said of one cassette. `lots`: what it scanned of it; `resent`: that it
    tells this again, so that when it was heard says nothing of when it was read."""

    scanned: str
    outcome: RapidOutcome | None
    word: str
    measured_text: str | None
    heard_at: datetime
    lots: tuple[str, ...] = ()
    resent: bool = False

    @classmethod
    def of(cls, measurement: Measurement, heard_at: datetime) -> "ReaderWord":
        calls = [target.call or "" for target in measurement.targets]
        lots = [flag.removeprefix(_LOT) for flag in measurement.flags if flag.startswith(_LOT)]
        return cls(
            scanned=measurement.specimen,
            outcome=outcome_said(calls, measurement.error),
            word=" ".join(filter(None, calls)),
            measured_text=measurement.measured_at,
            heard_at=heard_at,
            lots=tuple(lots),
            resent=_RESENT in measurement.flags,
        )

    def read_at(self, started_at: datetime) -> datetime:
        """When the strip was read: by the reader's own clock where that fits, else when it was
        heard."""
        return self._by_its_clock(started_at) or self.heard_at

    def may_be_of(self, started_at: datetime) -> bool:
        """Whether it can be about a strip dropped then: what is told again, by its own time alone.
        A reader's memory may hold another cassette of the same person."""
        return not self.resent or self._by_its_clock(started_at) is not None

    def _by_its_clock(self, started_at: datetime) -> datetime | None:
        """Where that is between the drop and the receipt. A time without a zone is the
        laboratory's."""
        try:
            told = datetime.fromisoformat(self.measured_text or "")
        except ValueError:
            return None
        told = told if told.tzinfo else told.replace(tzinfo=VIETNAM)
        fits = started_at <= told <= self.heard_at + CLOCK_SKEW
        return min(told, self.heard_at) if fits else None


@dataclass(frozen=True, slots=True)
class StripClaimed:
    """A strip and what a reader said of it: to be kept as a reading."""

    strip: DroppedStrip
    outcome: RapidOutcome
    read_at: datetime
    lot: LotKnown
    measurement_id: UUID


class ReaderStrips:
    """The antigens of one message: each is the reading of a strip, or there is a reason why not.

    The rosters of the people they name stay locked until the transaction ends.
    """

    def __init__(
        self,
        session: Session,
        capture: Capture,
        instrument_id: UUID,
        *,
        site_id: UUID,
        now: datetime,
    ) -> None:
        self._session = session
        self._capture = capture
        self._instrument_id = instrument_id
        self._site_id = site_id
        self._now = now
        self._claims: dict[UUID, StripClaimed] = {}

    def claim(self, base: Matched, measurement: Measurement) -> Matched:
        """Nothing is kept before `keep`."""
        if base.role is not Role.SPECIMEN:
            return replace(base, standing=Standing.CONTROL)
        word = ReaderWord.of(measurement, datetime.fromisoformat(self._capture.captured_at))
        try:
            return self._read(base, word)
        except NotThisStrip as why:
            return replace(base, why=str(why))

    def keep(self) -> None:
        """After the measurements are stored. Raises NoDesk."""
        for one in self._claims.values():
            by = f"instrument:{self._capture.instrument}"
            keep_claimed(self._session, one, site_id=self._site_id, by=by, now=self._now)

    def _read(self, base: Matched, word: ReaderWord) -> Matched:
        """Raises NotThisStrip."""
        session, site_id = self._session, self._site_id
        strips = strips_named(session, word.scanned, site_id=site_id)
        again = _said_again(session, base, word, strips, self._instrument_id)
        if again is not None:
            return again
        claimed = claim(session, strips, word, base.measurement_id, site_id=site_id, now=self._now)
        if claimed is None:
            return _of_a_read_strip(base, word, strips)
        strip_id = claimed.strip.strip_id
        if strip_id in self._claims:
            raise NotThisStrip("one message speaks twice of one strip")
        self._claims[strip_id] = claimed
        return replace(base, standing=Standing.MATCHED, strip_id=strip_id)


def keep_claimed(
    session: Session, claimed: StripClaimed, *, site_id: UUID, by: str, now: datetime
) -> None:
    """As a desk's reading is kept: finding, and a positive's case, at once. Raises NoDesk."""
    strip, outcome = claimed.strip, claimed.outcome
    carded = CardedStrip(strip.strip_id, strip.member_id, strip.card)
    keep_cards(session, [carded], site_id=site_id, now=now)
    reading = StripRead(
        strip.strip_id,
        strip.person_id,
        outcome,
        digest([str(strip.strip_id), str(outcome)]),
        Exposure(strip.exposure),
        strip.suspect,
    )
    together = ReadTogether(claimed.lot, strip.started_at, claimed.read_at, strip.campaign_id)
    keep_readings(session, [reading], together, site_id=site_id, by=by, now=now)
    mark = None if outcome is RapidOutcome.NEGATIVE else str(outcome)
    session.execute(_READ, {"strip": strip.strip_id, "mark": mark})
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="read_by_reader",
        subject=str(strip.strip_id),
        now=now,
        outcome=str(outcome),
        kit_lot=claimed.lot.lot,
        measurement_id=str(claimed.measurement_id),
    )


def claim(
    session: Session,
    strips: Sequence[DroppedStrip],
    word: ReaderWord,
    measurement_id: UUID,
    *,
    site_id: UUID,
    now: datetime,
) -> StripClaimed | None:
    """The one running strip whose window is open; None where the only open one was read before.
    Raises NotThisStrip."""
    if word.outcome is None:
        raise NotThisStrip(f"the reader's word is not known: {word.word[:40] or 'none'}")
    running = [one for one in strips if one.state == StripState.RUNNING]
    open_ = [one for one in running if _is_open(one, word)]
    if len(open_) > 1:
        raise NotThisStrip("several rapid tests of this person are open")
    if not open_ and any(_is_open(one, word) for one in strips if one.outcome):
        return None
    if not open_ and len(running) != 1:
        raise NotThisStrip("no rapid test of this person is open")
    strip = (open_ or running)[0]
    if not word.may_be_of(strip.started_at):
        raise NotThisStrip("no rapid test of this person is open")
    if strip.mark not in (None, str(word.outcome)):
        raise NotThisStrip("the desk has marked another result on this strip")
    lot = _lot(session, strip, word.lots, site_id=site_id)
    read_at = word.read_at(strip.started_at)
    try:
        refuse_unreadable(ReadTogether(lot, strip.started_at, read_at), now=now)
    except OutsideReadWindow as refused:
        minutes = round((read_at - strip.started_at).total_seconds() / 60)
        raise NotThisStrip(f"read {minutes} minutes after the drop") from refused
    except KitExpired as refused:
        raise NotThisStrip(f"kit lot {lot.lot} had expired") from refused
    return StripClaimed(strip, word.outcome, read_at, lot, measurement_id)


def _said_again(
    session: Session,
    base: Matched,
    word: ReaderWord,
    strips: Sequence[DroppedStrip],
    instrument_id: UUID,
) -> Matched | None:
    """The same reading told once more, by the reader's own time of it: however late it comes."""
    if word.measured_text is None or word.outcome is None:
        return None
    about = {
        "strips": [one.strip_id for one in strips],
        "instrument": instrument_id,
        "measured": word.measured_text,
    }
    strip_id = session.execute(_TOLD, about).scalar()
    earlier = next((one for one in strips if one.strip_id == strip_id), None)
    return None if earlier is None else _beside(base, word, earlier)


def _of_a_read_strip(base: Matched, word: ReaderWord, strips: Sequence[DroppedStrip]) -> Matched:
    """The newest strip that was read and whose window is still open."""
    read = [one for one in strips if one.outcome and _is_open(one, word)]
    return _beside(base, word, read[-1])


def _beside(base: Matched, word: ReaderWord, strip: DroppedStrip) -> Matched:
    if strip.outcome == word.outcome:
        return replace(
            base,
            standing=Standing.DISMISSED,
            why=SAID_BEFORE,
            strip_id=strip.strip_id,
        )
    return replace(
        base,
        standing=Standing.CORRECTION,
        why="another value for this strip",
        strip_id=strip.strip_id,
    )


def _is_open(strip: DroppedStrip, word: ReaderWord) -> bool:
    read_at = word.read_at(strip.started_at)
    readable = strip.lot.window.readiness(strip.started_at, read_at) is Readiness.READABLE
    return readable and word.may_be_of(strip.started_at)


def _lot(session: Session, strip: DroppedStrip, told: Sequence[str], *, site_id: UUID) -> LotKnown:
    """The cassette's own lot where it is registered for the timer's kit: the reader scanned the
    cassette itself. Else the lot that the desk named when it started the timer."""
    about = {"site": site_id, "lot": strip.lot.lot_id, "told": list(told)}
    found = session.execute(_SAME_KIT, about).scalars().all()
    return lot_of(session, found[0], site_id=site_id) if len(found) == 1 else strip.lot


_TOLD = text("""
SELECT strip_id FROM measurement
WHERE strip_id = ANY(:strips) AND instrument_id = :instrument AND measured_text = :measured
ORDER BY id DESC LIMIT 1
""")

_SAME_KIT = text("""
SELECT l.id FROM kit_lot l JOIN kit_lot dropped ON dropped.kit_id = l.kit_id
WHERE dropped.id = :lot AND l.site_id = :site AND l.lot = ANY(:told)
""")

_READ = text("UPDATE strip SET state = 'read', mark = :mark WHERE id = :strip")
