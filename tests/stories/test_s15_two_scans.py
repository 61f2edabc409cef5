"""S15: a chip card and a tube label, two scans: person, specimen and tube, once."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import cards
from lims.domain.refusals import WrongCheckCharacter
from lims.domain.registration import PersonGiven, Registration
from lims.work.register import Registered, register
from tests.builders import Bench, open_bench

CARD = "001189001234||Phạm Thị Hồng Nhung|05031989|Nữ|Tổ 5, Dịch Vọng, Hà Nội|01012021"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def two_scans(bench: Bench, label: str) -> tuple[Registration, Registered]:
    """What the desk sends once the card and the label were read."""
    card, tube = cards.scan(CARD), cards.scan(label)
    assert isinstance(card, cards.ChipCard) and isinstance(tube, cards.TubeBarcode)
    person = PersonGiven(
        name=card.name,
        name_key="pham thi hong nhung",
        birth_year=1989,
        national_id=card.national_id,
        address=card.address,
    )
    given = Registration(
        specimen_id=uuid7(), barcode=tube.barcode, collected_at=bench.now, person=person
    )
    receipt = register(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)
    return given, receipt


def rows(bench: Bench) -> tuple[int, ...]:
    return tuple(
        bench.session.execute(
            text(
                "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM specimen),"
                " (SELECT count(*) FROM tube)"
            )
        ).one()
    )


def test_a_card_with_an_empty_field_and_a_label_are_a_person_a_specimen_and_a_tube(
    bench: Bench,
) -> None:
    label = next(bench.labels)
    _, receipt = two_scans(bench, label)
    stored = bench.session.execute(
        text(
            "SELECT p.id, p.name, p.national_id, t.barcode FROM specimen s"
            " JOIN person p ON p.id = s.person_id JOIN tube_specimen ts ON ts.specimen_id = s.id"
            " JOIN tube t ON t.id = ts.tube_id"
        )
    ).one()
    assert tuple(stored) == (
        receipt.person_id,
        "Phạm Thị Hồng Nhung",
        "001189001234",
        label,
    )


def test_the_same_registration_again_answers_the_same_and_adds_nothing(bench: Bench) -> None:
    given, first = two_scans(bench, next(bench.labels))
    bench.later(3)
    again = register(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)
    assert again.replayed and again.specimen_id == first.specimen_id
    assert again.person_id == first.person_id
    assert rows(bench) == (1, 1, 1)


def test_the_card_with_another_tube_is_a_second_specimen_of_the_same_person(bench: Bench) -> None:
    _, first = two_scans(bench, next(bench.labels))
    _, second = two_scans(bench, next(bench.labels))
    assert second.person_id == first.person_id
    assert rows(bench) == (1, 2, 2)
    assert bench.session.scalar(text("SELECT count(*) FROM card_doubt")) == 0


def test_a_wrong_check_character_is_refused_with_the_likely_right_label(bench: Bench) -> None:
    label = next(bench.labels)
    wrong = label[:-1] + ("A" if label[-1] != "A" else "B")
    with pytest.raises(WrongCheckCharacter) as refused:
        cards.scan(wrong)
    assert label in str(refused.value.facts).replace("-", "")
    assert rows(bench) == (0, 0, 0)
