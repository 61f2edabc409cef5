"""S17: an F0 is told of to the ward where they live now, which is what they said last."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.identity import name_key
from lims.domain.registration import AreaRef, PersonGiven, Registration
from lims.tables import Notice, Person
from lims.work.people import keep_people
from lims.work.receive import receive
from lims.work.register import register
from lims.work.register_batch import register_batch
from tests.builders import ELSEWHERE, HOME, WORK, Bench, open_bench

MONTH = 30 * 24 * 60
Door = Callable[[Bench, Registration], None]


def _one(bench: Bench, given: Registration) -> None:
    register(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)


def _list(bench: Bench, given: Registration) -> None:
    (row,) = register_batch(
        bench.session, [(1, given)], site_id=bench.site_id, by="desk", now=bench.now
    )
    assert row.refusal is None


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _card(area: AreaRef | None, **more: str | AreaRef) -> PersonGiven:
    given = {"name": "Lê Thị Ba", "phone": "+84912345678", "address": "12 Hai Bà Trưng"} | more
    name = str(given["name"])
    return PersonGiven(
        name,
        name_key(name),
        1980,
        phone=str(given["phone"]),
        national_id="079080001234",
        address=str(given["address"]),
        area=area,
    )


def _swab(bench: Bench, door: Door, card: PersonGiven, *, ago: timedelta = timedelta(0)) -> str:
    barcode = next(bench.labels)
    door(bench, Registration(uuid7(), barcode, bench.now - ago, card))
    receive(bench.session, barcode, by="door", now=bench.now)
    return barcode


def _lives(bench: Bench) -> tuple[str | None, str | None, str | None]:
    bench.session.expire_all()
    person = bench.session.scalars(select(Person)).one()
    return person.area_code, person.address, person.phone


@pytest.mark.parametrize("door", [_one, _list])
def test_who_has_moved_is_told_of_to_the_new_ward_alone(bench: Bench, door: Door) -> None:
    old, new = bench.subscribe(HOME), bench.subscribe(ELSEWHERE)
    _swab(bench, door, _card(HOME))
    bench.later(MONTH)
    again = _swab(bench, door, _card(ELSEWHERE, address="5 Lò Đúc", phone="+84987654321"))
    assert _lives(bench) == (ELSEWHERE.code, "5 Lò Đúc", "+84987654321")
    bench.run({again: 22.0})
    told = set(bench.session.scalars(select(Notice.subscription_id)))
    assert told == {new} and old not in told


def test_a_desk_that_was_killed_before_the_new_address_writes_it_when_it_asks_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _swab(bench, _one, _card(HOME))
    bench.later(MONTH)
    given = Registration(uuid7(), next(bench.labels), bench.now, _card(ELSEWHERE))
    with monkeypatch.context() as killed:
        killed.setattr("lims.work.register.follow_newest_contact", lambda *_: None)
        _one(bench, given)
    assert _lives(bench)[0] == HOME.code
    _one(bench, given)
    assert _lives(bench)[0] == ELSEWHERE.code


@pytest.mark.parametrize("door", [_one, _list])
def test_what_was_left_empty_and_an_old_list_change_nothing(bench: Bench, door: Door) -> None:
    _swab(bench, door, _card(HOME))
    bench.later(MONTH)
    _swab(bench, door, _card(None))
    _swab(bench, door, _card(ELSEWHERE), ago=timedelta(days=3))
    assert _lives(bench) == (HOME.code, "12 Hai Bà Trưng", "+84912345678")


@pytest.mark.parametrize("door", [_one, _list])
def test_in_the_same_commune_only_the_telephone_is_new(bench: Bench, door: Door) -> None:
    """The card that is scanned says where its person is registered, not where they live."""
    _swab(bench, door, _card(HOME))
    bench.later(MONTH)
    _swab(bench, door, _card(HOME, address="Tổ 4, Kim Liên", phone="+84987654321"))
    assert _lives(bench) == (HOME.code, "12 Hai Bà Trưng", "+84987654321")


@pytest.mark.parametrize("door", [_one, _list])
def test_another_name_on_the_card_moves_nobody(bench: Bench, door: Door) -> None:
    _swab(bench, door, _card(HOME))
    bench.later(MONTH)
    _swab(bench, door, _card(ELSEWHERE, name="Lê Văn Tư"))
    assert _lives(bench)[0] == HOME.code


@pytest.mark.parametrize("door", [_one, _list])
def test_under_a_case_that_was_told_the_address_stands(bench: Bench, door: Door) -> None:
    bench.subscribe(HOME)
    bench.run({_swab(bench, door, _card(HOME)): 22.0})
    bench.later(MONTH)
    _swab(bench, door, _card(WORK))
    assert _lives(bench)[0] == HOME.code


def test_a_family_s_tube_and_a_strip_say_it_too(bench: Bench) -> None:
    _swab(bench, _one, _card(HOME))
    bench.later(MONTH)
    keep_people(bench.session, [(uuid7(), _card(ELSEWHERE))], site_id=bench.site_id, now=bench.now)
    assert _lives(bench)[0] == ELSEWHERE.code
