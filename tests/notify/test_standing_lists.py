"""Beside the deliverer, a list is made at its hour by itself, and a thin letter says so."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.db.laboratory import Laboratory
from lims.domain.telling import MailServer
from lims.domain.tracing_lists import Arrival, ListForm
from lims.notify.standing_lists import Maker
from lims.tables import ListSchedule, Subscription, TracingList
from lims.work import scheduled_lists
from lims.work.apart import ChildBroke
from lims.work.scheduled_lists import order_list
from lims.work.take_list import ListRead, drawn
from tests.builders import HOME, Bench, open_bench
from tests.notify.test_email import BASE, Mailbox, mail_server


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    made = open_bench(session, now)
    made.subscribe(HOME)
    made.run({made.swab(name="Lý A Páo").barcode: 22.0})
    order(made, "truyvet@example.vn")
    session.commit()
    return made


def order(bench: Bench, email: str) -> UUID:
    """The ward's, for seven in the evening."""
    ward = select(Subscription.team_id).where(Subscription.area_code == HOME.code)
    return order_list(
        bench.session,
        site_id=bench.site_id,
        team_id=bench.session.scalars(ward).one(),
        form=ListForm.CSV,
        language="vi",
        hours=[19],
        arrival=Arrival.EMAIL,
        email=email,
        timezone="Asia/Ho_Chi_Minh",
        mail=True,
        by="user:hanh",
        now=bench.now,
    )


class Hour:
    """The laboratory at an hour that the test moves on."""

    def __init__(self, bench: Bench, database: Engine) -> None:
        self.at = bench.now
        self.laboratory = Laboratory(
            engine=database,
            sessions=session_factory(database),
            site_id=bench.site_id,
            prefix="TT",
            clock=lambda: self.at,
        )

    def maker(self, mail: MailServer | None = None) -> Maker:
        return Maker(self.laboratory, BASE, mail)


def test_a_list_is_made_at_its_hour_and_let_go_of_when_it_expires(
    bench: Bench, database: Engine
) -> None:
    hour = Hour(bench, database)
    assert hour.maker().look() == 0
    hour.at += timedelta(days=1)
    assert hour.maker().look() == 1
    made = bench.session.scalars(select(TracingList)).one()
    assert made.file is not None and made.cases == 1
    bench.session.rollback()
    hour.at += timedelta(days=4)
    with hour.maker():
        pass  # leaving waits for the look that was begun
    first = select(TracingList.file).order_by(TracingList.taken_at)
    assert bench.session.scalars(first).first() is None


def test_a_letter_says_once_that_a_list_is_ready_and_nobody_s_name(
    bench: Bench, database: Engine
) -> None:
    hour, box = Hour(bench, database), Mailbox(refuses="450 later")
    hour.at += timedelta(days=1)
    with mail_server(box) as server:
        maker = hour.maker(server)
        assert maker.look() == 1
        assert box.letters == []
        box.refuses = None
        maker.look()  # not at once again
        assert box.letters == []
        hour.maker(server).look()
        hour.maker(server).look()
    (sent,) = box.letters
    (made,) = bench.session.scalars(select(TracingList))
    assert sent["To"] == "truyvet@example.vn" and "1 ca" in sent["Subject"]
    assert f"{BASE}/handoff/lists/{made.id}" in sent.get_content()
    assert "Páo" not in str(sent) and made.mailed_at == hour.at


@pytest.mark.parametrize("wrong", ["to@example.vn\nBcc: all@example.vn", "nguyễn@example.vn", "@"])
def test_an_address_that_cannot_be_written_to_holds_up_no_other_team(
    bench: Bench, database: Engine, wrong: str
) -> None:
    """As an order of an older release may hold it."""
    bench.session.execute(update(ListSchedule).values(email=wrong))
    order(bench, "second@example.vn")
    bench.session.commit()
    hour, box = Hour(bench, database), Mailbox()
    hour.at += timedelta(days=1)
    with mail_server(box) as server:
        assert hour.maker(server).look() == 2
    assert [letter["To"] for letter in box.letters] == ["second@example.vn"]


def test_a_mailbox_that_is_refused_holds_up_no_other_team(bench: Bench, database: Engine) -> None:
    order(bench, "second@example.vn")
    bench.session.commit()
    hour, box = Hour(bench, database), Mailbox(refuses="550 nobody here", only="truyvet@example.vn")
    hour.at += timedelta(days=1)
    with mail_server(box) as server:
        maker = hour.maker(server)
        assert maker.look() == 2
        maker.look()
    assert [letter["To"] for letter in box.letters] == ["second@example.vn"]
    assert box.asked.count("truyvet@example.vn") == 1  # not again at once


def test_a_list_that_cannot_be_drawn_holds_up_no_other_team(
    bench: Bench, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(bench, "second@example.vn")
    bench.session.commit()
    asked: list[ListRead] = []

    def breaks_once(read: ListRead) -> bytes:
        asked.append(read)
        if len(asked) == 1:
            raise ChildBroke("too long")
        return drawn(read)

    monkeypatch.setattr(scheduled_lists, "drawn", breaks_once)
    hour, box = Hour(bench, database), Mailbox()
    hour.at += timedelta(days=1)
    with mail_server(box) as server:
        assert hour.maker(server).look() == 1
        assert len(box.letters) == 1
        assert hour.maker(server).look() == 1  # its order stayed due
    assert len(box.letters) == 2
