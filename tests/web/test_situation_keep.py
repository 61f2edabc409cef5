"""A day is counted once for everybody who asks within some seconds, on the page or as a file."""

from __future__ import annotations

import threading
from datetime import date, datetime

import pytest

from lims.db.laboratory import Laboratory
from lims.web import situation_keep
from lims.web.situation_keep import Situations
from lims.work.situation_apart import Answered, Asked, situation_at
from reports.saying import Tongue
from reports.situation import Form
from tests.builders import Bench

DAY = date(2021, 9, 11)


@pytest.fixture
def counted(
    monkeypatch: pytest.MonkeyPatch, database_url: str, bench: Bench
) -> list[tuple[Form | None, Tongue]]:
    """What was counted, here instead of in a child, on the real database."""
    asked = list[tuple[Form | None, Tongue]]()

    def here(_engine: object, question: Asked) -> Answered:
        asked.append((question.form, question.tongue))
        return situation_at(database_url, question)

    monkeypatch.setattr(situation_keep, "situation_apart", here)
    return asked


def test_downloads_at_once_are_one_count_a_form_and_language(
    laboratory: Laboratory, now: datetime, counted: list[tuple[Form | None, Tongue]]
) -> None:
    kept, got = Situations(laboratory), list[bytes]()

    def download() -> None:
        got.append(kept.file(DAY, Tongue.EN, now, Form.JSON))

    readers = [threading.Thread(target=download) for _ in range(6)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(got) == 6 and len(set(got)) == 1
    assert counted == [(Form.JSON, Tongue.EN)]
    kept.file(DAY, Tongue.VI, now, Form.JSON)
    kept.of(DAY, Tongue.EN, now)
    assert counted[1:] == [(Form.JSON, Tongue.VI), (None, Tongue.EN)]


def test_what_was_asked_for_least_recently_is_counted_again(
    laboratory: Laboratory,
    now: datetime,
    counted: list[tuple[Form | None, Tongue]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(situation_keep, "MOST_KEPT", 1)
    kept = Situations(laboratory)
    for tongue in (Tongue.EN, Tongue.VI, Tongue.EN):
        kept.file(DAY, tongue, now, Form.JSON)
    assert len(counted) == 3
