"""Health books on the page of other systems: set up, asked what they have, sent once more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import text

from lims.db.laboratory import Laboratory
from lims.domain.exchange import DestinationKind
from lims.exchange.adapters.area_figures import AreaFigures
from lims.exchange.adapters.health_book import HealthBook
from lims.exchange.area_keeper import AreaKeeper
from lims.exchange.compare import Comparer
from lims.exchange.deliver import ExchangeDeliverer
from lims.work.access import Role
from tests.builders import open_bench
from tests.exchange.platform import LABORATORY, TOKEN, Platform, platform, take
from tests.web.browsing import words
from tests.web.conftest import SignIn

PAGE = "/admin/destinations"


def given(book: Platform) -> dict[str, str]:
    return {
        "name": "Sổ sức khỏe",
        "url": book.url,
        "token": TOKEN,
        "laboratory": LABORATORY,
        "everywhere": "yes",
    }


def test_what_is_not_there_is_shown_by_its_tube_and_sent_once_more(
    signed_in: SignIn, laboratory: Laboratory, now: datetime
) -> None:
    browser = signed_in(Role.ADMIN)
    deliverer = ExchangeDeliverer(laboratory, {DestinationKind.HEALTH_BOOK: HealthBook()})
    with platform() as book:
        browser.post(f"{PAGE}/health-book", given(book))
        with laboratory.sessions.begin() as session:
            bench = open_bench(session, now - timedelta(days=1))
            swabs = bench.swabs(3)
            bench.lab_pool(swabs)
            bench.run()
            one = session.execute(text("SELECT id FROM destination")).scalar_one()
        deliverer.drain()
        assert len(book.books) == 3
        assert "Not asked yet." in browser.get(PAGE).text
        del book.books[str(swabs[1].specimen_id)]
        browser.post(f"{PAGE}/{one}/compare", {})
        assert "It is being asked since" in browser.get(PAGE).text
        assert Comparer(laboratory).one()
        shown = browser.get(PAGE).text
        assert "it took 3, it has 2" in shown
        assert swabs[1].barcode in shown
        assert "is not there" in shown
        browser.post(f"{PAGE}/{one}/send-what-is-not-there", {})
        deliverer.drain()
        assert len(book.books) == 3
        browser.post(f"{PAGE}/{one}/compare", {})
        assert Comparer(laboratory).one()
        assert "Everything that it took is there." in browser.get(PAGE).text


def test_one_that_does_not_say_it_is_shown_with_its_words(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    browser = signed_in(Role.ADMIN)
    with platform(broken=lambda _: (503, b'{"detail": "bao tri"}')) as book:
        browser.post(f"{PAGE}/health-book", given(book))
        with laboratory.sessions.begin() as session:
            one = session.execute(text("SELECT id FROM destination")).scalar_one()
        browser.post(f"{PAGE}/{one}/compare", {})
        assert Comparer(laboratory).one(last=True)
    shown = browser.get(PAGE).text
    assert "It did not say what it has" in shown
    assert "503 bao tri" in shown


def test_a_token_is_never_written_out_and_faults_are_said_beside_their_fields(
    signed_in: SignIn, laboratory: Laboratory
) -> None:
    browser = signed_in(Role.ADMIN)
    wrong = {"name": "S", "url": "ftp://so", "token": "rat-bi-mat có dấu", "laboratory": "a b"}
    answer = browser.post(f"{PAGE}/health-book", wrong)
    assert answer.status_code == 422
    for said in (
        "an https address, or http inside a private network",
        "the token that the platform gave, without spaces",
        "the code that the platform knows this laboratory by",
    ):
        assert said in answer.text
    assert "rat-bi-mat" not in answer.text
    with platform() as book:
        browser.post(f"{PAGE}/health-book", given(book))
        assert TOKEN not in browser.get(PAGE).text
    with laboratory.sessions.begin() as session:
        audited = session.execute(text("SELECT detail::text FROM audit_event")).scalars()
        assert not any(TOKEN in one for one in audited)


def test_an_epidemic_zone_app_is_set_up_told_figures_and_shown_by_commune_and_day(
    signed_in: SignIn, laboratory: Laboratory, now: datetime
) -> None:
    browser = signed_in(Role.ADMIN)
    assert "Never of a person" in browser.get(f"{PAGE}?kind=area-figures").text
    deliverer = ExchangeDeliverer(laboratory, {DestinationKind.AREA_FIGURES: AreaFigures()})
    with platform(lambda _: ("refused", "xa da sap nhap"), areas=True) as app:
        form = {
            "name": "Vùng dịch",
            "url": app.url,
            "token": TOKEN,
            "laboratory": LABORATORY,
            "everywhere": "yes",
        }
        browser.post(f"{PAGE}/area-figures", form)
        shown = browser.get(PAGE).text
        assert "It is told the communes&#39; figures" in shown and "Figures owed" in shown
        with laboratory.sessions.begin() as session:
            bench = open_bench(session, now - timedelta(hours=1))
            bench.swab()
            bench.run()
            one = session.execute(text("SELECT id FROM destination")).scalar_one()
        earlier = replace(laboratory, clock=lambda: now - timedelta(minutes=5))
        assert AreaKeeper(earlier).once() == 1
        deliverer.drain()
        refused = words(browser.get(PAGE))
        assert "Tân Định, 11 Sep 2021 figures refused xa da sap nhap" in refused
        app.judge = take
        browser.post(f"{PAGE}/{one}/send-again", {})
        deliverer.drain()
        (record,) = app.books
        del app.books[record]
        browser.post(f"{PAGE}/{one}/compare", {})
        assert Comparer(laboratory).one()
        missing = words(browser.get(PAGE))
        assert "Tân Định, 11 Sep 2021 is not there" in missing
        assert "final result was never owed" not in missing
