"""`lims compare` as the one who answers for the exchange runs it, against a real platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange.conftest import lab as lab  # noqa: PLC0414 - the fixture
from tests.exchange.declaring import declaring, health, subject
from tests.exchange.laboratories import Lab
from tests.exchange.platform import Platform, platform
from tests.test_report_cli import Shell

DAYS = ("--since", "2021-09-10", "--until", "2021-09-12")


@pytest.fixture
def book(lab: Lab) -> Iterator[Platform]:
    with platform() as made:
        lab.health_book(made.url)
        lab.negatives(3)
        lab.deliver()
        yield made


@pytest.fixture
def name(book: Platform) -> str:
    return f"Sổ sức khỏe {book.url}"


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    return Shell(database_url, tmp_path)


def test_what_is_missing_is_listed_and_sent_once_more(
    lab: Lab, book: Platform, name: str, shell: Shell
) -> None:
    told = shell.run("compare", name, *DAYS)
    assert told.exit_code == 0, told.output
    assert "took 3, has 3." in told.output
    record, _entry = book.books.popitem()

    told = shell.run("compare", name, *DAYS, "--json")
    assert told.exit_code == 1
    said = json.loads(told.stdout)
    assert (said["took"], said["has"], said["gaps"]) == (3, 2, {"missing": 1})
    assert [one["record"] for one in said["records"]] == [record]

    told = shell.run("compare", name, *DAYS, "--send")
    assert "1 record will be sent once more." in told.output
    assert sorted(row[1] for row in lab.rows()) == ["delivered", "delivered", "owed"]


def test_one_that_does_not_say_it_ends_with_one_and_its_words(
    book: Platform, name: str, shell: Shell
) -> None:
    book.broken = lambda _: (503, b'{"detail": "bao tri"}')
    told = shell.run("compare", name, *DAYS)
    assert told.exit_code == 1
    assert "did not say what it has: 503 bao tri" in told.output


def test_a_name_that_nobody_has_is_refused_with_those_there_are(
    name: str, book: Platform, shell: Shell
) -> None:
    told = shell.run("compare", "Sổ nào đó")
    assert told.exit_code == 2
    assert "nothing that can be compared is called Sổ nào đó" in " ".join(told.output.split())


def test_what_was_not_taken_of_declarations_is_listed_and_fetched_at_once(
    lab: Lab, shell: Shell
) -> None:
    with declaring() as there:
        lab.expects(there.url)
        there.say(health(1), health(2, person={"sex": "x"}))
        there.hidden = [health(7)]
        told = shell.run("compare", f"Khai báo {there.url}", *DAYS, "--fetch")
        assert told.exit_code == 1, told.output
        assert "has 3, 1 were taken here." in told.output
        assert f"{subject(2)}: came here, and could not be read" in told.output
        assert f"{subject(7)}: was not taken here" in told.output
        assert "1 declaration asked for once more." in told.output
        there.feed[1] = health(2)
        there.epoch = "b"
        told = shell.run("compare", f"Khai báo {there.url}", *DAYS)
    assert told.exit_code == 0, told.output
    assert "has 3, 3 were taken here." in told.output
