"""Sessions of a GeneXpert read a second: verify, join, parse and drive, on one core.

The limit is a loop that only verifies each frame's sum and splits the text in records, fields and
components: what any reader of the protocol has to do. No process, no disk, no network: this is
what a line's processor time goes on once its bytes are in memory.
"""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from instruments.astm.frames import Keep, Kind, Receiver
from instruments.astm.records import read
from instruments.astm.sender import cut
from instruments.astm.session import Assembly
from instruments.drivers import DRIVERS
from instruments.measurement import Measurement
from loadtests.figures.figure import Figure

AIM = 0.4
AIM_A_SECOND = 10_000.0
_WIRE = Path(__file__).parents[2] / "tests" / "data" / "astm_wire"
SESSION = _WIRE / "genexpert_302-7279-6.1.1.1_all_negative.bin"
DIFFERENT = 200  # sessions of as many tubes and times, so that nothing is read from memory
_DRIVER = DRIVERS["genexpert"]


def measure(*, rounds: int) -> Figure:
    """A 4-plex message of 2,200 bytes and 31 results, in the best of `rounds` rounds."""
    sessions = _sessions()
    for each in sessions:
        if len(driven(each)) != 4:
            raise RuntimeError("a session was not read to its four results")
    best = max(_per_second(driven, sessions) for _ in range(rounds))
    limit = max(_per_second(split, sessions) for _ in range(rounds))
    return Figure(
        name="GeneXpert 4-plex sessions, one core",
        measured=best,
        unit="/s",
        limit=limit,
        limit_name="verify and split only",
        ratio=best / limit,
        aim=f"≥ {AIM} (≥ {AIM_A_SECOND:,.0f}/s)",
        met=best / limit >= AIM,
        details={"bytes": float(len(sessions[0])), "results_per_s": 31 * best},
    )


def driven(session: bytes) -> tuple[Measurement, ...]:
    """As the gateway reads it, all but journal and line."""
    receiver, assembly = Receiver(), Assembly()
    measured: tuple[Measurement, ...] = ()
    for action in receiver.feed(session, 0.0):
        if isinstance(action, Keep):
            receiver.kept(True)
            if action.kind is Kind.FRAME:
                for received in assembly.frame(action.data):
                    measured += _DRIVER.measurements(read(received.text))
    return measured


def split(session: bytes) -> list[list[list[str]]]:
    """The least that can be done with a session and still know its fields."""
    texts, at = [], 0
    while (start := session.find(b"\x02", at)) >= 0:
        ends = [end for mark in (b"\x03", b"\x17") if (end := session.find(mark, start)) >= 0]
        stop = min(ends) + 1
        body = session[start + 1 : stop]
        if b"%02X" % (sum(body) & 0xFF) != session[stop : stop + 2]:
            raise RuntimeError("a frame of the data does not agree with its sum")
        texts.append(body[1:-1])
        at = stop + 4
    records = b"".join(texts).decode("utf-8").split("\r")
    return [[field.split("^") for field in record.split("|")] for record in records]


def _sessions() -> Sequence[bytes]:
    text = b"".join(part[1:-1] for part in _bodies(SESSION.read_bytes()))
    rng, sessions = random.Random(4), []
    for number in range(DIFFERENT):
        ended = b"20210713%02d%02d%02d" % (rng.randrange(24), number % 60, rng.randrange(60))
        tube = b"TT7K%06d" % rng.randrange(1_000_000)
        control = b"%.1f" % rng.uniform(26, 32)
        other = text.replace(b"|99999|", b"|%b|" % tube).replace(b"20210713164224", ended)
        sessions.append(b"\x05" + b"".join(cut([other.replace(b"29.3", control)])) + b"\x04")
    return sessions


def _bodies(session: bytes) -> list[bytes]:
    receiver, bodies = Receiver(), []
    for action in receiver.feed(session, 0.0):
        if isinstance(action, Keep):
            receiver.kept(True)
            if action.kind is Kind.FRAME:
                bodies.append(action.data)
    return bodies


def _per_second(work: Callable[[bytes], object], sessions: Sequence[bytes]) -> float:
    began = time.process_time()
    for session in sessions:
        work(session)
    return len(sessions) / (time.process_time() - began)
