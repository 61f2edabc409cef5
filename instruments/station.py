"""One analyser's line at work: read and answer it, keep what came, post it.

Three threads a line: one reads and answers, one captures what became whole, one posts; they share
only what is due and the outbox. Lines share nothing but the way to the LIMS, so that one which
falls, or whose disk is gone, stops no other: it says so, and is begun again.
"""

import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from structlog.contextvars import bound_contextvars

from instruments import quarantine, troubles
from instruments.astm.frames import IDLE_TIMEOUT_S
from instruments.astm.line import Line
from instruments.beside import beside
from instruments.drivers import Format
from instruments.files.watch import SETTLE_S
from instruments.folder_line import FolderLine, folder_of
from instruments.hl7.work_desk import WorkDesk
from instruments.host_query import QueryDesk
from instruments.intake import Intake, intake_of
from instruments.journal import Journal, JournalInUse, journal_bytes
from instruments.lims_door import LimsDoor
from instruments.lims_orders import LimsOrders, answering
from instruments.line_driver import LineDriver
from instruments.line_health import LineHealth, LineState, state_of
from instruments.link import REOPEN_DEVICE_S, REOPEN_MOST_S, Link, is_device, opener
from instruments.outbox import Outbox, dead_count
from instruments.poster import Poster
from instruments.reader import Reader
from instruments.settler import Settler
from instruments.spool import Spool, SpoolRefused
from instruments.troubles import TODO, Trouble

AGAIN_FIRST_S: Final = 1.0  # until a line that fell is begun again
AGAIN_MOST_S: Final = 30.0
SILENT_AFTER_S: Final = 4 * 3600.0  # two plates' time
LONGEST_TOLD: Final = 200  # characters of a link or a detail, as the LIMS takes of a heartbeat

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LineSettings:
    """What one line is. `instrument` is what the LIMS calls the analyser. Of a driver that reads
    files the link is a folder, and `settle_s` how long a file must not change. `tests`: of an
    analyser that asks what to measure, the LIMS' assays and what each is called there."""

    instrument: str
    reads: LineDriver
    link: str
    spool: Path
    baud: int = 9600
    idle_timeout_s: float = IDLE_TIMEOUT_S
    silent_after_s: float = SILENT_AFTER_S
    settle_s: float = SETTLE_S
    tests: Mapping[str, str] | None = None


class WorkFell(RuntimeError):
    """A gateway that only collects would look well: the line is begun again as a whole."""


@dataclass(slots=True)
class _Work:
    """What a line stands on while it runs."""

    link: Link | FolderLine
    journal: Journal
    outbox: Outbox
    poster: Poster
    orders: LimsOrders | None


class Station:
    """One line. `health` may be asked from another thread."""

    def __init__(self, settings: LineSettings, lims: LimsDoor, stop: threading.Event) -> None:
        """Raises ValueError for a link that is none."""
        self.settings = settings
        self.spool = Spool(settings.spool)
        self._lims = lims
        self._stop = stop
        if settings.reads.reads_files:
            folder_of(settings.link)
        else:
            self._open_line = opener(settings.link, settings.baud)
        self._work: _Work | None = None
        self._fallen: tuple[Trouble, str] | None = None
        self._last_byte_at: datetime | None = None
        self._begun_at = utc_now()
        self._last_message_at: str | None = self.spool.last_health().get("last_message_at")
        self._state: tuple[LineState | None, datetime] = (None, self._begun_at)

    def refusal(self) -> SpoolRefused | None:
        """Why the folder could not be used at this moment; None when it could."""
        try:
            journal, _outbox = self.spool.opened(utc_now())
        except SpoolRefused as refused:
            return refused
        journal.close()
        return None

    def run(self) -> None:
        """Until stopped, whatever happens."""
        wait_s = AGAIN_FIRST_S
        with bound_contextvars(instrument=self.settings.instrument):
            while not self._stop.is_set():
                begun_s = time.monotonic()
                try:
                    self.work()
                except SpoolRefused as refused:
                    self._fell(refused.trouble, refused.detail)
                except Exception as error:  # one line's fault must not stop the others
                    told = traceback.extract_tb(error.__traceback__)[-1]  # the place, no values
                    at = f"{type(error).__name__} at {told.name}:{told.lineno}"
                    _log.error("line fell", at=at)
                    self._fell(Trouble.FELL, type(error).__name__)
                if time.monotonic() - begun_s > AGAIN_MOST_S:
                    wait_s = AGAIN_FIRST_S
                self._stop.wait(wait_s)
                wait_s = min(2 * wait_s, AGAIN_MOST_S)

    def work(self) -> None:
        """Until stopped. Raises SpoolRefused, WorkFell, and whatever breaks the reading."""
        settings = self.settings
        with bound_contextvars(instrument=settings.instrument), self._opened() as work:
            _log.info(
                "started",
                instrument=settings.instrument,
                driver=settings.reads.name,
                torn_bytes=work.journal.torn_bytes,
            )
            with self._listening(work) as (listen, fell):
                while not (self._stop.is_set() or fell):
                    listen()
            if fell:
                raise WorkFell(f"{type(fell[0]).__name__} beside the line") from fell[0]
            _log.info("stopped", waiting=work.outbox.waiting)

    def health(self, now: datetime) -> LineHealth:
        """How the line stands. Never raises: what cannot be counted is told as the trouble."""
        work, fallen = self._work, self._fallen
        trouble, detail = fallen or (None, "")
        store = link = post = asked = None
        if work is None:
            store = trouble or Trouble.FELL if fallen else None
        else:
            link, detail = work.link.trouble, work.link.detail or detail
            post = work.poster.trouble
            if orders := work.orders and work.orders.not_told:
                asked, detail = Trouble.ORDERS_NOT_TOLD, detail or orders
            if work.journal.refused:
                store, detail = troubles.of_disk(work.journal.refused), str(work.journal.refused)
            self._last_message_at = work.outbox.last_message_at or self._last_message_at
        counted = self._counted()
        silent_s = (now - (self._last_byte_at or self._begun_at)).total_seconds()
        state = state_of(
            store=store,
            link=link if work else Trouble.LINK_BROKEN,
            post=post,
            silent=silent_s > self.settings.silent_after_s,
        )
        if self._state[0] is not state:
            self._state = (state, now)
        return LineHealth(
            instrument=self.settings.instrument,
            driver=self.settings.reads.name,
            link=self.settings.link[:LONGEST_TOLD],
            state=state,
            since=self._state[1].isoformat(timespec="seconds"),
            last_byte_at=_iso(self._last_byte_at),
            last_message_at=self._last_message_at,
            trouble=store or link or post or asked,
            detail=detail[:LONGEST_TOLD],
            **counted,
        )

    def say_health(self, now: datetime) -> LineHealth:
        """Also in the line's folder, for `lims-gateway status`, while the folder is ours, and by
        what it is read, for `replay` where there is only the folder."""
        health = self.health(now)
        if self._work is None:
            return health
        at, reads = now.isoformat(timespec="seconds"), self.settings.reads
        said = {"at": at, "reads": reads.told(), **asdict(health)}
        with suppress(OSError):  # the folder's own trouble is told in the heartbeat
            self.spool.keep_health(json.dumps(said).encode("ascii"))
        return health

    @contextmanager
    def _opened(self) -> Iterator[_Work]:
        journal, outbox = self.spool.opened(utc_now())
        try:
            link = self._link(outbox)
        except BaseException:
            journal.close()
            raise
        work = _Work(link, journal, outbox, Poster(outbox, self._lims, now=utc_now), self._orders())
        self._work, self._fallen = work, None
        try:
            yield work
        finally:
            self._work = None
            link.close()
            journal.close()

    def _link(self, outbox: Outbox) -> Link | FolderLine:
        """Raises SpoolRefused."""
        settings = self.settings
        if not settings.reads.reads_files:
            most_s = REOPEN_DEVICE_S if is_device(settings.link) else REOPEN_MOST_S
            return Link(self._open_line, self._stop, reopen_most_s=most_s)
        try:
            return FolderLine(
                folder_of(settings.link),
                self.spool.files,
                outbox,
                settings.reads.driver,
                settings.instrument,
                settle_s=settings.settle_s,
                names=settings.reads.names,
                now=utc_now,
            )
        except JournalInUse as error:
            raise SpoolRefused(Trouble.SPOOL_IN_USE, self.spool.root, str(error)) from error
        except OSError as error:
            raise self.spool.unusable(error) from error

    def _orders(self) -> LimsOrders | None:
        tests = self.settings.tests
        return LimsOrders(self._lims, self.settings.instrument, tests) if tests else None

    def _desk(self, orders: LimsOrders | None) -> QueryDesk | WorkDesk | None:
        if orders is None:
            return None
        if self.settings.reads.driver.format is Format.HL7:
            return WorkDesk(orders.of_law)
        return QueryDesk(Line(idle_timeout_s=self.settings.idle_timeout_s), orders.of_astm)

    @contextmanager
    def _listening(self, work: _Work) -> Iterator[tuple[Callable[[], None], list[BaseException]]]:
        """What the last run left is taken up; then each call hears once. Beside it letters are
        posted, messages captured and questions answered; a post cut off at the end is posted again,
        for the LIMS knows its digest."""
        link, settings = work.link, self.settings
        if isinstance(link, FolderLine):
            link.take_up()
            with beside({"poster": work.poster.run}) as fell:
                yield partial(self._look, link), fell
            return
        reader, desk = Reader(settings.reads.driver, settings.instrument), self._desk(work.orders)
        intake = intake_of(
            reader,
            work.journal,
            work.outbox,
            utc_now,
            idle_timeout_s=settings.idle_timeout_s,
            desk=desk,
        )
        intake.take_up(time.monotonic())
        settler = Settler(intake)
        works = {"poster": work.poster.run, "settler": settler.run}
        with beside(works) as fell, answering(desk, settings.instrument):
            yield partial(self._hear, link, intake), fell
        intake.note_receipts()

    def _look(self, folder: FolderLine) -> None:
        if folder.look(self._stop):
            self._last_byte_at = utc_now()

    def _hear(self, link: Link, intake: Intake) -> None:
        data = link.read()
        if data:
            self._last_byte_at = utc_now()
            intake.hear(data, time.monotonic(), link.write)
        intake.tick(time.monotonic(), link.write)

    def _fell(self, trouble: Trouble, detail: str) -> None:
        self._fallen = (trouble, detail)
        _log.error("line waits", trouble=trouble.value, detail=detail, todo=TODO[trouble])

    def _counted(self) -> dict[str, int]:
        outbox = self.spool.outbox
        work = self._work
        try:
            return {
                "journal_bytes": journal_bytes(self.spool.journal),
                "waiting": work.outbox.waiting if work else 0,
                "dead": dead_count(outbox),
                "quarantined": quarantine.count(outbox),
            }
        except OSError:
            return {"journal_bytes": 0, "waiting": 0, "dead": 0, "quarantined": 0}


def utc_now() -> datetime:
    return datetime.now(UTC)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
