"""Killed at any moment, the gateway captures each file of its folder, and once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from instruments import outbox as outbox_module
from instruments.files import kept as kept_module
from instruments.measurement import Capture, digest_of
from instruments.outbox import write_whole
from tests.instruments.bench_stand import ENV, ROOT
from tests.instruments.folder_stand import Stand, plate
from tests.until import until


@pytest.fixture
def stand(tmp_path: Path) -> "Stand":
    return Stand(tmp_path)


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
            assert steps > 15
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
