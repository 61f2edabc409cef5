"""What goes wrong in the middle of the day, on schedule: kills, and a receiver that is dead."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from lims.demo.house import LEASE_S
from lims.demo.machines import GATEWAY
from lims.demo.processes import Supervisor

RECEIVER: Final = "receiver"
_LOOK_S: Final = 0.1
SETTLING_S: Final = 10.0  # a killed web worker's requests and its successor's start


class Fault(StrEnum):
    """Each has a time of the day and a name in the report."""

    WEB_WORKER = "web worker killed"
    GATEWAY = "gateway killed"
    DELIVERER = "deliverer killed"
    RECEIVER = "webhook receiver dead"


@dataclass(frozen=True, slots=True)
class Planned:
    """From this fraction of the day; ``until`` only where it lasts."""

    fault: Fault
    at: float
    until: float | None = None


SCHEDULE: Final = (
    Planned(Fault.WEB_WORKER, 0.15),
    Planned(Fault.GATEWAY, 0.22),
    Planned(Fault.RECEIVER, 0.34, until=0.44),
    Planned(Fault.WEB_WORKER, 0.42),
    Planned(Fault.DELIVERER, 0.52),
    Planned(Fault.GATEWAY, 0.60),
)


@dataclass(slots=True)
class Happened:
    """A fault as it was; ``ended`` is when what it held up was free again."""

    fault: Fault
    began: datetime
    ended: datetime | None = None
    pid: int | None = None


@dataclass
class Faults:
    """Acts on the supervisor's programs; each kill is a SIGKILL of a process that was there."""

    supervisor: Supervisor
    now_h: Callable[[], float]
    hours: float
    schedule: Sequence[Planned] = SCHEDULE
    happened: list[Happened] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        """Through the schedule; returns when it is done or the day is over."""
        for planned in self.schedule:
            if not self._until(planned.at, stop):
                return
            self._strike(planned, stop)

    def on(self) -> str | None:
        """The fault that explains a broken exchange with the web just now."""
        now = datetime.now(UTC)
        for one in self.happened:
            lasted_s = (now - one.began).total_seconds()
            if one.fault is Fault.WEB_WORKER and lasted_s < SETTLING_S:
                return one.fault.value
        return None

    def _strike(self, planned: Planned, stop: threading.Event) -> None:
        happened = Happened(planned.fault, datetime.now(UTC))
        match planned.fault:
            case Fault.WEB_WORKER:
                happened.pid = _child_of(self.supervisor.pid_of("web"))
                self.happened.append(happened)
                _kill(happened.pid)
            case Fault.GATEWAY:
                happened.pid = self.supervisor.pid_of(GATEWAY)
                self.happened.append(happened)
                _kill(happened.pid)
            case Fault.DELIVERER:
                happened.pid = self.supervisor.pid_of("deliverer")
                self.happened.append(happened)
                _kill(happened.pid)
            case Fault.RECEIVER:
                happened.pid = self.supervisor.pid_of(RECEIVER)
                self.happened.append(happened)
                self.supervisor.take_down(RECEIVER)
                threading.Thread(
                    target=self._bring_back, args=(happened, planned.until or 1.0, stop)
                ).start()

    def _bring_back(self, happened: Happened, until: float, stop: threading.Event) -> None:
        self._until(until, stop)
        self.supervisor.bring_back(RECEIVER)
        happened.ended = datetime.now(UTC)

    def _until(self, fraction: float, stop: threading.Event) -> bool:
        while self.now_h() < fraction * self.hours:
            if stop.wait(_LOOK_S):
                return False
        return True


def lease_s() -> float:
    """Seconds for which a killed deliverer's notices stay leased to nobody."""
    return float(LEASE_S)


def _child_of(pid: int) -> int:
    """One worker of a master. Raises IndexError when it has none."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return int(listed.split()[0])


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it had just died by itself; the restart counts the same
        os.kill(pid, signal.SIGKILL)
