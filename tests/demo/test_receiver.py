"""The tracing offices' stand-in: only signed notices, on disk before the answer, each once."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from lims.demo.receiver import Book, Entry, read_book
from tests.builders_handoff import SECRET
from tests.ports import held_ports
from tests.until import WITHIN_S, until

NOTICE: dict[str, object] = {
    "type": "alert.raised",
    "timestamp": "2021-09-11T01:00:00Z",
    "data": {"pool_id": "01a20285-0000-7000-8000-000000000001", "sequence": 1},
}


@dataclass
class Stand:
    """The receiver's process, and how to tell it something."""

    url: str
    book: Path

    def told(self, notice: dict[str, object], webhook_id: str, *, secret: str = SECRET) -> int:
        body, at = json.dumps(notice), datetime.now(UTC)
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(webhook_id, at, body),
        }
        url = f"{self.url}/offices/commune"
        return httpx.post(
            url, content=body, headers=headers, trust_env=False, timeout=WITHIN_S
        ).status_code


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with held_ports(1) as (port,), _receiving(tmp_path, port) as stand:
        yield stand


@contextmanager
def _receiving(tmp_path: Path, port: int) -> Iterator[Stand]:
    book = tmp_path / "book.jsonl"
    office = {"name": "Xã", "secret": SECRET, "token": "tt_none"}
    config = {"lims_url": "http://127.0.0.1:9", "book": str(book), "offices": {"commune": office}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "lims.demo.receiver", str(tmp_path / "config.json"), str(port)]
    process = subprocess.Popen(command)
    try:
        until(lambda: _answers(port), "the receiver's first answer")
        yield Stand(f"http://127.0.0.1:{port}", book)
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_signed_notice_is_on_disk_when_it_is_answered_for(stand: Stand) -> None:
    assert stand.told(NOTICE, "msg_1") == 204

    (entry,) = read_book(stand.book)
    assert (entry.what, entry.webhook_id, entry.kind) == ("told", "msg_1", "alert.raised")


def test_the_same_notice_again_is_answered_for_and_written_once(stand: Stand) -> None:
    assert [stand.told(NOTICE, "msg_1"), stand.told(NOTICE, "msg_1")] == [204, 204]

    assert len(read_book(stand.book)) == 1


def test_a_forged_notice_is_refused_and_not_written(stand: Stand) -> None:
    other = "whsec_" + "A" * 43 + "="
    assert stand.told(NOTICE, "msg_1", secret=other) == 401

    assert read_book(stand.book) == []


def test_a_line_torn_by_a_kill_is_forgotten_and_told_again(tmp_path: Path) -> None:
    file = tmp_path / "book.jsonl"
    entry = Entry("told", "msg_1", "commune", "case.opened", "c", 1)
    with closing(Book(file)) as book:
        book.write(entry)
    with file.open("a", encoding="utf-8") as torn:
        torn.write('{"what": "told", "webhook_id": "msg_2"')

    with closing(Book(file)) as again:
        assert again.entries == [entry]
        assert again.write(Entry("told", "msg_2", "commune", "case.opened", "d", 1))
        assert not again.write(entry)
    assert [e.webhook_id for e in read_book(file)] == ["msg_1", "msg_2"]
