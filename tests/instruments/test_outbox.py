import json
from pathlib import Path

import pytest

from instruments.measurement import Capture, digest_of
from instruments.outbox import Outbox, Refused, dead_in, retry, waiting_in
from instruments.troubles import Trouble
from tests.instruments.test_journal import files_no_larger_than

WHY = Refused(
    Trouble.CONTENT_CONFLICT,
    409,
    '{"type": "/problems/digest-conflict"}',
    "2021-07-13T09:00:00+00:00",
)


def capture(raw: bytes) -> Capture:
    return Capture(
        digest=digest_of(raw),
        instrument="cycler-1",
        driver="plate96",
        driver_version="1",
        captured_at="2021-07-13T09:00:00+00:00",
        complete=True,
        raw=raw,
    )


def raws(outbox: Outbox) -> list[bytes]:
    """Everything waiting, delivered in order."""
    told = []
    while letter := outbox.first(0):
        told.append(Capture.from_json(json.loads(letter.body())).raw)
        outbox.delivered(letter)
    return told


def test_captures_are_owed_in_order_over_a_restart(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for raw in (b"one", b"two", b"three"):
        assert outbox.put(capture(raw))
    assert raws(Outbox(tmp_path)) == [b"one", b"two", b"three"]
    assert raws(Outbox(tmp_path)) == []


def test_the_same_message_is_owed_once(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    assert outbox.put(capture(b"one"))
    assert not outbox.put(capture(b"one"))
    assert not Outbox(tmp_path).put(capture(b"one"))
    assert waiting_in(tmp_path) == 1


def test_a_refused_capture_is_kept_aside_with_its_reason_and_can_be_put_back(
    tmp_path: Path,
) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(capture(b"one"))
    outbox.put(capture(b"two"))
    letter = outbox.first(0)
    assert letter
    outbox.bury(letter, WHY)
    assert dead_in(tmp_path) == [(letter.path.stem, WHY)]
    assert retry(tmp_path) == [letter.path.stem]
    assert dead_in(tmp_path) == []
    assert raws(Outbox(tmp_path)) == [b"one", b"two"], "in its old place"


def test_a_capture_that_cannot_be_kept_raises_and_leaves_no_half(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    with files_no_larger_than(200), pytest.raises(OSError, match="File too large"):
        outbox.put(capture(b"x" * 500))
    assert {path.name for path in tmp_path.iterdir()} == {"dead", "delivered"}
    assert outbox.put(capture(b"x" * 500))


def test_a_half_written_draft_of_a_crash_is_not_owed(tmp_path: Path) -> None:
    (tmp_path / "000000000001-00112233.new").write_bytes(b'{"digest"')
    assert Outbox(tmp_path).first(0) is None
    assert not list(tmp_path.glob("*.new"))


def test_what_was_delivered_is_put_away_at_once_and_removed_when_nothing_waits(
    tmp_path: Path,
) -> None:
    outbox = Outbox(tmp_path)
    for raw in (b"one", b"two"):
        outbox.put(capture(raw))
    first = outbox.first(0)
    assert first
    outbox.delivered(first)
    outbox.sweep()
    assert len(list((tmp_path / "delivered").iterdir())) == 1, "one still waits"
    again = Outbox(tmp_path)
    assert raws(again) == [b"two"], "a crash before the sweep posts nothing twice"
    again.sweep()
    assert list((tmp_path / "delivered").iterdir()) == []


def test_what_somebody_put_beside_the_letters_is_none(tmp_path: Path) -> None:
    (tmp_path / "copy-of-yesterday.json").write_text("{}")
    outbox = Outbox(tmp_path)
    outbox.put(capture(b"one"))
    assert raws(Outbox(tmp_path)) == [b"one"]
    assert waiting_in(tmp_path) == 0
