"""Whatever happens to a folder, a disk or the process, each file is captured, and once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from instruments import outbox as outbox_module
from instruments.drivers.exports import FILE_DRIVERS
from instruments.files import kept as kept_module
from instruments.files.export import Export
from instruments.files.folder import FolderIntake
from instruments.files.kept import Kept
from instruments.files.watch import Watch
from instruments.journal import JournalInUse
from instruments.measurement import Capture, digest_of
from instruments.outbox import Outbox, write_whole
from tests.instruments.bench_stand import ENV, ROOT, until

EXPORTS = Path(__file__).parent.parent / "data" / "exports"
NOW = datetime(2021, 8, 20, 9, 0, tzinfo=UTC)
WHOLE = (EXPORTS / "allotropy_qs_minimal_test01.txt").read_bytes()


class Stand:
    """A folder, a spool and a LIMS that takes what is in the outbox."""

    def __init__(self, root: Path) -> None:
        self.folder, self.spool = root / "exports", root / "spool"
        self.folder.mkdir(exist_ok=True)
        self.now_s = 0.0
        self.posted: dict[str, bytes] = {}
        self.kept: Kept | None = None

    def start(self) -> None:
        self.kept = Kept(self.spool / "files")
        self.outbox = Outbox(self.spool / "outbox")
        self.intake = FolderIntake(
            self.folder,
            self.kept,
            self.outbox,
            FILE_DRIVERS["quantstudio"],
            "qs-1",
            now=lambda: NOW + timedelta(seconds=self.now_s),
            watch=Watch(settle_s=2.0),
        )
        self.intake.take_up()

    def end(self) -> None:
        if self.kept:
            self.kept.close()
            self.kept = None

    def polls(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now_s += 1.0
            self.intake.poll(self.now_s)

    def post(self) -> None:
        while letter := self.outbox.first(0.0):
            body = letter.body()
            digest = json.loads(body)["digest"]
            assert self.posted.setdefault(digest, body) == body, "two stories of one file"
            self.outbox.delivered(letter)

    def captures(self) -> list[Capture]:
        self.post()
        return [Capture.from_json(json.loads(body)) for body in self.posted.values()]

    def write(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)


@pytest.fixture
def stand(tmp_path: Path) -> "Stand":
    return Stand(tmp_path)


def plate(number: int) -> bytes:
    return WHOLE.replace(b"Experiment Barcode = NA", b"Experiment Barcode = PL%d" % number)


def test_a_file_that_lies_still_is_captured_with_its_bytes(stand: Stand) -> None:
    stand.start()
    stand.write("PL7.txt", plate(7))
    stand.polls(4)
    (capture,) = stand.captures()
    assert capture.raw == plate(7) and capture.digest == digest_of(plate(7))
    assert capture.complete and capture.quarantine is None
    assert [m.run for m in capture.measurements] == ["PL7"]
    assert (stand.folder / "PL7.txt").read_bytes() == plate(7)
    stand.polls(20)
    assert len(stand.captures()) == 1


def test_a_half_written_file_waits_until_it_is_whole(stand: Stand) -> None:
    stand.start()
    for end in range(0, len(WHOLE), 200):
        stand.write("PL7.txt", WHOLE[:end])
        stand.polls(1)
    assert stand.captures() == []
    stand.write("PL7.txt", WHOLE)
    stand.polls(4)
    assert [capture.raw for capture in stand.captures()] == [WHOLE]


def test_a_changed_file_under_the_same_name_is_another_message(stand: Stand) -> None:
    stand.start()
    for content in (plate(7), plate(8), plate(7)):
        stand.write("export.txt", content)
        stand.polls(4)
    assert [capture.raw for capture in stand.captures()] == [plate(7), plate(8)]


def test_the_same_bytes_under_another_name_are_no_second_message(stand: Stand) -> None:
    stand.start()
    stand.write("PL7.txt", WHOLE)
    stand.polls(4)
    stand.write("Copy of PL7.txt", WHOLE)
    stand.polls(4)
    stand.end()
    stand.start()
    stand.polls(9)
    assert [m.run for capture in stand.captures() for m in capture.measurements] == ["PL7"]


def test_what_a_driver_cannot_read_is_quarantined_with_its_bytes_and_the_reason(
    stand: Stand,
) -> None:
    stand.start()
    cut = WHOLE[: WHOLE.index(b"[Results]")]
    stand.write("PL7.txt", cut)
    stand.write("PL8.txt", WHOLE)
    stand.polls(4)
    refused, read = sorted(stand.captures(), key=lambda capture: capture.quarantine is None)
    assert refused.raw == cut and refused.measurements == ()
    assert refused.quarantine and refused.quarantine.reason == "no-results-block"
    assert read.quarantine is None


def test_a_locked_file_waits_and_is_taken_when_it_is_free(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a Windows share: the name is listed, opening it is refused."""
    plainly_open, locked = Path.open, True

    def refuses(path: Path, *args: object, **named: object) -> object:
        if locked and path.name == "PL7.txt":
            raise PermissionError(13, "Permission denied")
        return plainly_open(path, *args, **named)  # type: ignore[call-overload]

    stand.start()
    stand.write("PL7.txt", WHOLE)
    monkeypatch.setattr(Path, "open", refuses)
    stand.polls(9)
    assert stand.captures() == []
    assert stand.intake.watch.waiting() == {"PL7.txt": "Permission denied"}
    locked = False
    stand.polls(9)
    assert len(stand.captures()) == 1
    assert stand.intake.watch.waiting() == {}


def test_a_share_that_is_away_is_awaited(stand: Stand) -> None:
    stand.start()
    stand.write("PL7.txt", plate(7))
    stand.polls(4)
    away = stand.folder.rename(stand.folder.with_name("away"))
    stand.polls(9)
    assert {stand.intake.watch.missing} == {"No such file or directory"}
    (away / "PL8.txt").write_bytes(plate(8))
    away.rename(stand.folder)
    stand.polls(9)
    assert stand.intake.watch.missing is None
    assert {m.run for c in stand.captures() for m in c.measurements} == {"PL7", "PL8"}
    assert len(stand.posted) == 2


def test_what_is_no_export_is_passed_over(stand: Stand) -> None:
    stand.start()
    for name in ("~$PL7.xlsx", ".PL7.txt", "PL7.eds", "PL7.txt.part", "notes.pdf"):
        stand.write(name, WHOLE)
    (stand.folder / "old.txt").mkdir()
    (stand.folder / "link.txt").symlink_to(stand.folder / "PL7.eds")
    stand.polls(9)
    assert stand.captures() == [] and stand.intake.watch.waiting() == {}


def test_a_file_that_is_too_large_waits_and_says_why(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instruments.files.folder.MOST_BYTES", 100)
    stand.start()
    stand.write("PL7.txt", WHOLE)
    stand.polls(4)
    assert stand.captures() == []
    assert "too large" in stand.intake.watch.waiting()["PL7.txt"]


def test_a_full_disk_takes_nothing_and_loses_nothing(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True

    def refuses(path: Path, content: bytes) -> None:
        if full:
            raise OSError(28, "No space left on device")
        write_whole(path, content)

    monkeypatch.setattr(kept_module, "write_whole", refuses)
    stand.start()
    stand.write("PL7.txt", WHOLE)
    stand.polls(4)
    assert stand.intake.watch.waiting() == {"PL7.txt": "No space left on device"}
    full = False
    stand.polls(9)
    assert len(stand.captures()) == 1


def test_copies_of_old_files_are_thrown_away_and_not_taken_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kept.__init__, "__kwdefaults__", {"most_bytes": 2 * len(WHOLE)})
    stand.start()
    for number in range(1, 7):
        stand.write(f"PL{number}.txt", plate(number))
        stand.polls(4)
    assert len(list((stand.spool / "files").glob("*.bytes"))) <= 2
    stand.end()
    stand.start()
    stand.polls(9)
    assert len(stand.captures()) == 6


def test_a_copy_that_the_disk_changed_is_put_aside(stand: Stand) -> None:
    stand.start()
    assert stand.kept
    export_digest = digest_of(WHOLE)
    stand.kept.keep(Export(WHOLE, "PL7.txt"), NOW)
    (stand.spool / "files" / f"{export_digest}.bytes").write_bytes(b"rot")
    stand.end()
    stand.start()
    assert stand.captures() == []
    assert (stand.spool / "files" / f"{export_digest}.damaged").read_bytes() == b"rot"


def test_two_gateways_do_not_share_a_spool(stand: Stand) -> None:
    stand.start()
    with pytest.raises(JournalInUse):
        Kept(stand.spool / "files")


class Killed(BaseException):
    """The process ends here."""


class Fate:
    """Kills at the n-th step of writing: before a file is begun, with half of it written, after."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        for module in (kept_module, outbox_module):
            monkeypatch.setattr(module, "write_whole", self.write)
        monkeypatch.setattr(os, "fsync", lambda _fd: None)  # a kill is no power cut

    def write(self, path: Path, content: bytes) -> None:
        self.step()
        if self.left == 0:
            path.with_suffix(".new").write_bytes(content[: len(content) // 2])
        self.step()
        write_whole(path, content)
        self.step()

    def step(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Killed
            self.left -= 1


def lives(stand: Stand, fate: Fate, steps: int | None, work: Callable[[], None]) -> bool:
    """One life of the process; False when it was killed."""
    fate.left = steps
    try:
        stand.start()
        work()
    except Killed:
        return False
    finally:
        fate.left = None
        stand.end()
    return True


def test_killed_at_every_single_step_nothing_is_lost_or_told_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fate = Fate(monkeypatch)
    for steps in range(200):
        root = tmp_path / str(steps)
        root.mkdir()
        stand = Stand(root)
        stand.write("PL7.txt", plate(7))
        stand.write("PL8.txt", plate(8))

        def work(stand: Stand = stand) -> None:
            stand.polls(4)
            stand.post()

        survived = lives(stand, fate, steps, work)
        assert lives(stand, fate, None, work)
        assert {Capture.from_json(json.loads(b)).raw for b in stand.posted.values()} == {
            plate(7),
            plate(8),
        }
        if survived:
            assert steps > 20
            return
    raise AssertionError("it was always killed")


@pytest.mark.parametrize("seed", range(40))
def test_killed_again_and_again_while_files_come_and_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random, fate, stand = Random(seed), Fate(monkeypatch), Stand(tmp_path)
    settled: set[bytes] = set()

    def work() -> None:
        for _ in range(random.randrange(1, 9)):
            stand.polls(1)
            if random.random() < 0.5:
                stand.post()

    for life in range(12):
        content = plate(100 * seed + life)
        stand.write(f"PL{life}.txt", content)
        settled.add(content)
        lives(stand, fate, random.randrange(25), work)

    def finish() -> None:
        stand.polls(6)
        stand.post()

    assert lives(stand, fate, None, finish)
    assert {Capture.from_json(json.loads(b)).raw for b in stand.posted.values()} == settled


WATCHES = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from instruments.drivers.exports import FILE_DRIVERS
from instruments.files.folder import FolderIntake
from instruments.files.kept import Kept
from instruments.files.watch import Watch
from instruments.outbox import Outbox
folder, spool = map(Path, sys.argv[1:])
intake = FolderIntake(folder, Kept(spool / "files"), Outbox(spool / "outbox"),
    FILE_DRIVERS["quantstudio"], "qs-1", now=lambda: datetime.now(UTC), watch=Watch(settle_s=0.02))
intake.take_up()
print("up", file=sys.stderr, flush=True)
while True:
    intake.poll(time.monotonic())
    time.sleep(0.005)
"""


@contextmanager
def watching(stand: Stand) -> Iterator[None]:
    """The real process, killed with SIGKILL at the end."""
    command = [sys.executable, "-c", WATCHES, str(stand.folder), str(stand.spool)]
    with subprocess.Popen(
        command, env=ENV, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stderr and process.stderr.readline() == b"up\n"
            yield
        finally:
            process.kill()


@pytest.mark.crash
def test_kill_9_of_the_real_process_loses_nothing(stand: Stand) -> None:
    random = Random(9)
    written: set[str] = set()
    for life in range(8):
        with watching(stand):
            for number in range(10 * life, 10 * life + 6):
                stand.write(f"PL{number}.txt", plate(number))
                written.add(digest_of(plate(number)))
                time.sleep(random.random() * 0.03)
    done = stand.spool / "files"
    with watching(stand):
        until(lambda: len(list(done.glob("*.done"))) == len(written), "the last capture")
    letters = [json.loads(p.read_bytes()) for p in (stand.spool / "outbox").glob("*.json")]
    assert {letter["digest"] for letter in letters} == written
    assert len(letters) == len(written)
