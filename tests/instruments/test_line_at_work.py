"""The line that a gateway wires: it hears as a receiver does and speaks when it owes something."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from instruments.astm.line import Fate, Line
from instruments.astm.sender import cut
from instruments.drivers import DRIVERS
from instruments.intake import Intake, intake_of
from instruments.journal import Journal
from instruments.outbox import Outbox
from instruments.reader import Reader
from tests.instruments.test_intake import ACK, ENQ, EOT, FRAMES, NAK, NOW, RAW

ORDER = [b"H|\\^&\r", b"L|1|N\r"]
(ORDER_FRAME,) = cut([b"".join(ORDER)])


class Wired:
    """An intake on a line of ours; what it says goes where a link would carry it."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder / "journal", now=NOW)
        self.outbox = Outbox(folder / "outbox")
        self.line, self.now_s = Line(), 0.0
        reader = Reader(DRIVERS["plate96"], "cycler-1")
        self.intake = Intake(self.journal, self.outbox, reader, self.line, lambda: NOW)

    def hears(self, data: bytes) -> bytes:
        said: list[bytes] = []
        if data:
            self.intake.hear(data, self.now_s, said.append)
        self.intake.tick(self.now_s, said.append)
        return b"".join(said)

    def kept(self) -> list[bytes]:
        return [entry.data for entry in self.journal.entries() if entry.kind == b"F"]


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Wired]:
    wired = Wired(tmp_path)
    yield wired
    wired.journal.close()


def test_an_astm_line_of_the_gateway_is_the_half_duplex_one(wired: Wired) -> None:
    reader = Reader(DRIVERS["genexpert"], "GX-1")
    intake = intake_of(reader, wired.journal, wired.outbox, lambda: NOW, idle_timeout_s=7.0)
    assert isinstance(intake._receiver, Line)
    said: list[bytes] = []
    intake.hear(ENQ, 0.0, said.append)
    intake.tick(6.9, said.append)
    assert intake._receiver.in_session
    intake.tick(7.0, said.append)
    assert (intake._receiver.in_session, said) == (False, [ACK])


def test_what_is_owed_goes_by_the_tick_after_their_session_and_their_frames_are_kept(
    wired: Wired,
) -> None:
    errand = wired.line.owe(ORDER)
    assert wired.hears(b"") == ENQ
    assert wired.hears(ENQ) == b"", "both asked: theirs goes first"
    assert wired.hears(ENQ + b"".join(FRAMES)) == ACK * (1 + len(FRAMES))
    assert wired.hears(EOT) == ENQ
    assert wired.hears(ACK) == ORDER_FRAME
    assert wired.hears(ACK) == EOT
    assert errand.fate is Fate.SENT
    assert b"".join(frame[1:-1] for frame in wired.kept()) == RAW, "and nothing of ours is"
    assert wired.outbox.waiting == 1


def test_a_disk_that_refuses_answers_nak_while_something_is_owed(
    wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired.hears(ENQ)
    wired.line.owe(ORDER)

    def full(*_data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("instruments.journal._write_all", full)
    assert wired.hears(FRAMES[0]) == NAK
    monkeypatch.undo()
    assert wired.hears(FRAMES[0]) == ACK
    assert wired.kept() == [FRAMES[0][1:-4]]
