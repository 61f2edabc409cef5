"""S17: a person lives in one ward, works in another and was swabbed in a third."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from lims.domain.registration import AreaRef
from tests import seen
from tests.builders import ELSEWHERE, HOME, PROVINCE, WORK, Bench, open_bench


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _told_of_a_positive(
    bench: Bench, *, area: AreaRef | None = HOME, work_area: AreaRef | None = WORK
) -> set[UUID]:
    person = bench.swab(area=area, work_area=work_area)
    bench.run({person.barcode: 24.0})
    return {n.subscription_id for n in seen.notices(bench.session, "case.opened")}


def test_the_notice_goes_home_a_copy_to_work_and_none_to_where_she_was_swabbed(
    bench: Bench,
) -> None:
    home, work, swabbed = (bench.subscribe(area) for area in (HOME, WORK, ELSEWHERE))
    province = bench.subscribe(PROVINCE)

    told = _told_of_a_positive(bench)

    assert told == {home, work}
    assert not told & {swabbed, province, bench.desk()}


def test_one_who_lives_and_works_in_one_ward_is_told_of_once(bench: Bench) -> None:
    home = bench.subscribe(HOME)

    assert _told_of_a_positive(bench, work_area=HOME) == {home}
    assert len(seen.notices(bench.session, "case.opened")) == 1


def test_two_teams_of_one_ward_are_both_told(bench: Bench) -> None:
    day, night = bench.subscribe(HOME), bench.subscribe(HOME, name="Night shift")

    assert _told_of_a_positive(bench) == {day, night}


def test_a_workplace_alone_does_not_replace_the_home(bench: Bench) -> None:
    work = bench.subscribe(WORK)

    assert _told_of_a_positive(bench) == {work, bench.desk()}
