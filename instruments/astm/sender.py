"""The sending end of CLSI LIS1-A (ASTM E1381): bytes and a clock in, actions out.

The simulated analysers use it, which is what a real one does to the gateway; the gateway uses it
to download orders (`instruments.astm.line`).

    state     event                        action                              LIS1-A
    --------  ---------------------------  ----------------------------------  ----------------
    asking    ACK                          send the first frame                6.2.4
    asking    NAK                          pause 10 s, ask again               6.2.5
    asking    ENQ (contention)             pause `yield_s`, ask again          6.2.7, 6.5.2.2
    asking    anything else                nothing: it is waited out           6.2.6
    asking    15 s without a reply         EOT, give up                        6.5.2.1
    sending   ACK                          next frame; after the last, EOT     6.3.4.1, 6.4.1
    sending   EOT (interrupt), not heeded  the same                            6.3.4.3, 6.3.5.2
    sending   EOT (interrupt), heeded      EOT, give up for 15 s               6.3.5.3
    sending   anything else                the same frame; the sixth time:     6.3.4.2, 6.5.1.2
                                           EOT, give up
    sending   15 s without a reply         EOT, give up                        6.5.2.3
    pausing   any byte                     nothing                             6.2.5, 6.2.7
    pausing   its time                     ENQ: asking                         6.2.5, 6.2.7
    over      anything                     nothing                             6.4.2

An instrument has priority in contention and asks again after 1 s; a host yields for 20 s. A
message that was given up is still owed, whole (6.5.1.2, 6.5.2.3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from instruments.astm.frames import Control, framed

REPLY_TIMEOUT_S = 15.0  # LIS1-A 6.5.2.1, 6.5.2.3
BUSY_WAIT_S = 10.0  # after NAK to ENQ, LIS1-A 6.2.5
INSTRUMENT_YIELD_S = 1.0  # LIS1-A 6.2.7.1
HOST_YIELD_S = 20.0  # LIS1-A 6.5.2.2
INTERRUPTED_S = 15.0  # how long an interrupted sender keeps off the line, LIS1-A 6.3.5.3
REFUSALS = 6  # LIS1-A 6.5.1.2
FRAME_TEXT = 240  # ASTM E1381-95 6.3.1.1: what every receiver takes


@dataclass(frozen=True, slots=True)
class Send:
    """Put these bytes on the line."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """Every frame was acknowledged and EOT sent."""

    frames: int


class Failure(StrEnum):
    NO_REPLY = "no-reply"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"  # the receiver asked for its turn
    BROKEN_OFF = "broken-off"  # our own doing: switched off, unplugged


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The session was broken off with `acknowledged` frames accepted; the message is still owed."""

    why: Failure
    acknowledged: int


Action = Send | Finished | GaveUp


class State(Enum):
    ASKING = "asking"
    SENDING = "sending"
    PAUSING = "pausing"
    OVER = "over"


def cut(texts: Iterable[bytes], longest: int = FRAME_TEXT) -> list[bytes]:
    """Frames of one session. A text longer than a frame goes in several, all but its last closed
    with ETB; where it is cut means nothing (LIS1-A 6.3.1.1)."""
    pieces: list[tuple[bytes, bool]] = []
    for text in texts:
        starts = range(0, max(len(text), 1), longest)
        pieces += [(text[at : at + longest], at + longest >= len(text)) for at in starts]
    return [framed(number, text, last=last) for number, (text, last) in enumerate(pieces, 1)]


class Sender:
    """One session. `begin`, then `hear` what comes back and `tick` until Finished or GaveUp."""

    def __init__(
        self,
        frames: Sequence[bytes],
        *,
        reply_timeout_s: float = REPLY_TIMEOUT_S,
        busy_wait_s: float = BUSY_WAIT_S,
        yield_s: float = INSTRUMENT_YIELD_S,
        heeds_interrupt: bool = False,
    ) -> None:
        self._frames = frames
        self._reply_timeout_s = reply_timeout_s
        self._busy_wait_s = busy_wait_s
        self._yield_s = yield_s
        self._heeds_interrupt = heeds_interrupt
        self._state = State.OVER
        self._at = 0
        self._refusals = 0
        self._deadline_s = float("inf")

    @property
    def over(self) -> bool:
        return self._state is State.OVER

    @property
    def state(self) -> State:
        return self._state

    @property
    def pauses_until_s(self) -> float | None:
        """When it asks again; None when it is not pausing."""
        return self._deadline_s if self._state is State.PAUSING else None

    @property
    def acknowledged(self) -> int:
        return self._at

    def break_off(self) -> GaveUp:
        """Fall silent without EOT, as when the power goes."""
        self._close()
        return GaveUp(Failure.BROKEN_OFF, self._at)

    def begin(self, now_s: float) -> list[Action]:
        return [self._ask(now_s)]

    def hear(self, data: bytes, now_s: float) -> list[Action]:
        """A reply is one byte; what follows it in the same read is judged after it."""
        actions: list[Action] = []
        for byte in data:
            match self._state:
                case State.ASKING:
                    actions += self._hear_answer(byte, now_s)
                case State.SENDING:
                    actions += self._hear_verdict(byte, now_s)
                case State.PAUSING | State.OVER:
                    pass
        return actions

    def tick(self, now_s: float) -> list[Action]:
        if now_s < self._deadline_s:
            return []
        if self._state is State.PAUSING:
            return [self._ask(now_s)]
        return self._give_up(Failure.NO_REPLY)

    def _hear_answer(self, byte: int, now_s: float) -> list[Action]:
        match byte:
            case Control.ACK if not self._frames:
                return self._finish()
            case Control.ACK:
                return [self._send(now_s)]
            case Control.NAK:
                self._pause(now_s, self._busy_wait_s)
            case Control.ENQ:
                self._pause(now_s, self._yield_s)
            case _:
                pass  # LIS1-A 6.2.6: what is no answer is waited out
        return []

    def _hear_verdict(self, byte: int, now_s: float) -> list[Action]:
        if byte in (Control.ACK, Control.EOT):
            self._at += 1
            self._refusals = 0
            if byte == Control.EOT and self._heeds_interrupt and self._at < len(self._frames):
                return self._give_up(Failure.INTERRUPTED)
            return [self._send(now_s)] if self._at < len(self._frames) else self._finish()
        self._refusals += 1
        return self._give_up(Failure.REFUSED) if self._refusals >= REFUSALS else [self._send(now_s)]

    def _ask(self, now_s: float) -> Send:
        self._state = State.ASKING
        self._deadline_s = now_s + self._reply_timeout_s
        return Send(bytes([Control.ENQ]))

    def _send(self, now_s: float) -> Send:
        self._state = State.SENDING
        self._deadline_s = now_s + self._reply_timeout_s
        return Send(self._frames[self._at])

    def _pause(self, now_s: float, pause_s: float) -> None:
        self._state = State.PAUSING
        self._deadline_s = now_s + pause_s

    def _finish(self) -> list[Action]:
        self._close()
        return [Send(bytes([Control.EOT])), Finished(len(self._frames))]

    def _give_up(self, why: Failure) -> list[Action]:
        self._close()
        return [Send(bytes([Control.EOT])), GaveUp(why, self._at)]

    def _close(self) -> None:
        self._state = State.OVER
        self._deadline_s = float("inf")
