"""From bytes on the line to captures in the outbox, with the journal before every ACK.

What is due after a crash is told by the journal alone: its newest segment is read again through
the same `Assembly`, whatever has no receipt entry is captured, and an open session is taken up
where it stood. Capturing the same message again makes the same capture, byte for byte, so nothing
depends on the crash's exact moment.

A message that breaks off is captured as it is, at once, and held: when its tail comes (LIS2-A2
4.2) the two are captured together as one whole message.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog

from instruments.astm.line import Line
from instruments.astm.telling import Telling as AstmTelling
from instruments.drivers import Format
from instruments.hl7 import mllp
from instruments.hl7.work_desk import WorkDesk
from instruments.host_query import QueryDesk
from instruments.journal import CHECKPOINT, Entry, Journal
from instruments.line import NOT_KEPT, Action, Keep, LineProtocol, Received, Reply, Telling
from instruments.measurement import Capture
from instruments.outbox import Outbox
from instruments.poct import conversation
from instruments.reader import Reader

RECEIPT = b"C"  # journal entry: the message of this digest is in the outbox
MOST_AT_ONCE = 64  # messages whose captures are synced together

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Due:
    """A message to be captured. `receipts`: digests that a run before this one had captured."""

    received: Received
    at: datetime
    receipts: frozenset[str] = frozenset()


class Intake:
    """One analyser's line. `now` is the wall clock, UTC; `now_s` a monotonic one."""

    def __init__(
        self,
        journal: Journal,
        outbox: Outbox,
        reader: Reader,
        receiver: LineProtocol,
        now: Callable[[], datetime],
        *,
        telling: Telling | None = None,
        desk: QueryDesk | None = None,
    ) -> None:
        """`telling` is of the receiver's protocol; ASTM's when it is not given. `desk`: takes what
        the analyser asks; without one a question goes to the driver, which cannot read it."""
        self._journal = journal
        self._outbox = outbox
        self._reader = reader
        self._receiver = receiver
        self._now = now
        self._told = telling or AstmTelling()
        self._desk = desk
        self._due: deque[Due] = deque()
        self._settled: deque[str] = deque()  # digests whose receipt the journal does not have yet
        self._wake: Callable[[], object] = self.capture_due

    def leave_capturing_to(self, wake: Callable[[], object]) -> None:
        """From now on `capture_due` is called by one other thread after each `wake`: a sync of the
        outbox must not keep the line waiting for its acknowledgement."""
        self._wake = wake

    def take_up(self, now_s: float) -> None:
        """After a start: capture what the last run could not, and go on with an open session."""
        entries = list(self._journal.entries())
        receipts = frozenset(e.data.decode("ascii") for e in entries if e.kind == RECEIPT)
        for entry in entries:
            if entry.kind == CHECKPOINT:
                self._reader.held = entry.data
            at = entry.written_at
            told = (r for r in self._told.tell(entry) if not self._asks(r, at, told_again=True))
            self._due.extend(Due(received, at, receipts) for received in told)
        if self._told.session:  # first, so that no segment begins without the open session's start
            self._receiver.resume(self._told.last, now_s)
            _log.info("session taken up", session=self._told.session)
        self.capture_due()
        self.note_receipts()

    def hear(self, data: bytes, now_s: float, say: Callable[[bytes], None]) -> None:
        """Keep and answer what came, then capture what became whole."""
        self._act(self._receiver.feed(data, now_s), say)

    def tick(self, now_s: float, say: Callable[[bytes], None] = lambda _byte: None) -> None:
        """Let the receiver's timer run, and try again what the disk refused."""
        self._act(self._receiver.tick(now_s), say)

    def _act(self, actions: Iterator[Action], say: Callable[[bytes], None]) -> None:
        for action in actions:
            if isinstance(action, Keep):
                open_before = self._told.session
                self._receiver.kept(self._keep(action))
                if open_before and not (self._told.session or self._due):
                    self._tidy()  # the next session may begin in these same bytes
            else:
                self._tell_of(action)
                say(action.byte)
        if self._due:
            self._wake()
        self.note_receipts()
        if not (self._due or self._receiver.in_session):
            self._tidy()

    def _keep(self, keep: Keep) -> bool:
        now, kind = self._now(), keep.kind.value
        session = 0 if self._told.begins_session(kind) else self._told.session
        try:
            entry = self._journal.append(kind, keep.data, session=session, now=now)
        except OSError as error:
            _log.error("not kept", kind=keep.kind.name, error=str(error))
            if not self._told.holds_without_disk(kind):
                return False
            entry = Entry(0, session, now, kind, keep.data)
        told = (received for received in self._told.tell(entry) if not self._asks(received, now))
        self._due.extend(Due(received, now) for received in told)
        return entry.sequence > 0

    def _asks(self, received: Received, at: datetime, *, told_again: bool = False) -> bool:
        """A text that came in two versions is no question: which one was meant is unknown."""
        if self._desk is None or received.conflict:
            return False
        return self._desk.take(received.text, at, told_again=told_again)

    def capture_due(self) -> None:
        """Put what became whole into the outbox, or where its disk has no room post it from
        memory: what was acknowledged must not wait for somebody to make room."""
        most = MOST_AT_ONCE
        while self._due:
            due = [self._due[at] for at in range(min(len(self._due), most))]
            held = self._reader.held
            read = [(each, self._reader.capture(each.received, each.at)) for each in due]
            captures = [c for each, c in read if c and c.digest not in each.receipts]
            try:
                self._outbox.put_all(captures)
            except OSError as error:
                if len(due) > 1:
                    self._reader.held = held
                    most = 1  # there may be room for the oldest
                    continue
                _log.error("no room for a capture, owed from memory", error=str(error))
                for capture in captures:
                    self._outbox.lend(capture)
                captures = []  # without a receipt, so that it is captured again after a crash
            for capture in captures:
                self._settled.append(capture.digest)
                _say_captured(capture)
            for _ in due:
                self._due.popleft()

    def note_receipts(self) -> None:
        """What the journal is told of captures: not synced, for a message whose receipt is lost is
        captured again, and the LIMS knows its digest."""
        while self._settled:
            digest = self._settled.popleft()
            try:
                data = digest.encode("ascii")
                self._journal.append(RECEIPT, data, session=0, now=self._now(), sync=False)
            except OSError as error:
                _log.error("receipt not kept", digest=digest, error=str(error))

    def _tidy(self) -> None:
        """Between sessions, with nothing due."""
        journal = self._journal
        if not (journal.refused or journal.large) or self._outbox.lends:
            return
        try:
            if journal.refused:
                journal.make_room(self._reader.held, self._now())
            journal.rotate_if_large(self._reader.held, self._now())
        except OSError as error:
            _log.error("journal not rotated", error=str(error))

    def _tell_of(self, reply: Reply) -> None:
        if reply.refusal and reply.refusal != NOT_KEPT:
            _log.warning("refused", why=reply.refusal.value, session=self._told.session)
        elif reply.repeated:
            _log.info("repeated", session=self._told.session)


def _say_captured(capture: Capture) -> None:
    _log.info(
        "captured",
        digest=capture.digest,
        complete=capture.complete,
        measurements=len(capture.measurements),
        quarantine=capture.quarantine.reason if capture.quarantine else None,
    )


def telling_of(format_: Format) -> Telling:
    """By which a journal of such a line is told again."""
    match format_:
        case Format.HL7:
            return mllp.TELLING
        case Format.POCT1:
            return conversation.TELLING
        case _:
            return AstmTelling()


def intake_of(
    reader: Reader,
    journal: Journal,
    outbox: Outbox,
    now: Callable[[], datetime],
    *,
    idle_timeout_s: float,
    desk: QueryDesk | WorkDesk | None = None,
) -> Intake:
    """The intake of a line that speaks what the reader's driver reads: frames, MLLP blocks, or a
    conversation in XML. An ASTM desk brings the line on which it answers."""
    asked = desk if isinstance(desk, QueryDesk) else None
    receiver: LineProtocol
    match reader.format:
        case Format.HL7:
            work = desk if isinstance(desk, WorkDesk) else None
            receiver = mllp.Receiver(now, work, idle_timeout_s=idle_timeout_s)
        case Format.POCT1:
            receiver = conversation.Reviewer(now, idle_timeout_s=idle_timeout_s)
        case _:
            receiver = asked.line if asked else Line(idle_timeout_s=idle_timeout_s)
    telling = telling_of(reader.format)
    return Intake(journal, outbox, reader, receiver, now, telling=telling, desk=asked)
