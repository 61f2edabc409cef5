"""The sending end of MLLP: bytes and a clock in, actions out.

What the simulated machines do to the gateway, and what a gateway does that sends work on its own.

    state      heard / time                          action
    ---------  ------------------------------------  -------------------------------------------
    idle       `begin`                               send the block
    waiting    MSA of this MSH-10, AA or CA          done
    waiting    MSA of this MSH-10, AE or CE          send again after 5 s; the fifth time, give up
    waiting    MSA of this MSH-10, AR or CR          give up: sending the same again is no use
    waiting    anything else                         nothing: it is about something else
    waiting    30 s without an answer                send again; the fifth time, give up

HL7 v2.5.1, 2.9.2 (original mode) and 2.9.3 (enhanced mode).
"""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from instruments.hl7.message import Message, NotHl7, read
from instruments.hl7.mllp import LONGEST_BLOCK, framed

ANSWER_TIMEOUT_S = 30.0
BUSY_WAIT_S = 5.0
ATTEMPTS = 5

_ACCEPTED = frozenset({"AA", "CA"})
_REJECTED = frozenset({"AR", "CR"})
_BLOCK = re.compile(rb"\x0b?([^\x0b\x1c]*)\x1c")


@dataclass(frozen=True, slots=True)
class Send:
    """Put these bytes on the line."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """The receiver has it. `answer` may be more than ACK: an RSP^K11, an ORL^O34."""

    answer: Message


class Failure(StrEnum):
    NO_ANSWER = "no-answer"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The message is still owed. `text` is what the receiver said of it."""

    why: Failure
    text: str = ""


Action = Send | Accepted | GaveUp


class State(Enum):
    IDLE = "idle"
    WAITING = "waiting"
    PAUSING = "pausing"


class Sender:
    """One message at a time. `begin`, then `hear` what comes and `tick` until it is over. Other
    blocks that come in between (`others`) are the caller's: take them out, answer them."""

    def __init__(
        self, *, answer_timeout_s: float = ANSWER_TIMEOUT_S, busy_wait_s: float = BUSY_WAIT_S
    ) -> None:
        self._answer_timeout_s = answer_timeout_s
        self._busy_wait_s = busy_wait_s
        self._state = State.IDLE
        self._message = b""
        self._control_id = ""
        self._attempts = 0
        self._said = ""
        self._heard = bytearray()
        self._deadline_s = float("inf")
        self.others: list[bytes] = []

    @property
    def over(self) -> bool:
        return self._state is State.IDLE

    def begin(self, message: bytes, now_s: float) -> list[Action]:
        """Raises `NotHl7` for what is no message of ours."""
        self._control_id = read(message).control_id
        self._message = message
        self._attempts = 0
        self._said = ""
        return self._send(now_s)

    def hear(self, data: bytes, now_s: float) -> list[Action]:
        self._heard += data
        actions: list[Action] = []
        while found := _BLOCK.search(self._heard):
            block = bytes(found[1])
            del self._heard[: found.end()]
            actions += self._judge(block, now_s)
        del self._heard[:-LONGEST_BLOCK]
        return actions

    def tick(self, now_s: float) -> list[Action]:
        if now_s < self._deadline_s:
            return []
        if self._attempts >= ATTEMPTS:
            why = Failure.REFUSED if self._said else Failure.NO_ANSWER
            return [self._give_up(why, self._said)]
        return self._send(now_s)

    def _judge(self, block: bytes, now_s: float) -> list[Action]:
        answer = _answer_in(block)
        if answer is None or self.over:
            if block.strip(b"\0\r\n \t"):
                self.others.append(block)
            return []
        msa = answer.first("MSA")
        if msa is None or msa.value(2) != self._control_id:
            return []
        code = msa.value(1)
        if code in _ACCEPTED:
            self._state, self._deadline_s = State.IDLE, float("inf")
            return [Accepted(answer)]
        self._said = msa.text(3) or _error_text(answer) or code
        if code in _REJECTED:
            return [self._give_up(Failure.REFUSED, self._said)]
        self._state = State.PAUSING
        self._deadline_s = now_s + self._busy_wait_s
        return []

    def _send(self, now_s: float) -> list[Action]:
        self._state = State.WAITING
        self._attempts += 1
        self._deadline_s = now_s + self._answer_timeout_s
        return [Send(framed(self._message))]

    def _give_up(self, why: Failure, text: str) -> GaveUp:
        self._state, self._deadline_s = State.IDLE, float("inf")
        return GaveUp(why, text)


def _answer_in(block: bytes) -> Message | None:
    try:
        message = read(block)
    except NotHl7:
        return None
    return message if message.first("MSA") else None


def _error_text(answer: Message) -> str:
    err = answer.first("ERR")
    return err.text(8) or err.value(3, 2) if err else ""
