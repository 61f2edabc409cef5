"""The reviewer's page: why each thing waits, and the one act that ends its waiting."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, text

from instruments.measurement import Capture, Quarantine, digest_of
from lims.db.ids import uuid7
from lims.domain.identity import name_key
from lims.domain.registration import PersonGiven, Registration
from lims.tables import Finding, Person, Run
from lims.work.access import Role
from lims.work.register import register
from tests.builders import Bench
from tests.captures import plate_capture, stray
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn

_ACTION = re.compile(r'action="(/review/[^"]+)"')


@pytest.fixture
def reviewer(signed_in: SignIn) -> Browser:
    return signed_in(Role.REVIEWER)


def waiting(browser: Browser, show: str) -> list[str]:
    """What the button of each waiting finding sends."""
    return re.findall(r'name="only" value="([^"]+)"', browser.get(f"/review?show={show}").text)


def acts(browser: Browser, show: str) -> list[str]:
    """The acts that the page offers."""
    return _ACTION.findall(browser.get(f"/review?show={show}").text)


def test_an_empty_page_says_that_nothing_waits(reviewer: Browser, bench: Bench) -> None:
    assert "No positive waits for its final word." in words(reviewer.get("/review"))


def test_a_positive_waits_with_its_evidence_and_is_released_once(
    reviewer: Browser, bench: Bench
) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 23.7})
    bench.session.commit()
    page = words(reviewer.get("/review"))
    for said in ("Nguyễn Thị Mai", "ORF1ab 23.7", "PLATE-0001", "rule sars-cov-2/1"):
        assert said in page, said
    (one,) = waiting(reviewer, "positives")
    for _ in range(2):
        answer = reviewer.post("/review/findings/release", {"only": one})
        assert answer.location == "/review?show=positives"
    status = bench.session.scalars(select(Finding.status).where(Finding.current)).one()
    assert status == "F"
    assert "No positive waits" in words(reviewer.get("/review?show=positives"))


def test_an_operator_looks_and_decides_nothing(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 23.7})
    bench.session.commit()
    browser = signed_in(Role.OPERATOR)
    assert "You may look; a reviewer decides." in words(browser.get("/review"))
    assert waiting(browser, "positives") == []


def test_a_held_run_is_let_count(reviewer: Browser, bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0}, pc=None)
    bench.session.commit()
    page = words(reviewer.get("/review?show=runs"))
    assert "positive control H12 did not amplify" in page
    release = next(act for act in acts(reviewer, "runs") if act.endswith("/release"))
    reviewer.post(release)
    assert bench.session.scalars(select(Run.state)).one() == "valid"
    assert "Nguyễn Thị Mai" in words(reviewer.get("/review?show=positives"))


def test_a_run_is_withdrawn_for_a_reason_and_not_without(reviewer: Browser, bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0}, pc=None)
    bench.session.commit()
    withdraw = next(act for act in acts(reviewer, "runs") if act.endswith("/invalidate"))
    assert reviewer.post(withdraw).status_code == 422
    reviewer.post(withdraw, {"reason": "Trộn nhầm hóa chất"})
    assert bench.session.scalars(select(Run.state)).one() == "invalid"


def test_a_disagreement_waits_for_its_repeats_and_is_closed_with_a_reason(
    reviewer: Browser, bench: Bench
) -> None:
    pool = bench.lab_pool(bench.swabs(3))
    bench.run({pool: 30.0})
    bench.run({})
    bench.session.commit()
    page = words(reviewer.get("/review?show=discordant"))
    assert "1 repeat waits" in page and "3 tubes negative" in page
    bench.run({})
    bench.session.commit()
    (close,) = acts(reviewer, "discordant")
    reviewer.post(close, {"reason": "nhiễm chéo khi gộp"})
    outcomes = bench.session.scalars(select(Finding.outcome).where(Finding.current)).all()
    assert set(outcomes) == {"negative"}


def test_a_second_value_stands_beside_the_first_and_may_replace_it(
    reviewer: Browser, bench: Bench
) -> None:
    swab = bench.swab()
    layout = bench.plate()
    bench.later(90).take(plate_capture(layout, {swab.barcode: 24.0}, instrument=bench.instrument))
    bench.take(
        plate_capture(layout, {swab.barcode: 31.5}, only={"A01"}, instrument=bench.instrument)
    )
    bench.session.commit()
    page = words(reviewer.get("/review?show=corrections"))
    assert "ORF1ab 24.0" in page and "ORF1ab 31.5" in page
    accept = next(act for act in acts(reviewer, "corrections") if act.endswith("/accept"))
    reviewer.post(accept)
    current = text("SELECT ct_cycles FROM result WHERE current")
    assert bench.session.scalar(current) == 31.5


def test_an_unknown_measurement_is_attached_or_dismissed(reviewer: Browser, bench: Bench) -> None:
    plated, lost = bench.swab(), bench.swab(name="Trần Văn Lạc")
    layout = bench.plate(plated.barcode)
    told = plate_capture(
        layout,
        {},
        instrument=bench.instrument,
        extra=(stray(layout, "TT0", "B01", 22.0), stray(layout, "TT1", "C01", 20.0)),
    )
    bench.later(90).take(told)
    bench.session.commit()
    assert "plate PLATE-0001 has no well B01" in words(reviewer.get("/review?show=unmatched"))
    attach = [act for act in acts(reviewer, "unmatched") if act.endswith("/attach")]
    assert reviewer.post(attach[0], {"barcode": "nonsense"}).status_code == 422
    reviewer.post(attach[0], {"barcode": lost.barcode})
    reviewer.post(attach[1].replace("attach", "dismiss"), {"reason": "ống thử máy"})
    assert "Every measurement has its tube." in words(reviewer.get("/review?show=unmatched"))
    assert "Trần Văn Lạc" in words(reviewer.get("/review?show=positives"))


def two_cards_under_one_number(bench: Bench) -> None:
    for name, phone in (("Trần Văn Một", "+84911111111"), ("Lê Thị Hai", "+84922222222")):
        person = PersonGiven(
            name, name_key(name), 1980, national_id="001080000001", phone=phone, sex="female"
        )
        given = Registration(
            specimen_id=uuid7(),
            barcode=next(bench.labels),
            collected_at=bench.now,
            person=person,
        )
        register(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)
    bench.session.commit()


def test_two_cards_under_one_number_stand_side_by_side_and_may_be_one_person(
    reviewer: Browser, bench: Bench
) -> None:
    two_cards_under_one_number(bench)
    page = words(reviewer.get("/review?show=identity"))
    assert "Trần Văn Một" in page and "+84911111111" in page
    assert "Lê Thị Hai" in page and "+84922222222" in page
    same = next(act for act in acts(reviewer, "identity") if act.endswith("/same"))
    assert reviewer.post(same).status_code == 303
    assert bench.session.scalars(select(Person.identity_conflict)).one() is None
    assert "No card number has two names." in words(reviewer.get("/review?show=identity"))


def test_two_people_under_one_number_part_at_one_press(reviewer: Browser, bench: Bench) -> None:
    two_cards_under_one_number(bench)
    other = next(act for act in acts(reviewer, "identity") if act.endswith("/other"))
    assert reviewer.post(other).status_code == 303
    people = bench.session.execute(select(Person.name, Person.national_id).order_by(Person.id))
    assert [tuple(row) for row in people] == [
        ("Trần Văn Một", "001080000001"),
        ("Lê Thị Hai", None),
    ]
    assert reviewer.post(other.replace("/other", "/same")).status_code == 409


def test_a_message_nobody_could_read_is_kept_whole(reviewer: Browser, bench: Bench) -> None:
    raw = b"\x02R|1|broken"
    bench.take(
        Capture(
            digest=digest_of(raw),
            instrument=bench.instrument,
            driver="plate96",
            driver_version="1",
            captured_at="2021-09-11T01:00:00Z",
            complete=True,
            raw=raw,
            quarantine=Quarantine("cycle-number", "R3: expected a cycle number"),
        )
    )
    bench.session.commit()
    page = reviewer.get("/review?show=messages")
    assert "cycle-number" in words(page)
    link = re.search(r'href="(/review/messages/[^"]+)"', page.text)
    assert link is not None
    assert reviewer.get(link[1]).data == raw
