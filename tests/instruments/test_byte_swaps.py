"""Two neighbouring bytes of the line changed places, which no sum can see: every place in turn.

What a swap makes of a value cannot be known; but with our own barcodes no result of it is ever one
of another tube, nor of another well's.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime

import pytest

from instruments.astm.frames import Keep, Kind, Receiver
from instruments.astm.session import Assembly
from instruments.drivers import DRIVERS
from instruments.drivers.own_ids import OwnIds
from instruments.measurement import Capture
from instruments.misbehaviour import Fault
from instruments.reader import Reader
from tests.instruments.test_crash_and_fault import DRIVER_NAMES, NOW, reckoned, story_of

_BEFORE_THE_SUM, _AFTER_THE_NUMBER = 5, 2  # ETX, two digits, CR, LF; STX, FN


def swapped(frames: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Each pair of neighbours that differ, in each frame."""
    for number, frame in enumerate(frames):
        for at in range(_AFTER_THE_NUMBER, len(frame) - _BEFORE_THE_SUM - 1):
            first, second = frame[at : at + 1], frame[at + 1 : at + 2]
            if first != second:
                other = frame[:at] + second + first + frame[at + 2 :]
                yield [*frames[:number], other, *frames[number + 1 :]]


def captured(driver: str, frames: Sequence[bytes], at: datetime) -> list[Capture]:
    """As the gateway reads a session, all but line and disk."""
    receiver, assembly = Receiver(), Assembly()
    reader = Reader(OwnIds(DRIVERS[driver], ["TT"]), "analyser-1")
    captures = []
    for action in receiver.feed(b"\x05" + b"".join(frames) + b"\x04", 0.0):
        if isinstance(action, Keep):
            receiver.kept(True)
            told = assembly.frame(action.data) if action.kind is Kind.FRAME else ()
            told = assembly.end() if action.kind is Kind.END else told
            captures += [capture for text in told if (capture := reader.capture(text, at))]
    return captures


@pytest.mark.parametrize("driver", DRIVER_NAMES)
def test_no_swap_of_neighbours_puts_a_result_on_another_tube(driver: str) -> None:
    story = story_of(driver, random.Random(5))
    places = wrong = 0
    for order in story.orders:
        for frames in swapped(order.frames(order.records)):
            lims = {c.digest: c for c in captured(driver, frames, NOW)}
            places += 1
            wrong += reckoned(story, lims, Fault.BYTE_SWAP).on_another_specimen
    assert places > 500
    assert wrong == 0
