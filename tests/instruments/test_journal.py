import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.journal import CHECKPOINT, Journal, JournalInUse

NOW = datetime(2021, 7, 13, 9, 0, 0, 123456, tzinfo=UTC)


def told(journal: Journal) -> list[tuple[bytes, bytes]]:
    return [(entry.kind, entry.data) for entry in journal.entries()]


def newest(folder: Path) -> Path:
    return max(folder.glob("journal-*.log"))


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A real refusal by the kernel to write on, as of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_was_appended_is_told_again_after_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=NOW)
    start = journal.append(b"S", b"", session=0, now=NOW)
    journal.append(b"F", b"1H|\x03", session=start.sequence, now=NOW)
    journal.close()
    again = Journal(tmp_path, now=NOW)
    assert told(again) == [(CHECKPOINT, b""), (b"S", b""), (b"F", b"1H|\x03")]
    last = list(again.entries())[-1]
    assert (last.sequence, last.session, last.written_at) == (3, start.sequence, NOW)
    assert again.append(b"F", b"x", session=0, now=NOW).sequence == 4
    again.close()


@settings(max_examples=60, deadline=None)
@given(lost=st.integers(1, 66))  # of fewer bytes left nothing is seen: they are zeros, as room is
def test_a_torn_tail_is_cut_at_the_last_whole_entry_and_kept_aside(lost: int) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        journal = Journal(folder, now=NOW)
        journal.append(b"F", b"whole", session=0, now=NOW)
        journal.append(b"F", b"t" * 37, session=0, now=NOW)
        journal.close()
        content = newest(folder).read_bytes()
        newest(folder).write_bytes(content[:-lost])

        again = Journal(folder, now=NOW)
        assert told(again) == [(CHECKPOINT, b""), (b"F", b"whole")]
        assert again.torn_bytes == 70 - lost
        assert [len(torn.read_bytes()) for torn in folder.glob("*.torn-*")] == [70 - lost]
        assert {torn.stat().st_mode & 0o777 for torn in folder.glob("*.torn-*")} == {0o600}
        again.append(b"F", b"after", session=0, now=NOW)
        assert told(again)[-1] == (b"F", b"after")
        again.close()


def test_room_that_a_crash_left_is_nothing_torn_and_is_written_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=NOW)
    journal.append(b"F", b"whole", session=0, now=NOW)
    with_room = newest(tmp_path).read_bytes()
    journal.close()
    assert len(newest(tmp_path).read_bytes()) < len(with_room), "given back at the end"
    newest(tmp_path).write_bytes(with_room)
    again = Journal(tmp_path, now=NOW)
    assert told(again)[-1] == (b"F", b"whole")
    assert again.torn_bytes == 0
    assert not list(tmp_path.glob("*.torn-*"))
    again.append(b"F", b"after", session=0, now=NOW)
    assert newest(tmp_path).stat().st_size == len(with_room)
    assert told(again)[-1] == (b"F", b"after")
    again.close()


def test_an_entry_torn_in_its_room_is_cut_and_kept_aside(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=NOW)
    journal.append(b"F", b"whole", session=0, now=NOW)
    end = newest(tmp_path).read_bytes().index(b"whole") + 5
    journal.append(b"F", b"torn" * 9, session=0, now=NOW)
    with newest(tmp_path).open("r+b") as file:  # as when the process was killed: with its room
        file.seek(end + 40)
        file.write(bytes(100))
    journal.close()
    again = Journal(tmp_path, now=NOW)
    assert told(again)[1:] == [(b"F", b"whole")]
    assert again.torn_bytes
    again.close()


def test_what_was_not_synced_is_there_after_what_was(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=NOW)
    journal.append(b"C", b"receipt", session=0, now=NOW, sync=False)
    journal.append(b"F", b"frame", session=0, now=NOW)
    assert told(journal)[1:] == [(b"C", b"receipt"), (b"F", b"frame")]
    journal.close()


def test_a_full_disk_raises_and_leaves_nothing_of_the_entry(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=NOW)
    journal.append(b"F", b"kept", session=0, now=NOW)
    size = newest(tmp_path).stat().st_size
    with files_no_larger_than(size), pytest.raises(OSError, match="File too large"):
        journal.append(b"F", b"r" * size, session=0, now=NOW)
    assert newest(tmp_path).stat().st_size < size
    journal.append(b"F", b"room again", session=0, now=NOW)
    assert told(journal)[1:] == [(b"F", b"kept"), (b"F", b"room again")]
    journal.close()


def test_a_large_segment_is_followed_by_one_that_opens_with_the_checkpoint(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=NOW, segment_bytes=100)
    assert not journal.rotate_if_large(b"held", NOW)
    journal.append(b"F", b"x" * 100, session=0, now=NOW)
    assert journal.rotate_if_large(b"held", NOW)
    assert told(journal) == [(CHECKPOINT, b"held")]
    after = journal.append(b"F", b"y", session=0, now=NOW)
    assert after.sequence == 4, "numbers run on over segments"
    journal.close()
    again = Journal(tmp_path, now=NOW)
    assert told(again) == [(CHECKPOINT, b"held"), (b"F", b"y")]
    again.close()


def test_old_segments_are_removed_only_beyond_those_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=NOW, segment_bytes=1)
    for _ in range(20):
        journal.rotate_if_large(b"", NOW)
    assert len(list(tmp_path.glob("journal-*.log"))) == 16
    journal.close()


def test_a_second_gateway_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=NOW)
    with pytest.raises(JournalInUse):
        Journal(tmp_path, now=NOW)
    journal.close()
    Journal(tmp_path, now=NOW).close()


def folder_sync_refused(_folder: Path) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_a_segment_that_the_disk_refused_is_not_taken_for_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, now=NOW, segment_bytes=1)
    with monkeypatch.context() as broken:
        broken.setattr("instruments.journal.sync_folder", folder_sync_refused)
        with pytest.raises(OSError, match="Input/output"):
            journal.rotate_if_large(b"", NOW)
    journal.append(b"F", b"acknowledged", session=0, now=NOW)
    journal.close()
    again = Journal(tmp_path, now=NOW)
    assert told(again)[-1] == (b"F", b"acknowledged")
    again.close()


def test_a_refused_segment_that_a_power_cut_brings_back_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, now=NOW, segment_bytes=1)
    with monkeypatch.context() as broken:
        broken.setattr("instruments.journal.sync_folder", folder_sync_refused)
        broken.setattr("instruments.journal._take_away", lambda *_paths: None)
        with pytest.raises(OSError, match="Input/output"):
            journal.rotate_if_large(b"", NOW)
    journal.append(b"F", b"acknowledged", session=0, now=NOW)
    journal.close()
    again = Journal(tmp_path, now=NOW)
    assert told(again)[-1] == (b"F", b"acknowledged")
    assert again.append(b"F", b"next", session=0, now=NOW).sequence == 3
    again.close()


def test_a_large_checkpoint_is_not_itself_a_reason_to_rotate(tmp_path: Path) -> None:
    journal = Journal(tmp_path, now=NOW, segment_bytes=100)
    journal.append(b"F", b"x" * 900, session=0, now=NOW)
    held = b"h" * 300
    assert [journal.rotate_if_large(held, NOW) for _ in range(3)] == [True, False, False]
    journal.close()
