"""Work-list query by a simulated analyser that speaks HL7 after IHE LAW: ask what is ordered for a
tube, or for all, and hear it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from instruments.hl7.message import Message, read
from instruments.hl7.mllp import CR, FS, VT, framed
from instruments.simulated.asking import ALL
from instruments.simulated.lines import Line
from instruments.simulated.playing import POLL_S

ANSWER_WITHIN_S: Final = 30.0
QUIET_S: Final = 3.0  # after which an answer about everything is over: LAW gives no number
ASKERS: Final = {
    "alinity-m": "",  # no name in MSH-3, as in its results
    "cobas": "COBAS6800/8800",
    "cobas4800": "cobas 4800 software 2.2.0.1509",
}


@dataclass(frozen=True, slots=True)
class Work:
    """What the host told of one tube; without tests, that nothing waits on it."""

    specimen: str
    tests: tuple[str, ...]
    urgent: bool


class HostCannotTell(RuntimeError):
    """It answered AE or AR; says why."""


def heard_work(
    driver: str, specimens: Sequence[str], line: Line, now: datetime, *, within_s: float
) -> list[Work] | None:
    """One query a tube, each to its end; of `ALL`, one for everything. None when the host says
    nothing in time. Raises HostCannotTell."""
    told: list[Work] = []
    for number, specimen in enumerate([ALL] if ALL in specimens else specimens, start=1):
        control_id = f"Q{now:%H%M%S%f}{number}"
        line.write(framed(_query(driver, specimen, control_id, now)))
        heard = _Host(line, within_s).heard(control_id, one=specimen != ALL)
        if heard is None:
            return None
        told += heard
    return told


def _query(driver: str, specimen: str, control_id: str, now: datetime) -> bytes:
    what = (
        ("WOS_ALL^Work Order Step All", "")
        if specimen == ALL
        else ("WOS^Work Order Step", specimen)
    )
    segments = (
        f"MSH|^~\\&|{ASKERS[driver]}||LIS||{now:%Y%m%d%H%M%S%z}||QBP^Q11^QBP_Q11|{control_id}|P|2.5.1"
        "|||ER|AL||UNICODE UTF-8|||LAB-27^IHE",
        f"QPD|{what[0]}^IHELAW|{control_id}|{what[1]}",
        "RCP|I||R",
    )
    return "".join(f"{segment}\r" for segment in segments).encode("utf-8")


class _Host:
    """The other end of the line. Blocks are taken here, not by the gateway's receiver."""

    def __init__(self, line: Line, within_s: float) -> None:
        self._line = line
        self._within_s = within_s
        self._heard = b""

    def heard(self, control_id: str, *, one: bool) -> list[Work] | None:
        answer = next(
            (each for each in self._messages(self._within_s) if _answers(each, control_id)), None
        )
        if answer is None:
            return None
        if (qak := answer.first("QAK")) is None or qak.value(2) != "OK":
            error = answer.first("ERR")
            raise HostCannotTell(error.text(8) if error else "no reason was given")
        told = []
        for each in self._messages(self._within_s if one else QUIET_S):
            if each.kind == "OML^O33":
                self._line.write(framed(_taken(each)))
                told.append(_work(each))
                if one:
                    return told
        return None if one else told

    def _messages(self, quiet_s: float) -> Iterator[Message]:
        """Until nothing came for so long."""
        until_s = time.monotonic() + quiet_s
        while time.monotonic() < until_s:
            self._heard += self._line.read(POLL_S)
            while FS in self._heard:
                block, _, self._heard = self._heard.partition(FS)
                yield read(block.strip(VT + CR))
                until_s = time.monotonic() + quiet_s


def _answers(message: Message, control_id: str) -> bool:
    msa = message.first("MSA")
    return message.kind == "RSP^K11" and msa is not None and msa.value(2) == control_id


def _work(order: Message) -> Work:
    spm = order.first("SPM")
    return Work(
        specimen=spm.value(2) if spm else "",
        tests=tuple(obr.value(4) for obr in order.named("OBR")),
        urgent=any(tq1.value(9) == "S" for tq1 in order.named("TQ1")),
    )


def _taken(order: Message) -> bytes:
    """ORL^O34: all of it."""
    segments = (
        f"MSH|^~\\&|||||{order.header.value(7)}||ORL^O34^ORL_O42|T{order.control_id}|P|2.5.1"
        "|||NE|NE||UNICODE UTF-8|||LAB-28^IHE",
        f"MSA|AA|{order.control_id}",
    )
    return "".join(f"{segment}\r" for segment in segments).encode("utf-8")
