"""What people declared elsewhere is pulled: every page once, the newest version of each, and what
cannot be read listed. The platform is a real server (declaring.py)."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from lims.exchange import pull
from lims.exchange.adapters import declarations, https_line
from lims.work import pulling
from lims.work.destinations import stop
from tests.builders import NEW
from tests.exchange.declaring import (
    Entry,
    declaring,
    health,
    household,
    newer,
    subject,
    withdrawn,
)
from tests.exchange.kept import faults, people, rows
from tests.exchange.laboratories import Lab
from tests.exchange.test_deliver import (
    certificate as certificate,  # noqa: PLC0414 - the fixture
)


def test_every_page_is_taken_and_the_cursor_stands_behind_the_last(lab: Lab) -> None:
    with declaring() as there:
        lab.expects(there.url)
        there.say(*(health(n, f"Trần Văn {n}") for n in range(7)))
        pulled = lab.pull()
        assert (pulled.pages, pulled.taken, pulled.away) == (3, 7, None)
        assert lab.destination().cursor == "a-7"
        assert len(people(lab)) == 7
        assert lab.puller().one() is None, "not before its minute"
        lab.clock.later(1)
        there.say(health(8, "Lê Thị Hai"))
        assert lab.pull().taken == 1
    assert there.asked[-1]["after"] == "a-7"


def test_what_was_declared_is_kept_as_the_desk_needs_it(lab: Lab) -> None:
    said = health(
        1,
        person={"phone": "0912 345 678", "qid": "QID-77", "cmnd": "023456789"},
        symptoms=["sốt", " ho "],
        exposure="contact",
    )
    with declaring() as there:
        lab.expects(there.url)
        there.say(said)
        lab.pull()
    (one,) = rows(lab, "declared_person")
    assert (one.name, one.birth_date.isoformat(), one.sex) == (
        "Nguyễn Thị Mai",
        "1985-03-05",
        "female",
    )
    assert (one.phone, one.qid, one.old_id) == ("+84912345678", "QID-77", "023456789")
    assert (one.symptoms, one.exposure, one.specimen_id) == (["sốt", "ho"], "contact", None)
    (declaration,) = rows(lab, "declaration")
    assert (declaration.area_scheme, declaration.area_code) == (NEW, "26734")
    assert (declaration.address, declaration.household_id) == ("12 Hai Bà Trưng", None)


def test_a_household_keeps_its_door_over_its_versions(lab: Lab) -> None:
    first = household(1, ["Trần Văn Ba", "Lê Thị Tư", "Trần Văn Út"])
    with declaring() as there:
        lab.expects(there.url)
        there.say(first)
        lab.pull()
        (door,) = rows(lab, "household")
        assert (door.label, door.address, door.area_code) == ("114/1", "114 Lý Tự Trọng", "26734")
        grown = [*first["members"][:2], {"member": "9", "name": "Trần Thị Bé", "born": 2020}]
        there.say(newer(first, members=grown, home={"door": "114B"}))
        lab.clock.later(1)
        lab.pull()
    assert people(lab) == ["Lê Thị Tư", "Trần Thị Bé", "Trần Văn Ba"]
    (again,) = rows(lab, "household")
    assert (again.id, again.label) == (door.id, "114B")
    assert rows(lab, "declaration")[0].household_id == door.id


def test_a_withdrawn_one_disappears_with_all_that_it_said(lab: Lab) -> None:
    one, other = health(1), health(2, "Lê Văn Hai")
    with declaring() as there:
        lab.expects(there.url)
        there.say(one, other)
        lab.pull()
        there.say(withdrawn(one))
        lab.clock.later(1)
        lab.pull()
    assert people(lab) == ["Lê Văn Hai"]
    gone = next(row for row in rows(lab, "declaration") if row.state == "withdrawn")
    assert (gone.code, gone.address, gone.area_code) == (None, None, None)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("a_page", [1, 3])
def test_the_newest_version_stands_in_whatever_order_they_come(
    lab: Lab, order: tuple[int, ...], a_page: int
) -> None:
    first = health(1, "Tên Cũ")
    second = newer(first, person=first["person"] | {"name": "Tên Mới"})
    with declaring(a_page=a_page) as there:
        lab.expects(there.url)
        there.say(*((first, second, withdrawn(second))[n] for n in order))
        lab.pull()
        assert people(lab) == [], "an older version revives nobody"
        there.say(newer(withdrawn(second), **{k: first[k] for k in ("kind", "code", "person")}))
        there.feed[-1] |= {"state": "declared", "version": 9}
        lab.clock.later(1)
        lab.pull()
        assert people(lab) == ["Tên Cũ"], "declared anew"


def test_a_feed_that_begins_again_changes_nothing(lab: Lab) -> None:
    """Their cursors are lost: everything comes again, and is known by its version."""
    with declaring() as there:
        lab.expects(there.url)
        there.say(*(health(n) for n in range(5)), {"declaration": "x"})
        lab.pull()
        before = [tuple(row) for row in rows(lab, "declaration")]
        there.epoch = "b"
        lab.clock.later(1)
        pulled = lab.pull()
    assert (pulled.taken, pulled.away) == (0, None)
    assert [tuple(row) for row in rows(lab, "declaration")] == before
    assert len(faults(lab)) == 1, "nor is a fault listed twice"
    assert lab.destination().cursor == "b-6"


def test_a_server_that_dies_in_the_middle_of_a_page_loses_nothing(lab: Lab) -> None:
    with declaring() as there:
        lab.expects(there.url)
        there.say(*(health(n) for n in range(8)))
        there.dies = lambda number: number == 2
        pulled = lab.pull()
        assert pulled.taken == 3
        assert lab.destination().cursor == "a-3"
        assert "RemoteProtocolError" in lab.destination().last_error
        lab.clock.later(1)
        assert lab.pull().taken == 5
        assert lab.destination().failures == 0
    assert len(people(lab)) == 8


class Killed(BaseException):
    """As a process ends: nothing that stands after it is done."""


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("kept", [False, True])
def test_killed_between_two_pages_nothing_is_lost_and_nothing_twice(
    lab: Lab, page: int, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a page's transaction ends, and after it."""
    calls = [0]
    keep = pulling.move_on

    def dies(session: Any, *more: Any) -> Any:
        calls[0] += 1
        if kept and calls[0] == page + 1:
            raise Killed
        said = keep(session, *more)
        if not kept and calls[0] == page:
            session.flush()
            raise Killed
        return said

    with declaring() as there:
        lab.expects(there.url)
        there.say(*(health(n) for n in range(9)))
        monkeypatch.setattr(pulling, "move_on", dies)
        if kept and page == 3:  # nothing comes after the last page
            assert lab.pull().taken == 9
            return
        with pytest.raises(Killed):
            lab.pull()
        stands = page if kept else page - 1
        assert lab.destination().cursor == (f"a-{stands * 3}" if stands else None)
        assert len(people(lab)) == stands * 3
        monkeypatch.setattr(pulling, "move_on", keep)
        assert lab.puller().one() is None, "its lease still runs"
        lab.clock.later(3)
        assert lab.pull().taken == 9 - stands * 3
    assert len(people(lab)) == len(rows(lab, "declaration")) == 9


def test_two_processes_never_take_the_same_page(lab: Lab) -> None:
    """One that was slow finds its lease gone, and keeps nothing of what it read."""
    with declaring() as there:
        one = lab.expects(there.url)
        there.say(*(health(n) for n in range(3)))
        asking, answered = threading.Event(), threading.Event()

        def wait(number: int) -> None:
            if number == 1:
                asking.set()
                assert answered.wait(60)

        there.broken = wait
        slow = threading.Thread(target=lab.puller().one)
        slow.start()
        assert asking.wait(60)
        assert lab.puller().one() is None
        assert lab.puller().one(one) is None, "not even when asked for by name"
        lab.clock.later(5)  # its lease ran out
        assert lab.pull().taken == 3
        answered.set()
        slow.join()
    assert lab.destination().cursor == "a-3"
    assert lab.destination().failures == 0
    assert len(rows(lab, "declaration")) == 3


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        (503, b"", "503"),
        (302, b"", "302"),
        (429, b'{"detail": "qu\xc3\xa1 nhi\xe1\xbb\x81u"}', "429 quá nhiều"),
        (400, b'{"title": "no"}', "does not take what is asked: 400 no"),
        (410, b"", "410"),
        (200, "<html>bảo trì</html>".encode(), "answered 200 with what is no JSON"),
        (200, b"[" * 100_000, "answered 200 with what is no JSON"),
        (200, b"[]", "answered 200 with what is no page of declarations"),
        (200, b'{"entries": [], "more": false}', "a page without its next cursor"),
        (
            200,
            '{"entries": [], "next": "từ đây"}'.encode(),
            "a cursor that cannot stand in an address",
        ),
    ],
)
def test_a_platform_in_trouble_is_asked_again_from_where_we_stand(
    lab: Lab, status: int, said: bytes, why: str
) -> None:
    with declaring(broken=lambda number: (status, said) if number == 1 else None) as there:
        lab.expects(there.url)
        there.say(health(1))
        assert lab.pull().away == why
        found = lab.destination()
        assert (found.last_error, found.failures, found.leased_until) == (why, 1, None)
        assert lab.puller().one() is None, "not at once"
        lab.clock.later(1)
        assert lab.pull().taken == 1
        assert lab.destination().failing_since is None


def test_a_list_that_does_not_move_on_is_no_list(lab: Lab) -> None:
    with declaring() as there:
        lab.expects(there.url)
        there.say(health(1))
        lab.pull()
        same = b'{"entries": [], "next": "a-1", "more": true}'
        there.broken = lambda _: (200, same)
        lab.clock.later(1)
        assert lab.pull().away == "a list that does not move on"


def test_a_token_that_is_not_taken_and_names_in_the_clear_are_refused(lab: Lab) -> None:
    with declaring() as there:
        lab.expects(there.url, token="an-old-one-of-ours")
        assert lab.pull().away == "our token is not taken there: 401 no such token"
    moved = text("UPDATE destination SET address = 'http://203.0.114.7/khai-bao'")
    lab.bench.session.execute(moved)  # set up before such an address was refused, or a name's moved
    lab.clock.later(1)
    assert lab.pull().away == "refused: without TLS only inside a private network"


@pytest.mark.parametrize("trusted", [True, False])
def test_with_tls_only_the_one_that_was_agreed_on_is_asked(
    lab: Lab, certificate: tuple[Path, Path], trusted: bool
) -> None:
    cert, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with declaring(tls=context) as there:
        lab.expects(there.url, certificate=cert.read_text() if trusted else "")
        there.say(health(1))
        pulled = lab.pull()
    assert pulled.taken == int(trusted)
    assert len(there.asked) == int(trusted), "the token is not given to a stranger"
    assert trusted or "CERTIFICATE_VERIFY_FAILED" in (pulled.away or "")


def test_an_answer_without_an_end_is_no_answer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https_line, "_LONGEST", 1000)
    with declaring(broken=lambda _: (200, b" " * 5000)) as there:
        lab.expects(there.url)
        assert lab.pull().away == "an answer without an end"


def test_who_is_stopped_is_not_asked(lab: Lab) -> None:
    with declaring() as there:
        one = lab.expects(there.url)
        with lab.laboratory.sessions.begin() as session:
            stop(session, one, by="user:admin", now=lab.clock.now)
        assert lab.puller().one() is None
        assert lab.puller().one(one) is None
    assert there.asked == []


def test_one_whose_feed_has_no_end_leaves_the_others_their_turn(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "_TURN_S", -1.0)  # every page is a turn
    with declaring(a_page=1) as endless, declaring() as other:
        lab.expects(endless.url)
        lab.expects(other.url)
        endless.say(*(health(n) for n in range(30)))
        other.say(health(1))
        for _ in range(3):
            assert lab.pull().away is None
        assert len(other.asked) == 1
        assert len(endless.asked) == 2, "and goes on without waiting for its minute"


@contextmanager
def counted(database: Engine) -> Iterator[list[str]]:
    said: list[str] = []

    def listen(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(database, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        event.remove(database, "before_cursor_execute", listen)


def test_ten_thousand_declarations_cost_a_handful_of_statements_a_page(
    lab: Lab, database: Engine
) -> None:
    def many(n: int) -> Entry:
        return health(n) if n % 4 else household(n, ["Trần Văn Ba", "Lê Thị Tư", "Trần Văn Út"])

    with declaring(a_page=100_000) as there:
        lab.expects(there.url)
        there.say(*(many(n) for n in range(10_000)))
        there.say(*({"declaration": subject(20_000 + n)} for n in range(50)))
        with counted(database) as said:
            pulled = lab.pull()
    assert (pulled.taken, pulled.unread, pulled.away) == (10_000, 50, None)
    assert pulled.pages == -(-10_050 // declarations.A_PAGE)
    assert len(people(lab)) == 15_000
    assert len(rows(lab, "household")) == 2_500
    assert len(said) <= 8 * pulled.pages + 8
    assert max(map(len, said)) < 4_096
