"""A card number changes hands by a merge while it is scanned: its swab is of who is left."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.db.ids import uuid7
from lims.domain.registration import PersonGiven, Registration
from lims.tables import Person, Specimen
from lims.work.field_pool import FieldPoolRequest, Swabbed, register_field_pool
from lims.work.merge import merge_people
from lims.work.register import register
from lims.work.register_batch import register_batch
from tests.builders import Bench, open_bench
from tests.until import WITHIN_S
from tests.waiting import until_somebody_waits, while_the_first_is_open

NUMBER = "001089012345"
Taken = Callable[[Session, Bench, UUID, str, datetime], None]


def _card() -> PersonGiven:
    return PersonGiven("Nguyễn Thị Mai", "nguyen thi mai", 1980, national_id=NUMBER)


def _one_swab(session: Session, bench: Bench, swab: UUID, tube: str, now: datetime) -> None:
    given = Registration(swab, tube, now, person=_card())
    register(session, given, site_id=bench.site_id, by="desk", now=now)


def _a_list(session: Session, bench: Bench, swab: UUID, tube: str, now: datetime) -> None:
    given = Registration(swab, tube, now, person=_card())
    register_batch(session, [(1, given)], site_id=bench.site_id, by="desk", now=now)


def _a_household(session: Session, bench: Bench, swab: UUID, tube: str, now: datetime) -> None:
    request = FieldPoolRequest(uuid7(), tube, now, (Swabbed(swab, _card()),))
    register_field_pool(session, request, site_id=bench.site_id, by="desk", now=now)


@pytest.mark.parametrize("taken", [_one_swab, _a_list, _a_household])
@pytest.mark.parametrize("merge_first", [True, False])
def test_a_card_scanned_while_its_number_moves_is_of_who_is_left(
    database: Engine, now: datetime, taken: Taken, merge_first: bool
) -> None:
    sessions = session_factory(database)
    with sessions.begin() as session:
        bench = open_bench(session, now)
        kept, gone = bench.swab().person_id, bench.swab().person_id
        session.get_one(Person, gone).national_id = NUMBER
        swab, tube = uuid7(), next(bench.labels)

    def take_it(session: Session) -> None:
        taken(session, bench, swab, tube, now)

    def merge_them(session: Session) -> None:
        merge_people(session, kept, gone, "one", site_id=bench.site_id, by="user:r", now=now)

    first, second = (merge_them, take_it) if merge_first else (take_it, merge_them)

    while_the_first_is_open(database, first, second)

    with sessions() as session:
        owner = session.scalar(select(Specimen.person_id).where(Specimen.id == swab))
        assert owner == kept
        assert session.scalars(select(Person.id).where(Person.national_id == NUMBER)).all() == [
            kept
        ]


def test_a_household_and_a_merge_of_two_of_its_people_wait_in_one_order(
    database: Engine, now: datetime
) -> None:
    """The tube names them against the order of their ids; the merge holds the first already."""
    sessions = session_factory(database)
    with sessions.begin() as session:
        bench = open_bench(session, now)
        low, high = sorted(bench.swab().person_id for _ in range(2))
        members = (Swabbed(uuid7(), person_id=high), Swabbed(uuid7(), person_id=low))
        request = FieldPoolRequest(uuid7(), next(bench.labels), now, members)

    def pooled() -> None:
        with sessions.begin() as session:
            register_field_pool(session, request, site_id=bench.site_id, by="desk", now=now)

    lock = text("SELECT id FROM person WHERE id = :id FOR NO KEY UPDATE")
    with ThreadPoolExecutor(1) as threads:
        with sessions.begin() as merging:
            merging.execute(lock, {"id": low})
            waiting = threads.submit(pooled)
            until_somebody_waits(database)
            merging.execute(text("SET LOCAL lock_timeout = '5s'"))
            merging.execute(lock, {"id": high})
        waiting.result(timeout=WITHIN_S)
