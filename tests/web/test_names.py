"""Pages call people by their names; rules, machines and the command line stay what they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import event

from lims.db.laboratory import Laboratory
from lims.web.names import who
from lims.work.access import Role, create_user
from tests.builders import Bench
from tests.web.browsing import PASSWORD, Browser


def hire(bench: Bench, login: str, name: str) -> None:
    create_user(
        bench.session,
        site_id=bench.site_id,
        login=login,
        name=name,
        password=PASSWORD,
        roles=[Role.TECHNICIAN],
        team_id=None,
        by="test",
        now=bench.now,
    )


@contextmanager
def statements(laboratory: Laboratory) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(*came: object) -> None:
        sent.append(str(came[2]))

    event.listen(laboratory.engine, "before_cursor_execute", note)
    yield sent
    event.remove(laboratory.engine, "before_cursor_execute", note)


def test_a_page_asks_once_what_everybody_is_called(
    app: Flask, bench: Bench, laboratory: Laboratory
) -> None:
    hire(bench, "lan", "Trần Thị Lan")
    hire(bench, "hung", "Phạm Văn Hùng")
    bench.session.commit()
    with app.test_request_context(), statements(laboratory) as sent:
        assert [who(one) for one in ("user:lan", "user:hung", "import:lan")] == [
            "Trần Thị Lan",
            "Phạm Văn Hùng",
            "Trần Thị Lan",
        ]
        assert len(sent) == 1


def test_two_people_of_one_name_are_told_apart(app: Flask, bench: Bench) -> None:
    hire(bench, "lan", "Trần Thị Lan")
    hire(bench, "lan.tt", "Trần Thị Lan")
    bench.session.commit()
    with app.test_request_context():
        assert who("user:lan.tt") == "Trần Thị Lan (lan.tt)"


def test_what_is_nobody_stays_what_it_is(app: Flask, bench: Bench) -> None:
    bench.session.commit()
    with app.test_request_context(headers={"Cookie": "language=vi"}):
        assert who("sars-cov-2-av/1") == "sars-cov-2-av/1"
        assert who("token:gateway-1") == "gateway-1"
        assert who("user:gone") == "gone"
        assert who("command line") == "dòng lệnh" and who("deliverer") == "máy"
        assert who(None) == ""


def test_the_story_of_a_tube_names_who_received_it(app: Flask, bench: Bench) -> None:
    hire(bench, "lan", "Trần Thị Lan")
    tube = bench.swab(received=False)
    bench.session.commit()
    browser = Browser(app.test_client(), language="vi")
    browser.sign_in("lan", PASSWORD)
    browser.post("/receive", {"text": tube.barcode})
    page = browser.get(f"/tubes/{tube.barcode}").text
    assert "· Trần Thị Lan</small>" in page
