"""The reckoning finds what is lost, twice or unexplained: one small day, doctored each way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.demo.ledger import Ledger
from lims.demo.physics import Deviation, Error
from lims.demo.receiver import Entry
from lims.demo.reconcile import Reckoning, reconcile
from lims.demo.truth import Commune, Household, Route, Villager, Ward
from tests.builders import NEW, Bench, Swab, open_bench

SICK = 3


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


@pytest.fixture
def swabs(bench: Bench) -> list[Swab]:
    return bench.swabs(10)


@pytest.fixture
def ledger(swabs: Sequence[Swab]) -> Ledger:
    """What ten desks' receipts say."""
    book = Ledger()
    for number, swab in enumerate(swabs):
        book.swabs[swab.specimen_id] = number
        book.registered.add(swab.specimen_id)
        book.contents[swab.barcode] = (number,)
        book.labelled.add(swab.barcode)
        book.received.add(swab.barcode)
    return book


def commune(sick: int | None = SICK) -> Commune:
    ward = Ward(NEW, "26734", "Tân Định")
    people = tuple(
        Villager(n, f"Người {n}", 1980, "female", "0740000000", f"{n:012d}", None,
                 25.0 if n == sick else None)
        for n in range(10)
    )  # fmt: skip
    return Commune(1, (Household(0, "Hộ", "Số 1", ward, Route.ALONE, people),))


def resolved(bench: Bench, swabs: Sequence[Swab], *, found: int | None = SICK) -> None:
    """The ten are pooled; if somebody is found, the pool is positive and resolved; all told."""
    pool = bench.lab_pool(swabs)
    bench.run({pool: None if found is None else 28.0})
    if found is not None:
        bench.run({swabs[found].barcode: 25.0})
    bench.session.execute(text("UPDATE notice SET state = 'delivered', delivered_at = now()"))


def reckoned(
    bench: Bench, ledger: Ledger, *, sick: int | None = SICK, told: Sequence[Entry] = ()
) -> Reckoning:
    return reconcile(bench.session, commune(sick), ledger, told)


def test_a_day_as_the_truth_has_it_is_clean(
    bench: Bench, swabs: list[Swab], ledger: Ledger
) -> None:
    resolved(bench, swabs)

    said = reckoned(bench, ledger)

    assert said.clean
    assert (said.people, said.tubes, said.pools, said.positive_pools) == (10, 11, 1, 1)
    assert (said.retests, said.true_positives, said.cases) == (10, 1, 1)
    assert said.notices_owed == said.notices_delivered > 0


def test_a_swab_that_was_answered_for_and_is_not_there_is_lost(
    bench: Bench, swabs: list[Swab], ledger: Ledger
) -> None:
    resolved(bench, swabs)
    gone = uuid7()
    ledger.swabs[gone] = 0
    ledger.registered.add(gone)

    assert f"swab {gone} registered" in reckoned(bench, ledger).lost


def test_a_tube_that_was_received_and_is_not_is_lost(
    bench: Bench, swabs: list[Swab], ledger: Ledger
) -> None:
    resolved(bench, swabs)
    ledger.received.add("TTZZ0000009")

    assert reckoned(bench, ledger).lost == ("tube TTZZ0000009 received",)


def test_an_acknowledged_plate_that_is_not_all_here_is_lost(
    bench: Bench, swabs: list[Swab], ledger: Ledger
) -> None:
    resolved(bench, swabs)
    ledger.plates |= {"PLATE-0001": 1, "PLATE-0002": 11}  # the second was ten tubes
    ledger.plates_sent |= {"PLATE-0001", "PLATE-0002"}
    ledger.cartridges_sent[swabs[0].barcode] += 1

    assert reckoned(bench, ledger).lost == (
        "plate PLATE-0002 acknowledged: 10 of 11 wells here",
        f"cartridge of {swabs[0].barcode} acknowledged",
    )


def test_a_swab_of_which_nothing_is_known_is_lost_unless_chance_explains_it(
    bench: Bench, swabs: list[Swab], ledger: Ledger
) -> None:
    resolved(bench, swabs[1:], found=SICK - 1)
    assert reckoned(bench, ledger).lost == (f"swab {swabs[0].specimen_id} has no finding",)

    ledger.note(Deviation(swabs[0].barcode, Error.INVALID, "nothing amplified"))
    assert reckoned(bench, ledger).clean


def test_a_notice_is_delivered_only_if_its_reader_has_it(
    bench: Bench, swabs: list[Swab], ledger: Ledger
) -> None:
    resolved(bench, swabs)
    owed = reckoned(bench, ledger).notices_owed
    bench.session.execute(
        text("UPDATE subscription SET channel = 'webhook', url = 'http://localhost', secret = 'x'")
    )

    unheard = reckoned(bench, ledger)
    assert (unheard.notices_delivered, len(unheard.lost)) == (0, owed)

    ids = bench.session.execute(text("SELECT id, case_id, pool_id, sequence FROM notice")).all()
    told = [
        Entry("told", f"msg_{n.id}", "desk", "x", str(n.case_id or n.pool_id), n.sequence)
        for n in ids
    ]
    assert reckoned(bench, ledger, told=told).clean
    assert reckoned(bench, ledger, told=[*told, told[0]]).clean  # the same id again is allowed
    twice = [*told, replace(told[0], webhook_id="msg_another")]
    assert len(reckoned(bench, ledger, told=twice).duplicated) == 1


def test_somebody_missed_without_a_drawn_reason_is_our_fault(
    bench: Bench, swabs: list[Swab], ledger: Ledger
) -> None:
    resolved(bench, swabs, found=None)
    ledger.note(Deviation(swabs[SICK].barcode, Error.MISSED, "not what the negative rests on"))

    (unexplained,) = reckoned(bench, ledger).missed
    assert unexplained.why is None
    assert not reckoned(bench, ledger).clean

    ledger.note(Deviation(unexplained.barcode, Error.MISSED, "Ct 38.9 in a pool of 10"))
    (explained,) = reckoned(bench, ledger).missed
    assert explained.why == "Ct 38.9 in a pool of 10"
    assert reckoned(bench, ledger).clean


def test_a_case_of_somebody_healthy_without_a_drawn_reason_is_our_fault(
    bench: Bench, swabs: list[Swab], ledger: Ledger
) -> None:
    resolved(bench, swabs)

    said = reckoned(bench, ledger, sick=None)
    assert [d.why for d in said.false] == [None]
    assert not said.clean

    ledger.note(Deviation(swabs[SICK].barcode, Error.FALSE_POSITIVE, "amplified without virus"))
    assert reckoned(bench, ledger, sick=None).clean


def test_one_person_under_two_ids_is_counted_twice(
    bench: Bench, swabs: list[Swab], ledger: Ledger
) -> None:
    resolved(bench, swabs)
    ledger.swabs[swabs[1].specimen_id] = 0  # truly the first person's second swab

    said = reckoned(bench, ledger)
    assert len(said.duplicated) == 1
    assert said.duplicated[0].startswith("one person under 2 ids")


def test_a_swab_that_nobody_took_is_counted_twice(
    bench: Bench, swabs: list[Swab], ledger: Ledger
) -> None:
    resolved(bench, swabs)
    extra = bench.swab()

    assert f"swab {extra.specimen_id} that nobody took" in reckoned(bench, ledger).duplicated
