"""What `lims-gateway status` says to a person."""

import time
from collections.abc import Iterator

import pytest

from instruments.line_standing import here, in_words

LINE = {
    "instrument": "GX-1",
    "state": "queueing",
    "since": "2026-11-22T08:12:03+00:00",
    "trouble": "orders-not-told",
    "detail": "404 no such assay",
    "last_byte_at": "2026-11-22T20:14:40+00:00",
    "last_message_at": None,
    "journal_bytes": 12,
    "waiting": 1,
    "quarantined": 0,
    "dead": [
        {
            "letter": "7",
            "at": "2026-11-22T08:14:40.112233+00:00",
            "reason": "too-large",
            "status": 413,
            "problem": "{}",
            "todo": "raise the limit",
        }
    ],
}


@pytest.fixture(autouse=True)
def in_vietnam(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_times_are_this_machine_s_and_name_their_zone() -> None:
    told = "\n".join(in_words(LINE))
    assert "queueing since 2026-11-22 15:12:03 +07" in told
    assert "last byte     2026-11-23 03:14:40 +07" in told
    assert "last message  never" in told
    assert "7  2026-11-22 15:14:40 +07  too-large" in told
    assert "scan the tube again" in told, "what to do about it"


def test_a_line_that_has_said_nothing_yet_has_no_time() -> None:
    told = "\n".join(in_words({**LINE, "state": None, "since": None, "trouble": None}))
    assert told.startswith("GX-1: starting\n")


def test_a_line_whose_gateway_never_ran_says_so() -> None:
    told = "\n".join(in_words({**LINE, "state": "stopped", "since": None, "trouble": None}))
    assert told.startswith("GX-1: never started\n")


def test_a_moment_that_is_none_is_shown_as_it_came() -> None:
    assert here("yesterday") == "yesterday"
