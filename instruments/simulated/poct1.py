"""A rapid-test reader that speaks POCT1-A2 and misbehaves on request: bytes and a clock in, bytes
out, and seeded. The reader's side of the conversation, as the Sofia's document tells it:

    it says                     it hears                     then
    --------------------------  ---------------------------  -------------------------------------
    HEL.R01                     AA                           DST.R01, with one new observation
    DST.R01                     AA, DTV.R01 continuous       AA, the observation; stays connected
                                AA, REQ.R01                  AA, the observation, EOT.R01
    OBS.R01, OBS.R02            AA                           it is taken
                                AE                           the same again, after a while
    EOT.R01                     AA, END.R01                  AA, and hangs up
    anything                    nothing for the time-out     hangs up, calls again, begins anew

It has a memory of results: what was not answered with AA under its own control id is sent again,
the same bytes, until it is. XML has no checksum: what a fault of the wire alters in a value no
receiver can see; that is what TCP is for, and why a barcode carries a check character.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final

from instruments.misbehaviour import Fault, spoiled
from instruments.mischief import Mischief
from instruments.poct.documents import Cut, Documents
from instruments.poct.message import Message, read
from instruments.simulated import poct1_messages as says

ANSWER_TIMEOUT_S: Final = 15.0
_NOISE = bytes(set(range(256)) - set(b"<"))
_STORM: Final = 5  # answers


class Poct1Fault(StrEnum):
    """What can go wrong. Each happens as often as it was asked for, by default once, with the first
    observation it can or, with a chance below 1, with some later one."""

    BIT_FLIP = "bit-flip"
    BYTE_SWAP = "byte-swap"
    DROPPED_BYTE = "dropped-byte"
    DOUBLED_BYTE = "doubled-byte"
    SPLIT = "split"  # the message comes in pieces
    NOISE = "noise"  # bytes before the message
    MISSING_END = "missing-end"  # the last tag never comes, then silence
    NAK_STORM = "nak-storm"  # hears AE for five answers, whatever they were
    LOST_ACK = "lost-ack"  # hears no answer, sends the message again
    REFUSED_DIRECTIVE = "refused-directive"  # does not stay connected: it wants to be asked
    STUCK_LINE = "stuck-line"  # a byte over and over, then silence
    DROP_AND_REPEAT = "drop-and-repeat"  # hangs up within the message, calls again, sends the whole
    DUPLICATE = "duplicate"  # the whole message twice
    CLOCK_JUMP = "clock-jump"  # its clock is years off; see `playing.CLOCK_JUMP`
    KILLED = "killed"  # kill -9 of the reader within the message


_OF_THE_WIRE: Final = (
    Poct1Fault.BIT_FLIP,
    Poct1Fault.BYTE_SWAP,
    Poct1Fault.DROPPED_BYTE,
    Poct1Fault.DOUBLED_BYTE,
)


@dataclass(frozen=True, slots=True)
class Observed:
    """An observation to send, by the reader of this serial number."""

    name: str
    message: bytes
    serial: str


class _Talk(Enum):
    """What was said last, and not answered yet."""

    AWAY = "away"
    HELLO = "hello"
    STATUS = "status"
    OBSERVATION = "observation"
    REFUSED = "refused"  # waits, and says it again
    TOPIC = "topic"
    IDLE = "idle"  # connected, with nothing to say


class Poct1Machine:
    """Sends one observation after another. What its methods return is for the line, piece by piece.
    After each call: `hung_up` says that it closed the connection, `dead` that it was killed."""

    def __init__(
        self,
        faults: Iterable[Poct1Fault] = (),
        *,
        seed: int = 0,
        chance: float = 1.0,
        reply_timeout_s: float = ANSWER_TIMEOUT_S,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        """`now`: the reader's own clock, of which the headers tell."""
        self._mischief = Mischief(faults, seed=seed, chance=chance)
        self._now = self._mischief.now
        self._reply_timeout_s = reply_timeout_s
        self._clock = now
        self._documents = Documents()
        self._talk = _Talk.AWAY
        self._observed = Observed("", b"", "")
        self._waits_for = ""  # the control id of what was said last
        self._asked = False
        self._own = self._attempts = self._storm = 0
        self._deadline_s = self._again_at_s = float("inf")
        self.dead = False
        self.hung_up = False
        self.acknowledged: int | None = None

    @property
    def done(self) -> bool:
        """AA was heard, after `acknowledged` times."""
        return self.acknowledged is not None

    def send(self, observed: Observed, now_s: float) -> list[bytes]:
        """Raises `NotPoct1` for what is no message."""
        read(observed.message)
        self._observed = observed
        self.acknowledged, self._attempts, self.hung_up = None, 0, False
        return self._tell(now_s) if self._talk is _Talk.IDLE else self._greet(now_s)

    def hear(self, data: bytes, now_s: float) -> list[bytes]:
        self.hung_up = False
        out: list[bytes] = []
        for piece in self._documents.feed(data):
            if piece.cut is Cut.WHOLE and self._talk is not _Talk.AWAY and not self.dead:
                out += self._heard(read(piece.data), now_s)
        return out

    def tick(self, now_s: float) -> list[bytes]:
        self.hung_up = False
        if self.dead:
            return []
        if now_s >= self._again_at_s:
            return self._tell(now_s) if self._talk is _Talk.REFUSED else self._greet(now_s)
        if now_s >= self._deadline_s:
            self._give_up(now_s)
        return []

    def restart(self, now_s: float) -> None:
        """After `dead`: what was in its memory of results is sent again, whole."""
        self.dead = False
        self._talk, self._again_at_s = _Talk.AWAY, now_s

    def _heard(self, message: Message, now_s: float) -> list[bytes]:
        if message.kind == "ACK.R01":
            code, about = (message.root.value(f"ACK.{it}") for it in ("type_cd", "ack_control_id"))
            return self._answered(code, now_s) if about == self._waits_for else []
        match message.kind:
            case "DTV.R01" if self._now(Poct1Fault.REFUSED_DIRECTIVE):
                return [self._answer(message, "AE")]
            case "DTV.R01" | "REQ.R01" if self._talk is _Talk.STATUS:
                self._asked = message.kind == "REQ.R01"
                return [self._answer(message, "AA"), *self._tell(now_s)]
            case "END.R01":
                bye = self._answer(message, "AA")
                self._give_up(now_s)
                return [bye]
            case _:
                return [self._answer(message, "AA")]

    def _answered(self, code: str, now_s: float) -> list[bytes]:
        match self._talk:
            case _Talk.HELLO:
                self._await(_Talk.STATUS, self._next(), now_s)
                return [says.status(1, self._waits_for, self._clock())]
            case _Talk.OBSERVATION if self._now(Poct1Fault.LOST_ACK):
                return []
            case _Talk.OBSERVATION:
                return self._judged(self._stormy(code), now_s)
            case _:
                return []

    def _judged(self, code: str, now_s: float) -> list[bytes]:
        if code != "AA":
            self._rest(_Talk.REFUSED, now_s + self._reply_timeout_s / 2)
            return []
        if self._now(Poct1Fault.DUPLICATE):
            return self._tell(now_s)
        if self._asked:
            self._await(_Talk.TOPIC, self._next(), now_s)
            return [says.end_of_topic(self._waits_for, self._clock())]
        self._rest(_Talk.IDLE)
        self.acknowledged = self._attempts
        return []

    def _stormy(self, code: str) -> str:
        if self._now(Poct1Fault.NAK_STORM):
            self._storm = _STORM
        if not self._storm:
            return code
        self._storm -= 1
        return "AE"

    def _greet(self, now_s: float) -> list[bytes]:
        self._documents, self._asked = Documents(), False
        self._await(_Talk.HELLO, self._next(), now_s)
        return [says.hello(self._observed.serial, self._waits_for, self._clock())]

    def _tell(self, now_s: float) -> list[bytes]:
        self._attempts += 1
        self._await(_Talk.OBSERVATION, read(self._observed.message).control_id, now_s)
        return self._spoiled(self._observed.message, now_s)

    def _give_up(self, now_s: float) -> None:
        """Hang up. What was taken is done with, even where the goodbye never came."""
        self.hung_up = True
        if self._talk is _Talk.TOPIC:
            self.acknowledged = self._attempts
        self._rest(_Talk.AWAY, float("inf") if self.done else now_s + self._reply_timeout_s / 2)

    def _await(self, talk: _Talk, control_id: str, now_s: float) -> None:
        self._talk, self._waits_for = talk, control_id
        self._deadline_s, self._again_at_s = now_s + self._reply_timeout_s, float("inf")

    def _rest(self, talk: _Talk, again_at_s: float = float("inf")) -> None:
        self._talk, self._waits_for = talk, ""
        self._deadline_s, self._again_at_s = float("inf"), again_at_s

    def _answer(self, message: Message, code: str) -> bytes:
        return says.answer(message.control_id, code, self._next(), self._clock())

    def _next(self) -> str:
        self._own += 1
        return str(self._own)

    def _spoiled(self, message: bytes, now_s: float) -> list[bytes]:
        """The message as it comes out of the line's other end."""
        mischief = self._mischief
        for fault in _OF_THE_WIRE:
            if self._now(fault):
                message = spoiled(message, Fault(fault.value), mischief.rng)
        if self._now(Poct1Fault.MISSING_END):
            message = message[: message.rindex(b"</")]
        if self._now(Poct1Fault.NOISE):
            message = mischief.noisy(message, _NOISE)
        if self._now(Poct1Fault.STUCK_LINE):
            return [mischief.stuck(message)]
        if self._now(Poct1Fault.DROP_AND_REPEAT):
            self._give_up(now_s)
            return [mischief.cut_short(message)]
        if self._now(Poct1Fault.KILLED):
            self._rest(_Talk.AWAY)
            self.dead = True
            return [mischief.cut_short(message)]
        if self._now(Poct1Fault.SPLIT):
            return mischief.in_pieces(message)
        return [message]
