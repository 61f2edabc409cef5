"""A watched folder, the gateway's spool and a LIMS that takes what is in the outbox."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from instruments.drivers.exports import FILE_DRIVERS
from instruments.files.folder import FolderIntake
from instruments.files.kept import Kept
from instruments.files.watch import Watch
from instruments.measurement import Capture
from instruments.outbox import Outbox
from tests.instruments.export_stand import EXPORTS

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


def plate(number: int) -> bytes:
    return WHOLE.replace(b"Experiment Barcode = NA", b"Experiment Barcode = PL%d" % number)
