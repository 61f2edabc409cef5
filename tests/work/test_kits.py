"""A kit's name and its trade item are said at different times; they are still one kit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.gs1 import KitCode
from lims.domain.rapid_test import RapidOutcome, ReadWindow
from lims.domain.refusals import InvalidBody
from lims.tables import Kit, KitLot, RapidTest
from lims.work.kit_names import KitDiffers, LotGiven
from lims.work.kits import LotKnown, lot_of_box, lot_said, register_lot
from lims.work.rapid import RapidReading, read_rapid_test
from tests.builders import Bench, open_bench
from tests.builders_rapid import GTIN

LOT = "AG21-09"
LAST_DAY = date(2023, 1, 31)
OTHER = "08935212000024"
CODE = f"]d201{GTIN}1723013110{LOT}"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def typed(
    bench: Bench, name: str = "Nhanh Ag", lot: str = LOT, day: date = LAST_DAY, **more: object
) -> LotKnown:
    given = LotGiven(name, lot, day, **more)  # type: ignore[arg-type] # by keyword
    return register_lot(bench.session, given, site_id=bench.site_id, by="user:lan", now=bench.now)


def scanned(
    bench: Bench, gtin: str = GTIN, lot: str = LOT, day: date = LAST_DAY
) -> LotKnown | None:
    box = KitCode(gtin, lot, day)
    return lot_of_box(bench.session, box, site_id=bench.site_id, by="user:lan", now=bench.now)


def told(bench: Bench, code: str = CODE) -> LotKnown:
    return lot_said(bench.session, code, site_id=bench.site_id, by="token:bus", now=bench.now)


def read_by_a_machine(bench: Bench) -> UUID:
    """The lot of a negative strip that came over the API."""
    reading = RapidReading(
        specimen_id=uuid7(),
        started_at=bench.now - timedelta(minutes=20),
        read_at=bench.now,
        outcome=RapidOutcome.NEGATIVE,
        kit_lot=CODE,
        person_id=bench.swab(received=False).person_id,
    )
    read_rapid_test(bench.session, reading, site_id=bench.site_id, by="bus", now=bench.now)
    return told(bench).lot_id


def kits(bench: Bench) -> set[tuple[str, str | None]]:
    bench.session.expire_all()
    return {(one.name, one.gtin) for one in bench.session.scalars(select(Kit))}


def test_a_box_names_the_kit_that_was_typed_with_its_lot_and_expiry(bench: Bench) -> None:
    by_hand = typed(bench)
    box = scanned(bench)
    assert box is not None
    assert (box.lot_id, box.kit, box.gtin) == (by_hand.lot_id, "Nhanh Ag", GTIN)
    other_lot = scanned(bench, lot="AG21-10")
    assert other_lot is not None and other_lot.kit == "Nhanh Ag"
    assert kits(bench) == {("Nhanh Ag", GTIN)}


def test_another_item_under_the_same_lot_is_another_kit(bench: Bench) -> None:
    typed(bench)
    scanned(bench)
    assert scanned(bench, OTHER) is None
    with pytest.raises(KitDiffers, match=f"Nhanh Ag is item {GTIN}"):
        typed(bench, gtin=OTHER)
    typed(bench, "Nhanh Ag 2", gtin=OTHER)
    assert kits(bench) == {("Nhanh Ag", GTIN), ("Nhanh Ag 2", OTHER)}


@pytest.mark.parametrize(
    ("lot", "day"), [("AG21-10", LAST_DAY), (LOT, date(2023, 2, 28))], ids=["lot", "expiry"]
)
def test_a_box_that_agrees_in_part_names_nothing(bench: Bench, lot: str, day: date) -> None:
    typed(bench)
    assert scanned(bench, lot=lot, day=day) is None
    assert kits(bench) == {("Nhanh Ag", None)}


def test_a_machines_box_of_another_maker_takes_over_no_typed_kit(bench: Bench) -> None:
    typed(bench, lot="01", reads_from_min=10, reads_to_min=20)
    by_machine = told(bench, f"]d201{OTHER}172301311001")
    assert (by_machine.named, by_machine.gtin) == (False, OTHER)
    assert by_machine.window == ReadWindow.of_minutes(15, 30)
    box = scanned(bench, lot="01")
    assert box is not None and (box.kit, box.gtin) == ("Nhanh Ag", GTIN)
    assert kits(bench) == {("Nhanh Ag", GTIN), (f"GTIN {OTHER}", OTHER)}


def test_a_box_that_two_typed_kits_could_be_is_for_a_person_to_say(bench: Bench) -> None:
    typed(bench)
    typed(bench, "Test nhanh")
    assert scanned(bench) is None
    assert typed(bench, gtin=GTIN).gtin == GTIN
    assert kits(bench) == {("Nhanh Ag", GTIN), ("Test nhanh", None)}


def test_a_typed_kit_named_again_with_its_item_takes_it_with_a_new_lot(bench: Bench) -> None:
    typed(bench, reads_from_min=10, reads_to_min=20)
    second = typed(bench, lot="AG21-10", gtin=GTIN)
    assert (second.kit, second.gtin, second.window.opens.seconds) == ("Nhanh Ag", GTIN, 600)
    assert kits(bench) == {("Nhanh Ag", GTIN)}


def test_a_kit_that_a_machine_told_of_and_a_person_typed_becomes_one(bench: Bench) -> None:
    nameless = read_by_a_machine(bench)
    by_hand = typed(bench).lot_id
    typed(bench, lot="AG21-10")
    assert nameless != by_hand
    both = typed(bench, gtin=GTIN)
    assert (both.lot_id, both.kit, both.gtin) == (by_hand, "Nhanh Ag", GTIN)
    assert kits(bench) == {("Nhanh Ag", GTIN)}
    lots = bench.session.scalars(select(KitLot.lot).order_by(KitLot.lot)).all()
    assert lots == [LOT, "AG21-10"]
    assert read_by_a_machine(bench) == by_hand
    strips = bench.session.scalars(select(RapidTest.kit_lot_id)).all()
    assert strips == [by_hand, by_hand]


@pytest.mark.parametrize("name", ["—", f"GTIN {OTHER}"])
def test_a_name_by_which_nameless_kits_go_is_no_name(bench: Bench, name: str) -> None:
    nobodys = told(bench, "UNKNOWN-1")
    with pytest.raises(InvalidBody) as refused:
        typed(bench, name, gtin=GTIN)
    assert refused.value.where == "name" and refused.value.came == name
    assert kits(bench) == {(nobodys.kit, None)}
    assert told(bench, "OF-ANOTHER-MAKER").gtin is None


def test_two_expiry_dates_of_one_lot_are_not_made_one(bench: Bench) -> None:
    told(bench)
    typed(bench, day=date(2023, 2, 28))
    with pytest.raises(KitDiffers, match="lot AG21-09 expires on 2023-02-28, the box says"):
        typed(bench, gtin=GTIN)
