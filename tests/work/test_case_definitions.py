"""The definitions as rows: a next version judges from its day on, and never what was judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.db.ids import uuid7
from lims.domain.case_definition import CaseDefinition
from lims.domain.outcomes import Basis
from lims.domain.rapid_test import Exposure, RapidOutcome
from lims.domain.refusals import InvalidBody
from lims.tables import AuditEvent, CaseDefinitionRow
from lims.work.case_definitions import (
    add_definition,
    definition_in_force,
    definitions_of,
    earliest_day,
    first_moment,
)
from lims.work.rapid import RapidReading, read_rapid_test
from lims.work.review import release_positive
from lims.work.sites import found_site
from lims.work.views.case_definitions import Standing, versions
from tests.builders import HOME, Bench, open_bench
from tests.builders_rapid import box

ZONE = "Asia/Ho_Chi_Minh"
NOON = datetime(2022, 1, 10, 5, 0, tzinfo=UTC)
MIDNIGHT = datetime(2022, 1, 10, 17, 0, tzinfo=UTC)  # the 11th begins
DAY = timedelta(days=1)


@pytest.fixture
def bench(session: Session) -> Bench:
    opened = open_bench(session, NOON)
    opened.subscribe(HOME)
    return opened


def definition(
    name: str, valid_from: datetime, *grounds: Basis, hours: float = 8, source: str = "QĐ 77"
) -> CaseDefinition:
    within = timedelta(hours=hours)
    return CaseDefinition(name, valid_from, source, frozenset({Basis.PCR, *grounds}), within)


def add(bench: Bench, new: CaseDefinition, *, site_id: UUID | None = None) -> None:
    add_definition(
        bench.session,
        new,
        timezone=ZONE,
        site_id=site_id or bench.site_id,
        by="user:admin",
        now=bench.now,
    )


def fault(bench: Bench, new: CaseDefinition) -> str:
    with pytest.raises(InvalidBody) as refused:
        add(bench, new)
    errors = refused.value.facts["errors"]
    assert isinstance(errors, list) and len(errors) == 1
    return str(errors[0]["pointer"]).removeprefix("#/")


def positive(bench: Bench, person: UUID | None = None) -> UUID:
    """A contact's positive strip, read now."""
    who = person or bench.swab(received=False).person_id
    read_rapid_test(
        bench.session,
        RapidReading(
            specimen_id=uuid7(),
            started_at=bench.now - timedelta(minutes=20),
            read_at=bench.now,
            outcome=RapidOutcome.POSITIVE,
            kit_lot_id=box(bench).lot_id,
            person_id=who,
            exposure=Exposure.CONTACT,
        ),
        site_id=bench.site_id,
        by="desk",
        now=bench.now,
        tube_may_follow=True,
    )
    bench.session.flush()
    return who


def cases(bench: Bench) -> list[tuple[str, str, str]]:
    rows = bench.session.execute(
        text("SELECT state, basis, definition FROM f0_case ORDER BY opened_at, id")
    )
    return [(row.state, row.basis, row.definition) for row in rows]


def test_two_definitions_come_with_the_program(bench: Bench) -> None:
    first, second = definitions_of(bench.session, site_id=bench.site_id)
    assert (first.name, second.name) == ("byt-2022-2021/1", "byt-2021-12-29/1")
    assert first.grounds == {Basis.PCR}
    assert second.valid_from == first_moment(datetime(2021, 12, 29, tzinfo=UTC).date(), ZONE)
    assert second.grounds == {
        Basis.PCR,
        Basis.ANTIGEN_CONTACT,
        Basis.ANTIGEN_SUSPECT,
        Basis.ANTIGEN_TWICE,
    }
    assert first.second_within == second.second_within == timedelta(hours=8)


def test_the_next_version_judges_from_its_midnight_on_and_nothing_before(bench: Bench) -> None:
    positive(bench)
    add(bench, definition("byt-2022-01-11/1", MIDNIGHT))
    bench.now = MIDNIGHT - timedelta(minutes=1)
    positive(bench)
    bench.now = MIDNIGHT
    positive(bench)
    old = ("confirmed", "antigen_contact", "byt-2021-12-29/1")
    assert cases(bench) == [old, old, ("presumptive", "antigen_presumptive", "byt-2022-01-11/1")]


def test_a_pcr_signed_later_is_judged_by_the_day_it_was_found(bench: Bench) -> None:
    swab = bench.swab()
    positive(bench, swab.person_id)  # judged by the strip, until the PCR is signed
    bench.session.execute(text("UPDATE f0_case SET basis = 'antigen_presumptive'"))
    bench.session.expire_all()
    bench.run({swab.barcode: 24.0})
    add(bench, definition("byt-2022-01-11/1", MIDNIGHT))
    bench.later(24 * 60)
    finding = bench.session.execute(
        text("SELECT id FROM finding WHERE specimen_id = :swab AND current"),
        {"swab": swab.specimen_id},
    ).scalar_one()
    release_positive(bench.session, finding, site_id=bench.site_id, by="r", now=bench.now)
    other = bench.swab(name="Lê Văn Hùng")
    bench.run({other.barcode: 24.0})
    assert [named for _, _, named in cases(bench)] == ["byt-2021-12-29/1", "byt-2022-01-11/1"]
    assert cases(bench)[0][1] == "pcr"


def test_a_day_of_judged_evidence_is_refused_and_one_without_any_is_taken(bench: Bench) -> None:
    today = MIDNIGHT - DAY
    add(bench, definition("a/1", today - 5 * DAY))  # a laboratory that sets up
    positive(bench)
    assert fault(bench, definition("b/1", today)) == "valid_from"
    assert fault(bench, definition("b/1", today - 5 * DAY)) == "valid_from"
    add(bench, definition("b/1", MIDNIGHT))


def test_shortly_before_midnight_tomorrow_is_too_soon_once_anything_was_judged(
    bench: Bench,
) -> None:
    assert earliest_day(ZONE, NOON).isoformat() == "2022-01-11"
    assert earliest_day(ZONE, MIDNIGHT - timedelta(minutes=4)).isoformat() == "2022-01-12"


def test_what_another_laboratory_judged_or_added_is_its_own(bench: Bench) -> None:
    positive(bench)
    other = found_site(bench.session, prefix="HN", name="PXN Hà Nội", now=bench.now)
    today = MIDNIGHT - DAY
    add(bench, definition("hn/1", today), site_id=other)
    assert definition_in_force(bench.session, NOON, site_id=other).name == "hn/1"
    assert definition_in_force(bench.session, NOON, site_id=bench.site_id).name != "hn/1"


def test_a_wrong_version_that_has_not_begun_is_replaced_by_one_for_the_same_day(
    bench: Bench,
) -> None:
    positive(bench)
    add(bench, definition("wrong/1", MIDNIGHT, hours=24))
    bench.later(1)
    add(bench, definition("right/1", MIDNIGHT, Basis.ANTIGEN_CONTACT))
    bench.later(1)
    shown = versions(bench.session, site_id=bench.site_id, now=bench.now)
    assert [(one.definition.name, one.standing) for one in shown] == [
        ("right/1", Standing.PLANNED),
        ("wrong/1", Standing.REPLACED),
        ("byt-2021-12-29/1", Standing.IN_FORCE),
        ("byt-2022-2021/1", Standing.BEFORE),
    ]
    assert shown[2].until == MIDNIGHT
    bench.now = MIDNIGHT + timedelta(hours=2)
    positive(bench)
    assert cases(bench)[-1] == ("confirmed", "antigen_contact", "right/1")


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (lambda: definition("", MIDNIGHT), "name"),
        (lambda: definition("x" * 101, MIDNIGHT), "name"),
        (lambda: definition("byt-2021-12-29/1", MIDNIGHT), "name"),
        (lambda: definition("a/1", MIDNIGHT, source=" "), "source"),
        (lambda: definition("a/1", MIDNIGHT, hours=0), "second_within_h"),
        (lambda: definition("a/1", MIDNIGHT, hours=1.5), "second_within_h"),
        (lambda: definition("a/1", MIDNIGHT, hours=169), "second_within_h"),
        (lambda: definition("a/1", MIDNIGHT, Basis.ANTIGEN_PRESUMPTIVE), "grounds"),
    ],
)
def test_what_is_no_definition_is_refused_by_its_field(
    bench: Bench, made: Callable[[], CaseDefinition], field: str
) -> None:
    assert fault(bench, made()) == field


def test_a_definition_is_never_edited_emptied_or_deleted(bench: Bench) -> None:
    for statement in (
        "UPDATE case_definition SET source = 'x'",
        "DELETE FROM case_definition",
        "TRUNCATE case_definition",
    ):
        with (
            pytest.raises(DBAPIError, match="append-only"),
            bench.session.begin_nested(),
        ):
            bench.session.execute(text(statement))


@pytest.mark.parametrize("grounds", [[], ["antigen_contact"], ["pcr", "pooled_presumptive"]])
def test_grounds_without_pcr_or_of_no_such_kind_cannot_be_stored(
    bench: Bench, grounds: list[str]
) -> None:
    bench.session.add(
        CaseDefinitionRow(
            name="a/1",
            valid_from=NOON,
            source="x",
            grounds=grounds,
            second_within_h=8,
            added_at=NOON,
            added_by="x",
        )
    )
    with pytest.raises(IntegrityError, match="check constraint"):
        bench.session.flush()


def test_adding_one_is_in_the_audit_trail(bench: Bench) -> None:
    add(bench, definition("a/1", MIDNIGHT, Basis.ANTIGEN_CONTACT))
    (said,) = bench.session.scalars(
        select(AuditEvent).where(AuditEvent.verb == "add_case_definition")
    )
    assert (said.actor, said.subject) == ("user:admin", "a/1")
    assert said.detail["grounds"] == ["pcr", "antigen_contact"]


def test_evidence_that_is_being_judged_at_this_moment_keeps_its_day(
    bench: Bench, database: Engine
) -> None:
    """A past day is only taken while nobody judges; and whoever judges is never held up."""
    bench.session.commit()
    with session_factory(database).begin() as judging:
        definitions_of(judging, site_id=bench.site_id)
        assert fault(bench, definition("a/1", MIDNIGHT - DAY)) == "valid_from"
    add(bench, definition("a/1", MIDNIGHT - DAY))


def test_many_strips_of_one_transaction_read_the_definitions_once(bench: Bench) -> None:
    people = [bench.swab(received=False).person_id for _ in range(3)]
    read: list[str] = []

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM case_definition" in statement:
            read.append(statement)

    connection = bench.session.connection()
    event.listen(connection, "before_cursor_execute", look)
    for person in people:
        positive(bench, person)
    bench.run({bench.swab().barcode: 24.0})
    event.remove(connection, "before_cursor_execute", look)
    assert len(read) == 1


def test_the_next_transaction_sees_what_another_added(bench: Bench, database: Engine) -> None:
    definitions_of(bench.session, site_id=bench.site_id)
    bench.session.commit()
    with session_factory(database).begin() as other:
        add_definition(
            other,
            definition("a/1", MIDNIGHT),
            timezone=ZONE,
            site_id=bench.site_id,
            by="user:admin",
            now=bench.now,
        )
    assert definitions_of(bench.session, site_id=bench.site_id)[-1].name == "a/1"


def test_clean_negatives_read_no_definition(bench: Bench) -> None:
    bench.swab()
    bench.session.info.clear()
    bench.run()
    assert "case_definitions" not in bench.session.info
