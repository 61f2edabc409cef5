"""Who declared themselves elsewhere is found at the desk, and swabbed in two scans."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text

from lims.domain.declarations import Entry
from lims.exchange.adapters.declaration_entry import read_entry
from lims.tables import Household, Person, Specimen
from lims.work.access import Role
from lims.work.declare import keep_declarations
from lims.work.destinations import DeclarationPlatform, add_destination
from lims.work.take_back import take_back_last
from tests.builders import Bench
from tests.exchange.declaring import LABORATORY, TOKEN, health, household, withdrawn
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn
from tests.web.test_collect import CARD, carried, scans

NUMBER = "079185000001"
DOOR = ["Trần Văn Ba", "Lê Thị Tư", "Trần Văn Út"]
MASKED = "********0001|NGUYEN T** M**|1985-**-**|0|VNQ0000000077|"


@pytest.fixture
def desk(signed_in: SignIn, bench: Bench) -> Browser:
    return signed_in(Role.TECHNICIAN)


def declared(bench: Bench, *said: dict[str, Any]) -> None:
    """As the puller keeps them."""
    destination = bench.session.execute(text("SELECT id FROM destination")).scalar()
    destination = destination or add_destination(
        bench.session,
        DeclarationPlatform("https://khai-bao.example.vn", TOKEN, LABORATORY),
        site_id=bench.site_id,
        name="Khai báo",
        area=None,
        by="admin",
        now=bench.now,
    )
    entries = [read_entry(one) for one in said]
    keep_declarations(
        bench.session,
        destination,
        [one for one in entries if isinstance(one, Entry)],
        [],
        site_id=bench.site_id,
        now=bench.now,
    )
    bench.session.commit()


def person(bench: Bench, name: str) -> Person:
    bench.session.expire_all()
    return bench.session.scalars(select(Person).where(Person.name == name)).one()


@pytest.mark.parametrize("shown", [NUMBER, "kb-000001-hn", "KB-000001-HN"])
def test_a_number_or_a_code_and_a_tube_are_two_scans(
    desk: Browser, bench: Bench, shown: str
) -> None:
    declared(bench, health(1, person={"phone": "0912345678"}))
    assert "✓ Nguyễn Thị Mai" in scans(desk, shown, next(bench.labels))
    kept = person(bench, "Nguyễn Thị Mai")
    assert (kept.national_id, kept.phone, kept.area_code) == (NUMBER, "+84912345678", "26734")
    assert (kept.address, str(kept.birth_date)) == ("12 Hai Bà Trưng", "1985-03-05")


@pytest.mark.parametrize("shown", [NUMBER, "KB-000001-HN"])
def test_the_tube_may_come_first(desk: Browser, bench: Bench, shown: str) -> None:
    declared(bench, health(1))
    assert "✓ Nguyễn Thị Mai" in scans(desk, next(bench.labels), shown)


def test_a_telephone_finds_and_never_registers_by_itself(desk: Browser, bench: Bench) -> None:
    declared(bench, health(1, person={"phone": "0912 345 678"}))
    tube = next(bench.labels)
    page = scans(desk, tube, "0912.345.678")
    assert "Nguyễn Thị Mai" in page and "Press A to register" in page
    assert not bench.session.scalars(select(Specimen)).all()
    assert desk.post("/collect", {**carried(page)}).status_code == 303
    assert person(bench, "Nguyễn Thị Mai").phone == "+84912345678"


def test_two_of_one_telephone_are_asked_apart(desk: Browser, bench: Bench) -> None:
    phone = {"phone": "0912345678"}
    declared(bench, health(1, person=phone), health(2, "Lê Văn Hai", person=phone))
    tube = next(bench.labels)
    page = scans(desk, tube, "0912345678")
    assert "Who of them is here?" in page
    assert "Nguyễn Thị Mai" in page and "Lê Văn Hai" in page
    chosen = bench.session.execute(
        text("SELECT id FROM declared_person WHERE name = 'Lê Văn Hai'")
    ).scalar_one()
    answer = desk.post("/collect/known", {**carried(page), "declared": str(chosen)})
    assert answer.status_code == 303
    assert person(bench, "Lê Văn Hai").phone == "+84912345678"


def test_what_was_declared_stands_under_the_name_before_the_tube_is_scanned(
    desk: Browser, bench: Bench
) -> None:
    declared(bench, health(1, symptoms=["sốt", "ho"], exposure="contact"))
    page = scans(desk, NUMBER)
    assert "KB-000001-HN" in page
    assert "sốt · ho · contact of a case" in page


def test_the_card_wins_over_what_was_declared(desk: Browser, bench: Bench) -> None:
    number = CARD.split("|")[0]
    said = {"cccd": number, "name": "Phạm Hồng Nhung", "phone": "0912345678"}
    declared(bench, health(1, person=said))
    assert "✓ Phạm Thị Hồng Nhung" in scans(desk, CARD, next(bench.labels))
    kept = person(bench, "Phạm Thị Hồng Nhung")
    assert (kept.phone, kept.area_code) == ("+84912345678", "26734")
    assert kept.address != "12 Hai Bà Trưng"


def test_a_masked_code_of_somebody_expected_is_enough(desk: Browser, bench: Bench) -> None:
    declared(bench, health(1, person={"qid": "VNQ0000000077"}))
    assert "✓ Nguyễn Thị Mai" in scans(desk, MASKED, next(bench.labels))
    assert person(bench, "Nguyễn Thị Mai").national_id == NUMBER


def test_capitals_without_accents_are_written_as_their_bearer_wrote_them(
    desk: Browser, bench: Bench
) -> None:
    declared(bench, health(1))
    card = f"{NUMBER}|NGUYEN THI MAI|1985-03-05|0|VNQ0000000001|"
    assert "✓ Nguyễn Thị Mai" in scans(desk, card, next(bench.labels))


def test_a_commune_that_is_none_of_todays_is_asked_for_and_never_guessed(
    desk: Browser, bench: Bench
) -> None:
    home = {"commune": {"code": "26734", "name": "Phường Đa Kao", "province": "79"}}
    declared(bench, health(1, home=home))
    page = scans(desk, NUMBER)
    assert "Lives, as declared: 26734 Phường Đa Kao." in page
    assert "no commune yet" in page
    assert "✓ Nguyễn Thị Mai" in on(desk, page, next(bench.labels))
    assert person(bench, "Nguyễn Thị Mai").area_code is None


def test_the_household_comes_along_and_the_next_is_one_tap(desk: Browser, bench: Bench) -> None:
    declared(bench, household(1, DOOR))
    page = scans(desk, "079050000001", next(bench.labels))
    assert "✓ Trần Văn Ba" in page and "household 114/1" in page
    assert "Lê Thị Tư" in page and "Trần Văn Út" in page, "who is expected from there too"
    one = bench.session.execute(
        text("SELECT id FROM declared_person WHERE name = 'Lê Thị Tư'")
    ).scalar_one()
    page = desk.post("/collect/known", {"declared": str(one)}).text
    page = on(desk, page, next(bench.labels))
    assert "✓ Lê Thị Tư" in page and "Trần Văn Út" in page
    door = bench.session.scalars(select(Household)).one()
    assert {person(bench, name).household_id for name in DOOR[:2]} == {door.id}


def test_a_whole_household_shares_a_tube_by_its_code_and_one_tap(
    desk: Browser, bench: Bench
) -> None:
    declared(bench, household(1, DOOR))
    tube = next(bench.labels)
    page = scans(desk, tube, "HO-000001-0114", path="/collect/field-pool")
    assert "Add all 3 who declared" in page
    page = desk.post("/collect/field-pool/add", {**carried(page), "expected": "all"}).text
    assert "Add all" not in page and "3 of 20" in page
    following = {**carried(page), "text": next(bench.labels)}
    answer = desk.post("/collect/field-pool/scan", following)
    assert answer.status_code == 303, words(answer)
    door = bench.session.scalars(select(Household)).one()
    for name in DOOR:
        kept = person(bench, name)
        assert (kept.household_id, kept.area_code) == (door.id, "26734")
    assert not still_expected(bench)


def test_who_was_swabbed_is_expected_no_more_and_again_when_it_is_taken_back(
    desk: Browser, bench: Bench
) -> None:
    declared(bench, household(1, DOOR))
    scans(desk, "079050000001", next(bench.labels))
    assert still_expected(bench) == ["Lê Thị Tư", "Trần Văn Út"]
    page = scans(desk, "079050000001")
    assert "swabbed already for this declaration" in page
    by = bench.session.execute(text("SELECT registered_by FROM specimen")).scalar_one()
    take_back_last(bench.session, site_id=bench.site_id, by=by, since=bench.now, now=bench.now)
    bench.session.commit()
    assert still_expected(bench) == sorted(DOOR)


def test_who_withdrew_is_known_to_nobody(desk: Browser, bench: Bench) -> None:
    said = health(1)
    declared(bench, said)
    page = scans(desk, NUMBER)
    declared(bench, withdrawn(said))
    assert "Nguyễn Thị Mai" not in scans(desk, NUMBER)
    assert desk.post("/collect/scan", {"text": "KB-000001-HN"}).status_code == 422
    assert "✓ Nguyễn Thị Mai" in on(desk, page, next(bench.labels))


def test_somebody_known_here_keeps_what_is_stored(desk: Browser, bench: Bench) -> None:
    swab = bench.swab(name="Nguyễn Thị Mai")
    bench.session.execute(
        text("UPDATE person SET national_id = :n WHERE id = :id"),
        {"n": NUMBER, "id": swab.person_id},
    )
    declared(bench, health(1, "Nguyễn Mai", person={"phone": "0912345678"}))
    assert "✓ Nguyễn Thị Mai" in scans(desk, NUMBER, next(bench.labels))
    assert person(bench, "Nguyễn Thị Mai").id == swab.person_id


def test_somebody_known_of_no_door_is_of_the_declared_one_from_now_on(
    desk: Browser, bench: Bench
) -> None:
    swab = bench.swab(name="Trần Văn Ba")
    bench.session.execute(
        text("UPDATE person SET national_id = '079050000001' WHERE id = :id"),
        {"id": swab.person_id},
    )
    declared(bench, household(1, DOOR))
    page = scans(desk, "079050000001", next(bench.labels))
    assert "✓ Trần Văn Ba" in page and "Lê Thị Tư" in page
    door = bench.session.scalars(select(Household)).one()
    assert person(bench, "Trần Văn Ba").household_id == door.id


def test_who_looked_a_telephone_up_is_in_the_audit_trail(desk: Browser, bench: Bench) -> None:
    declared(bench, health(1, person={"phone": "0912345678"}))
    scans(desk, "0912345678")
    (detail,) = bench.session.execute(
        text("SELECT detail FROM audit_event WHERE verb = 'search' AND subject = 'phone'")
    ).scalars()
    (expected,) = bench.session.execute(text("SELECT id FROM declared_person")).scalars()
    assert detail == {"declared": [str(expected)]}


def on(desk: Browser, page: str, text: str) -> str:
    """One more scan on this page, and the page after it."""
    answer = desk.post("/collect/scan", {**carried(page), "text": text})
    return (desk.get(answer.location) if answer.status_code == 303 else answer).text


def still_expected(bench: Bench) -> list[str]:
    bench.session.expire_all()
    return list(
        bench.session.execute(
            text(
                "SELECT name FROM declared_person p WHERE NOT EXISTS"
                " (SELECT FROM specimen s WHERE s.id = p.specimen_id) ORDER BY name"
            )
        ).scalars()
    )
