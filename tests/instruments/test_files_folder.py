"""Whatever happens to a folder or a disk, each file is captured, and once."""

from pathlib import Path
from typing import Any

import pytest

from instruments.files import kept as kept_module
from instruments.files.export import Export
from instruments.files.kept import Kept, Taken
from instruments.journal import JournalInUse
from instruments.measurement import digest_of
from instruments.outbox import write_whole
from tests.instruments.folder_stand import NOW, WHOLE, Stand, plate


@pytest.fixture
def stand(tmp_path: Path) -> "Stand":
    return Stand(tmp_path)


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

    def refuses(path: Path, *args: Any, **named: Any) -> object:
        if locked and path.name == "PL7.txt":
            raise PermissionError(13, "Permission denied")
        return plainly_open(path, *args, **named)

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


def test_a_copy_that_cannot_be_read_back_holds_up_none_behind_it(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Kept.taken
    bad = digest_of(plate(7))

    def taken(kept: Kept, digest: str) -> Taken:
        if digest == bad:
            raise OSError(5, "Input/output error")
        return read(kept, digest)

    monkeypatch.setattr(Kept, "taken", taken)
    stand.start()
    stand.write("PL7.txt", plate(7))
    stand.polls(4)
    stand.write("PL8.txt", plate(8))
    stand.polls(4)
    assert {m.run for c in stand.captures() for m in c.measurements} == {"PL8"}
    monkeypatch.undo()
    stand.polls(1)
    assert {m.run for c in stand.captures() for m in c.measurements} == {"PL7", "PL8"}


def test_a_copy_that_is_gone_holds_up_none_behind_it(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.start()
    assert stand.kept
    stand.kept.keep(Export(plate(7), "PL7.txt"), NOW)
    stand.end()
    monkeypatch.setattr(Kept, "owed", lambda _kept: iter([digest_of(b"gone"), digest_of(plate(7))]))
    stand.start()
    assert {m.run for c in stand.captures() for m in c.measurements} == {"PL7"}
