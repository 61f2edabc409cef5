"""What a platform holds against what it took: each gap by its record, and sent once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from lims.domain.refusals import NotFound
from lims.exchange.compare import Comparer
from lims.work import comparing
from lims.work.destinations import stop
from lims.work.hand_over import hand_over
from tests.exchange.laboratories import Lab
from tests.exchange.platform import Platform, platform

GONE = {"record": "0198c5a0-0000-7000-8000-000000000001"}


def compare(lab: Lab, destination: UUID, days: int = 14) -> Any:
    """Ask, make it, and read the row that came of it."""
    with lab.laboratory.sessions.begin() as session:
        asked = comparing.ask(
            session,
            destination,
            since=lab.clock.now - timedelta(days=days),
            until=lab.clock.now + timedelta(seconds=1),
            by="user:admin",
            now=lab.clock.now,
        )
    assert Comparer(lab.laboratory).one(asked)
    with lab.laboratory.sessions.begin() as session:
        return session.execute(text("SELECT * FROM comparison WHERE id = :id"), {"id": asked}).one()


def gaps(lab: Lab) -> dict[str, tuple[str, int | None, int | None]]:
    """Of the newest comparison."""
    with lab.laboratory.sessions.begin() as session:
        rows = session.execute(
            text(
                "SELECT * FROM comparison_gap WHERE comparison_id ="
                " (SELECT id FROM comparison ORDER BY id DESC LIMIT 1)"
            )
        )
        return {str(row.subject_id): (row.gap, row.ours, row.theirs) for row in rows}


def send(lab: Lab, destination: UUID) -> int:
    with lab.laboratory.sessions.begin() as session:
        many = comparing.send_what_is_not_there(
            session, destination, by="user:admin", now=lab.clock.now
        )
    lab.deliver()
    return many


def test_where_everything_arrived_nothing_is_missing(lab: Lab) -> None:
    with platform() as book:
        destination = lab.health_book(book.url)
        lab.negatives(7)
        lab.deliver()
        done = compare(lab, destination)
    assert (done.state, done.told, done.held) == ("done", 7, 7)
    assert gaps(lab) == {}


def test_what_they_lost_is_named_and_sent_again_as_the_same_message(lab: Lab) -> None:
    with platform() as book:
        destination = lab.health_book(book.url)
        lab.negatives(7)
        lab.deliver()
        lost = sorted(book.books)[2:4]
        for record in lost:
            del book.books[record]
        done = compare(lab, destination)
        assert (done.told, done.held) == (7, 5)
        assert gaps(lab) == dict.fromkeys(lost, ("missing", 1, None))
        assert send(lab, destination) == 2
        assert len(book.books) == 7
        again = [one["message"] for one in book.said[7:]]
        assert set(again) < {one["message"] for one in book.said[:7]}
        compare(lab, destination)
    assert gaps(lab) == {}


def move(lab: Lab, book: Platform) -> str:
    """A swab that turns out to be another person's, a day after: its record has three words."""
    swab, other = lab.negatives(1)[0], lab.bench.swab(name="Lê Văn Hai")
    lab.bench.run()
    lab.deliver()
    hand_over(
        lab.bench.session,
        [swab.specimen_id],
        first=swab.person_id,
        owner=other.person_id,
        site_id=lab.bench.site_id,
        by="reviewer",
        now=lab.bench.later(24 * 60).now,
    )
    lab.deliver()
    assert book.books[str(swab.specimen_id)]["sequence"] == 3
    return str(swab.specimen_id)


def test_an_older_word_of_another_day_is_told_from_none(lab: Lab) -> None:
    with platform() as book:
        destination = lab.health_book(book.url)
        record = move(lab, book)
        book.books[record] = next(one for one in book.said if one["record"] == record)
        compare(lab, destination)
        assert gaps(lab) == {record: ("behind", 3, 1)}
        assert send(lab, destination) == 1
        assert book.books[record]["person"]["name"] == "Lê Văn Hai"
        compare(lab, destination)
    assert gaps(lab) == {}


def test_the_same_word_said_otherwise_and_one_that_is_not_ours_are_found(lab: Lab) -> None:
    with platform() as book:
        destination = lab.health_book(book.url)
        swab = lab.negatives(1)[0]
        lab.deliver()
        record = str(swab.specimen_id)
        entry = book.books[record]
        book.books[record] = entry | {"status": "withdrawn"}
        book.books[GONE["record"]] = entry | GONE
        compare(lab, destination)
    assert gaps(lab) == {record: ("other", 1, 1), GONE["record"]: ("stranger", None, 1)}


def test_what_is_still_on_its_way_is_no_gap_and_no_stranger(lab: Lab) -> None:
    """They took it and their answer was lost: here it is still owed."""
    with platform() as book:
        destination = lab.health_book(book.url)
        lab.negatives(2)
        taking = book.take
        book.take = lambda body: taking(body) and {}  # type: ignore[method-assign] # as a platform may
        lab.deliver()
        assert len(book.books) == 2
        done = compare(lab, destination)
    assert (done.told, done.held) == (0, 2)
    assert gaps(lab) == {}


def test_a_word_taken_since_the_comparison_is_not_sent_over(lab: Lab) -> None:
    with platform() as book:
        destination = lab.health_book(book.url)
        swab, other = lab.negatives(1)[0], lab.bench.swab(name="Lê Văn Hai")
        lab.deliver()
        book.books.clear()
        compare(lab, destination)
        hand_over(
            lab.bench.session,
            [swab.specimen_id],
            first=swab.person_id,
            owner=other.person_id,
            site_id=lab.bench.site_id,
            by="reviewer",
            now=lab.bench.later(5).now,
        )
        lab.deliver()
        assert send(lab, destination) == 0
        assert book.books[str(swab.specimen_id)]["sequence"] == 3


def test_one_that_does_not_say_is_asked_again_and_then_given_up_on(lab: Lab) -> None:
    with platform() as book:
        destination = lab.health_book(book.url)
        lab.negatives(1)
        lab.deliver()
        book.broken = lambda _: (503, b"")
        asked = compare(lab, destination)
        assert (asked.state, asked.tries, asked.said) == ("asked", 1, "503")
        comparer = Comparer(lab.laboratory)
        assert not comparer.one(), "not at once"
        for _ in range(comparing.MOST_TRIES - 1):
            lab.clock.later(3)
            assert comparer.one()
        lab.clock.later(3)
        assert not comparer.one()
    with lab.laboratory.sessions.begin() as session:
        row = session.execute(text("SELECT state, told, said FROM comparison")).one()
    assert tuple(row) == ("failed", None, "503")


@pytest.mark.parametrize(
    "said",
    [
        b"[]",
        b'{"records": [{"record": "x", "sequence": 1, "status": "final"}]}',
        b'{"records": [{"record": "0198c5a0-0000-7000-8000-000000000001", "sequence": 1,'
        b' "status": "deleted"}]}',
    ],
)
def test_half_a_list_is_no_list(lab: Lab, said: bytes) -> None:
    with platform() as book:
        destination = lab.health_book(book.url)
        lab.negatives(1)
        lab.deliver()
        book.broken = lambda _: (200, said)
        asked = compare(lab, destination)
    assert asked.said == "a list of records that is not of the contract"
    assert gaps(lab) == {}


def test_each_destination_is_compared_once_a_day_by_itself(lab: Lab) -> None:
    def due() -> int:
        with lab.laboratory.sessions.begin() as session:
            return comparing.ask_daily(session, site_id=lab.bench.site_id, now=lab.clock.now)

    with platform() as book:
        destination = lab.health_book(book.url)
        assert due() == 0, "nothing was taken yet"
        lab.negatives(2)
        lab.deliver()
        assert due() == 1
        assert due() == 0, "one is open"
        assert Comparer(lab.laboratory).one()
        lab.clock.later(23 * 60)
        assert due() == 0
        lab.clock.later(2 * 60)
        assert due() == 1
        with lab.laboratory.sessions.begin() as session:
            stop(session, destination, by="user:admin", now=lab.clock.now)
        assert not Comparer(lab.laboratory).one(), "who is stopped is not asked"


def test_a_hospital_cannot_say_what_it_holds(lab: Lab) -> None:
    destination = lab.hospital(2575)
    with pytest.raises(NotFound):
        compare(lab, destination)


def test_somebody_to_be_swabbed_again_goes_out_of_the_book(lab: Lab) -> None:
    with platform() as book:
        destination = lab.health_book(book.url)
        swab = lab.negatives(1)[0]
        lab.deliver()
        lab.bench.session.execute(
            text("UPDATE finding SET outcome = 'recollect', status = 'C' WHERE specimen_id = :s"),
            {"s": swab.specimen_id},
        )
        # The trigger of a correction is a recall's; here it is owed as that would owe it.
        lab.bench.session.execute(
            text("UPDATE outbound SET says = 'C', state = 'owed', delivered_at = NULL")
        )
        book.books.clear()
        lab.deliver()
        entry = book.books[str(swab.specimen_id)]
        assert (entry["status"], entry["why"]) == ("withdrawn", "swab-again")
        assert "result" not in entry
        compare(lab, destination)
    assert gaps(lab) == {}
