"""A roster in the browser: opened from a list, started, marked by number, read at once (S19)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.domain.barcodes import shown
from lims.tables import (
    CardDoubt,
    F0Case,
    Person,
    RapidTest,
    RosterMember,
    Specimen,
    Tube,
    TubeSpecimen,
)
from lims.work.access import Role
from tests.builders import Bench
from tests.builders_rapid import GTIN, box
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn

SYLLABLES = ("An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Khánh")
LIST = "\n".join(
    f"{n}\tNguyễn {SYLLABLES[n // 7]} {SYLLABLES[n % 7]}\t{2000 + n % 10}" for n in range(1, 41)
)
CARD = "079207012345||Trần Thị Mỹ Hạnh|05032007|Nữ|12 Hai Bà Trưng|01012021"
Wait = Callable[[int], None]


@pytest.fixture
def wait(app: Flask, laboratory: Laboratory, now: datetime) -> Wait:
    """`wait(20)`: the laboratory's clock goes on by so many minutes."""
    passed = [0]

    def later(minutes: int) -> None:
        passed[0] += minutes
        at = now + timedelta(minutes=passed[0])
        app.extensions["laboratory"] = replace(laboratory, clock=lambda: at)

    return later


@pytest.fixture
def desk(signed_in: SignIn, bench: Bench) -> Browser:
    box(bench)
    bench.session.commit()
    return signed_in(Role.TECHNICIAN)


def opened(desk: Browser, people: str = LIST, **more: str) -> str:
    form = {"roster_id": str(uuid7()), "kind": "class", "name": "Lớp 9A1", "people": people}
    answer = desk.post("/collect/rapid/rosters", form | more)
    assert answer.status_code == 303, words(answer)
    return str(answer.location)


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def asked(desk: Browser, path: str) -> dict[str, str]:
    """The confirmation that the first readable timer asks for."""
    timer = field(desk.get(path).text, "ask")
    page = desk.get(f"{path}?ask={timer}").text
    ask = page[page.index('role="alertdialog"') :]
    return {name: field(ask, name) for name in ("timer_id", "seen")}


def test_a_class_of_forty_is_read_in_one_confirmation(
    desk: Browser, bench: Bench, wait: Wait
) -> None:
    path = opened(desk)
    desk.post(f"{path}/start", {"timer_id": str(uuid7())})
    wait(12)
    early = desk.post(f"{path}/scan", {"text": "17+"})
    assert (early.status_code, "too early" in words(early)) == (409, True)
    wait(8)
    assert desk.post(f"{path}/scan", {"text": "17+"}).status_code == 303

    form = asked(desk, path)
    seen = form["seen"].split()
    assert (seen[16], [len(seen), sum(one.endswith("-") for one in seen)]) == ("17+", [40, 39])
    for _ in range(2):  # a second press keeps nothing twice
        assert desk.post(f"{path}/read", form).status_code == 303

    said = words(desk.get(path))
    assert "Presumptive F0. Isolate now; the tracing team has been told." in said
    assert "39 of 40 negative" in said
    assert bench.session.scalar(select(func.count()).select_from(RapidTest)) == 40
    label = next(bench.labels)
    desk.post(f"{path}/scan", {"text": label})
    assert f"PCR tube {shown(label)}" in words(desk.get(path))
    assert bench.session.scalars(select(F0Case.state)).all() == ["presumptive"]


def test_other_numbers_than_those_confirmed_are_refused(desk: Browser, wait: Wait) -> None:
    path = opened(desk)
    desk.post(f"{path}/start")
    wait(20)
    form = asked(desk, path)
    desk.post(f"{path}/mark", {"said": "3+"})
    refused = desk.post(f"{path}/read", form)
    assert refused.status_code == 409
    assert "now 3+" in words(refused) and "39 negative · 1 positive" in words(refused)


def test_a_double_tap_is_one_tap(desk: Browser, wait: Wait) -> None:
    path = opened(desk)
    desk.post(f"{path}/start")
    wait(20)
    tap = tap_of(desk, path, 3)
    assert tap == "3+"
    for _ in range(2):
        assert desk.post(f"{path}/mark", {"said": tap}).status_code == 303
    assert tap_of(desk, path, 3) == "3?"  # one sign on, not two: it is positive
    for said in ("3+c", "3+c", "3+s"):
        desk.post(f"{path}/mark", {"said": said})
    page = desk.get(path).text
    assert [
        value for value in ("3+c", "3+f", "3+s") if f'"{value}" aria-pressed="true"' in page
    ] == [
        "3+c",
        "3+s",
    ]


def test_a_tap_without_a_sign_changes_nothing(desk: Browser, wait: Wait) -> None:
    path = opened(desk)
    desk.post(f"{path}/start")
    wait(20)
    assert desk.post(f"{path}/mark", {"position": "3"}).status_code == 422
    assert tap_of(desk, path, 3) == "3+"


def tap_of(desk: Browser, path: str, position: int) -> str:
    """What a tap on this number says now."""
    found = re.search(rf'name="said" value="({position}[-+?])" title', desk.get(path).text)
    assert found is not None
    return found[1]


def test_a_late_timer_offers_new_strips(desk: Browser, wait: Wait) -> None:
    path = opened(desk)
    desk.post(f"{path}/start")
    wait(31)
    page = words(desk.get(path))
    assert "unreadable. Repeat with new strips." in page
    assert "Start 40 strips" in page
    desk.post(f"{path}/start")
    assert "Everybody has a strip." in words(desk.get(path))


def test_without_a_kit_nothing_is_started(signed_in: SignIn, bench: Bench) -> None:
    desk = signed_in(Role.TECHNICIAN)
    path = opened(desk)
    refused = desk.post(f"{path}/scan", {"text": "START"})
    assert (refused.status_code, "Scan the kit's box first" in words(refused)) == (422, True)


def test_cards_take_the_next_number_once(desk: Browser, bench: Bench, wait: Wait) -> None:
    path = opened(desk, people="Lê Văn Ước")
    for _ in range(2):
        desk.post(f"{path}/scan", {"text": CARD})
    assert set(bench.session.scalars(select(RosterMember.position))) == {1, 2}
    desk.post(f"{path}/scan", {"text": "START 1-2"})
    wait(16)
    desk.post(f"{path}/scan", {"text": CARD})  # her strip may be read: she is the exception
    assert asked(desk, path)["seen"] == "1- 2+"


def test_a_label_of_one_of_two_positives_waits_for_its_number(
    desk: Browser, bench: Bench, wait: Wait
) -> None:
    path = opened(desk, "Nguyễn Văn An\nLê Thị Ba\nTrần Bốn")
    desk.post(f"{path}/start")
    wait(20)
    desk.post(f"{path}/scan", {"text": "2+ 3+"})
    desk.post(f"{path}/read", asked(desk, path))
    two, three = next(bench.labels), next(bench.labels)

    refused = desk.post(f"{path}/scan", {"text": two})
    assert refused.status_code == 409
    assert "These owe their PCR tube: 2 Lê Thị Ba, 3 Trần Bốn." in words(refused)
    assert desk.post(f"{path}/scan", {"text": f"1 {two}"}).status_code == 404
    assert bench.session.scalars(select(Tube.barcode)).all() == []

    assert desk.post(f"{path}/scan", {"text": f"2 {three}"}).status_code == 303
    page = desk.get(path)
    assert f"PCR tube {shown(three)}: number 2, Lê Thị Ba." in words(page)
    undo = {"swab_id": field(page.text, "swab_id")}  # it was the tube of number 3
    for _ in range(2):
        assert desk.post(f"{path}/tube/undo", undo).status_code == 303
    for text in (f"2 {two}", three):
        desk.post(f"{path}/scan", {"text": text})
    assert f"PCR tube {shown(three)}: number 3, Trần Bốn." in words(desk.get(path))
    whose = {one.barcode: name for one, name in bench.session.execute(TUBES)}
    assert whose == {two: "Lê Thị Ba", three: "Trần Bốn"}


TUBES = (
    select(Tube, Person.name)
    .join(TubeSpecimen, TubeSpecimen.tube_id == Tube.id)
    .join(Specimen, Specimen.id == TubeSpecimen.specimen_id)
    .join(Person, Person.id == Specimen.person_id)
)
NAMESAKES = "1\tNguyễn Văn An\t2007\n2\tNguyễn Văn An\t2007\n3\tLê Thị Ba\t2007"
INSURED = (
    f"GD4797932098765|{'Nguyễn Văn An'.encode().hex()}|2007|1|||79 - 023|01/01/2021|31/12/2021|"
)


def test_a_card_without_a_number_is_nobodys_among_namesakes(desk: Browser, wait: Wait) -> None:
    path = opened(desk, NAMESAKES)
    desk.post(f"{path}/start")
    wait(20)
    refused = desk.post(f"{path}/scan", {"text": INSURED})
    assert (refused.status_code, "Whose card is it?" in words(refused)) == (409, True)
    assert re.findall(r'name="said" value="([12][+])">', refused.text) == ["1+", "2+"]
    assert asked(desk, path)["seen"] == "1- 2- 3-"


def test_one_namesake_is_asked_about_and_another_person_is_put_on_once(
    desk: Browser, bench: Bench, wait: Wait
) -> None:
    path = opened(desk, "Nguyễn Văn An\t2007")
    desk.post(f"{path}/start")
    wait(20)
    refused = desk.post(f"{path}/scan", {"text": INSURED})
    assert asked(desk, path)["seen"] == "1-"
    answer = {name: field(refused.text, name) for name in ("card", "add_id")}
    for _ in range(2):
        assert desk.post(f"{path}/card", answer).status_code == 303
    assert set(bench.session.scalars(select(RosterMember.position))) == {1, 2}
    assert asked(desk, path)["seen"] == "1-"


def test_a_numbered_card_finds_its_own_person_among_namesakes(desk: Browser, wait: Wait) -> None:
    named = "Trần Thị Mỹ Hạnh\t2007"
    path = opened(desk, f"{named}\n{named}\t079207012345\n{named}")
    desk.post(f"{path}/start")
    wait(20)
    assert desk.post(f"{path}/scan", {"text": CARD}).status_code == 303
    assert asked(desk, path)["seen"] == "1- 2+ 3-"


def test_a_card_of_another_name_waits_for_a_reviewer(
    desk: Browser, bench: Bench, wait: Wait
) -> None:
    first = opened(desk, people="")
    desk.post(f"{first}/scan", {"text": CARD})
    second = opened(desk, people="")
    desk.post(f"{second}/scan", {"text": CARD.replace("Hạnh", "Dung")})
    desk.post(f"{second}/start")
    wait(20)
    desk.post(f"{second}/read", asked(desk, second))
    doubt = bench.session.scalars(select(CardDoubt)).one()
    assert doubt.name == "Trần Thị Mỹ Dung"
    assert bench.session.scalars(select(Person.identity_conflict)).all() == ["name"]


def test_the_same_class_next_week_brings_its_people(desk: Browser, bench: Bench) -> None:
    earlier = opened(desk)
    again = opened(desk, people="", copied_from=earlier.rpartition("/")[2])
    assert "40 people" in words(desk.get(again))
    assert bench.session.scalar(select(func.count()).select_from(Person)) == 40


def test_a_line_that_cannot_be_read_names_its_number(desk: Browser) -> None:
    form = {"kind": "class", "name": "9A1", "people": "Lê Văn Ước\n1987"}
    answer = desk.post("/collect/rapid/rosters", form)
    assert answer.status_code == 422
    assert "line 2:" in words(answer)


@pytest.mark.parametrize("day", ["31/02/2014", "31.02.2014", "2999"])
def test_a_day_that_cannot_be_is_asked_for_again_and_taken_for_nothing_else(
    desk: Browser, bench: Bench, day: str
) -> None:
    form = {"kind": "class", "name": "9A1", "people": f"Lê Văn Ước\t{day}"}
    answer = desk.post("/collect/rapid/rosters", form)
    assert answer.status_code == 422
    assert ("no such day" if "/" in day or "." in day else "still to come") in words(answer)
    assert bench.session.scalar(select(func.count()).select_from(Person)) == 0


def test_a_doors_number_beside_a_name_is_no_birth(desk: Browser, bench: Bench) -> None:
    opened(desk, people="Lê Văn Ước; 1203")
    assert bench.session.scalars(select(Person.birth_year)).one() is None


def test_an_expired_box_and_a_strange_scan_are_refused(desk: Browser) -> None:
    path = opened(desk)
    old = desk.post(f"{path}/scan", {"text": f"(01){GTIN}(17)200101(10)OLD"})
    assert "Kit expired" in words(old)
    strange = desk.post(f"{path}/scan", {"text": "xin chào"})
    assert "Type the number and the sign, as 17+ or 17?" in words(strange)
