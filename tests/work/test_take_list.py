"""Lists of F0: what is new since the last one, whose area, kept and gone, and made by itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.db.ids import uuid7
from lims.domain.refusals import InvalidBody, ListExpired, NotFound, WrongScope
from lims.domain.registration import AreaRef
from lims.domain.telling import Channel
from lims.domain.tracing_lists import Arrival, ListForm
from lims.domain.zones import Tie, ZoneKind
from lims.tables import AuditEvent, F0Case, Subscription, TracingList
from lims.work import told
from lims.work.kept_lists import Reader, expire_lists, fetch_list, kept_lists
from lims.work.scheduled_lists import (
    end_order,
    make_due_lists,
    order_list,
    owed_words,
    schedules,
    word_sent,
)
from lims.work.subscribe import subscribe
from lims.work.take_list import KEPT_FOR, Days, ListAsked, ListRead, keep_list, read_list
from lims.work.views.board import Scope
from lims.work.views.case_places import case_places
from lims.work.zones import Belonging, join_zones, leave_zone, open_zone
from reports.positive_list import News, Section
from reports.saying import Saying, Tongue
from tests.builders import ELSEWHERE, HOME, PROVINCE, WORK, Bench, open_bench

ZONE = "Asia/Ho_Chi_Minh"
VI = Saying(Tongue.VI, ZONE)
HANH = "user:hanh"


@pytest.fixture(autouse=True)
def one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database stands on this machine: no margin between two clocks is waited out."""
    monkeypatch.setattr(told, "CLOCK_MARGIN", timedelta(0))


@pytest.fixture
def bench(session: Session, now: datetime) -> Iterator[Bench]:
    yield open_bench(session, now)


@pytest.fixture
def team(bench: Bench) -> UUID:
    return team_of(bench, bench.subscribe(HOME))


def team_of(bench: Bench, subscription: UUID) -> UUID:
    return bench.session.get_one(Subscription, subscription).team_id


def positive(
    bench: Bench, name: str, *, area: AreaRef = HOME, work_area: AreaRef | None = None
) -> UUID:
    """A committed case of this person."""
    swab = bench.swab(area=area, work_area=work_area, name=name)
    bench.run({swab.barcode: 22.0})
    bench.session.commit()
    return bench.session.scalars(select(F0Case.id).where(F0Case.person_id == swab.person_id)).one()


def read(bench: Bench, asked: ListAsked, *, by: str = HANH) -> ListRead:
    return read_list(
        bench.session, asked, VI, site_id=bench.site_id, by=by, by_name="Hạnh", now=bench.now
    )


def taken(bench: Bench, asked: ListAsked, *, by: str = HANH) -> ListRead:
    """Read and kept, as the door does."""
    made = read(bench, asked, by=by)
    bench.session.commit()
    keep_list(bench.session, uuid7(), made, b"a file", site_id=bench.site_id, by=by)
    bench.session.commit()
    return made


def names(made: ListRead) -> list[str]:
    return [line.name for line in made.listed.lines]


def since(team_id: UUID | None, area: AreaRef | None = None) -> ListAsked:
    return ListAsked(team_id=team_id, form=ListForm.XLSX, progressive=True, area=area)


def test_the_next_list_holds_only_what_was_told_since_the_last(bench: Bench, team: UUID) -> None:
    positive(bench, "Nguyễn Thị Ánh")
    assert names(taken(bench, since(team))) == ["Nguyễn Thị Ánh"]
    assert names(taken(bench, since(team))) == []
    positive(bench, "Lý A Páo")
    made = taken(bench, since(team))
    assert names(made) == ["Lý A Páo"]
    assert made.listed.lines[0].news is News.NEW


def withdraw(bench: Bench, case: UUID, team: UUID) -> None:
    """The case no longer counts, and the team is owed that."""
    bench.session.execute(
        text("UPDATE f0_case SET state = 'withdrawn', sequence = 2 WHERE id = :case"),
        {"case": case},
    )
    bench.session.execute(
        text("""
            INSERT INTO notice (id, site_id, subscription_id, kind, case_id, sequence, facts, state,
                                attempts, next_attempt_at, created_at)
            SELECT :id, site_id, subscription_id, 'case.corrected', case_id, 2, '{}', 'owed', 0,
                   next_attempt_at, created_at
            FROM notice WHERE case_id = :case
              AND subscription_id IN (SELECT id FROM subscription WHERE team_id = :team)
        """),
        {"id": uuid7(), "case": case, "team": team},
    )
    bench.session.commit()


def test_what_no_longer_counts_comes_with_the_next_list(bench: Bench, team: UUID) -> None:
    case = positive(bench, "Nguyễn Thị Ánh")
    taken(bench, since(team))
    withdraw(bench, case, team)
    (line,) = taken(bench, since(team)).listed.lines
    assert (line.section, line.news) == (Section.NO_LONGER, News.CHANGED)


def test_a_writer_who_commits_late_is_on_the_next_list(
    bench: Bench, database: Engine, team: UUID
) -> None:
    positive(bench, "Nguyễn Thị Ánh")
    with session_factory(database)() as late:
        slow = Bench(late, bench.site_id, bench.now, bench.instrument, bench.labels, plates=50)
        swab = slow.swab(name="Lý A Páo")
        slow.run({swab.barcode: 22.0})  # its notice is minted, and not committed
        assert names(taken(bench, since(team))) == ["Nguyễn Thị Ánh"]
        late.commit()
    assert names(taken(bench, since(team))) == ["Lý A Páo"]
    assert names(taken(bench, since(team))) == []


def test_a_list_that_broke_before_it_was_kept_is_not_gone_past(bench: Bench, team: UUID) -> None:
    positive(bench, "Nguyễn Thị Ánh")
    read(bench, since(team))
    bench.session.rollback()
    assert names(taken(bench, since(team))) == ["Nguyễn Thị Ánh"]


def test_each_person_and_each_area_goes_on_from_its_own_list(bench: Bench, team: UUID) -> None:
    positive(bench, "Nguyễn Thị Ánh")
    taken(bench, since(team))
    assert names(taken(bench, since(team), by="user:lan")) == ["Nguyễn Thị Ánh"]
    assert names(taken(bench, since(team, HOME))) == ["Nguyễn Thị Ánh"]
    assert names(taken(bench, since(None))) == ["Nguyễn Thị Ánh"]


def test_an_area_is_a_commune_or_the_whole_province(bench: Bench) -> None:
    desk = team_of(bench, bench.desk())
    positive(bench, "Nguyễn Thị Ánh", area=HOME)
    positive(bench, "Lý A Páo", area=WORK)
    asked = ListAsked(team_id=desk, form=ListForm.PDF)
    assert names(read(bench, asked)) == ["Lý A Páo", "Nguyễn Thị Ánh"]
    of_one = ListAsked(team_id=None, form=ListForm.PDF, area=WORK)
    assert names(read(bench, of_one)) == ["Lý A Páo"]
    whole = ListAsked(team_id=None, form=ListForm.PDF, area=PROVINCE)
    assert len(names(read(bench, whole))) == 2


def test_a_team_gets_no_list_of_an_area_it_is_not_told_of(bench: Bench, team: UUID) -> None:
    positive(bench, "Lý A Páo", area=ELSEWHERE)
    with pytest.raises(WrongScope):
        read(bench, since(team, ELSEWHERE))
    with pytest.raises(WrongScope):
        read(bench, since(team, PROVINCE))
    with pytest.raises(NotFound):
        read(bench, since(team, AreaRef("vn-1979", "1")))
    assert names(read(bench, since(team, HOME))) == []


def test_a_zone_is_no_licence_for_every_commune(bench: Bench, team: UUID) -> None:
    zone = open_zone(
        bench.session,
        site_id=bench.site_id,
        name="KCN Tân Tạo",
        kind=ZoneKind.INDUSTRIAL,
        by="user:op",
        now=bench.now,
    )
    bench.session.add(
        Subscription(
            site_id=bench.site_id,
            team_id=team,
            zone_id=zone,
            channel=Channel.BOARD,
            created_at=bench.now,
        )
    )
    with pytest.raises(WrongScope):
        read(bench, since(team, ELSEWHERE))


def test_every_commune_that_the_page_offers_can_be_chosen(bench: Bench, team: UUID) -> None:
    """Whoever works here may live elsewhere; the team was told of them."""
    positive(bench, "Lý A Páo", area=ELSEWHERE, work_area=HOME)
    positive(bench, "Trần Xa", area=ELSEWHERE)
    scope = Scope(everything=False, team_id=team)
    offered = case_places(bench.session, scope, site_id=bench.site_id)
    assert [(one.scheme, one.code) for one in offered] == [(ELSEWHERE.scheme, ELSEWHERE.code)]
    assert names(read(bench, since(team, ELSEWHERE))) == ["Lý A Páo"]


def test_the_next_list_of_a_zone_goes_on_from_its_own_and_says_what_no_longer_counts(
    bench: Bench,
) -> None:
    by: dict[str, Any] = {"site_id": bench.site_id, "by": "desk", "now": bench.now}
    zone = open_zone(bench.session, name="Bệnh viện Bạch Mai", kind=ZoneKind.HOSPITAL, **by)
    team = team_of(bench, bench.subscribe(ELSEWHERE))
    subscribe(
        bench.session,
        team_id=team,
        area=None,
        zone_id=zone,
        channel=Channel.BOARD,
        private=False,
        **by,
    )
    nurse, stranger = (positive(bench, name) for name in ("Nguyễn Thị Ánh", "Lý A Páo"))
    person = bench.session.get_one(F0Case, nurse).person_id
    tie = Belonging(person, zone, Tie.WORKER)
    join_zones(bench.session, [tie], **by)
    bench.session.commit()
    asked = ListAsked(team_id=team, form=ListForm.XLSX, progressive=True, zone_id=zone)
    made = taken(bench, asked)
    assert (names(made), made.listed.area) == (["Nguyễn Thị Ánh"], "Bệnh viện Bạch Mai")
    assert names(read(bench, asked)) == []
    assert names(read(bench, since(team))) == ["Nguyễn Thị Ánh"]  # the team's own goes on by itself
    leave_zone(bench.session, tie, "works elsewhere now", **by)
    withdraw(bench, nurse, team)
    assert names(read(bench, asked)) == ["Nguyễn Thị Ánh"]
    every = replace(asked, team_id=None, progressive=False, days=None)
    assert stranger not in read(bench, every).cases


def test_days_hold_both_ends_of_the_site_s_calendar(bench: Bench, team: UUID) -> None:
    positive(bench, "Nguyễn Thị Ánh")
    day = (bench.now + timedelta(hours=7)).date()
    for first, last, there in ((-1, 0, 1), (0, 1, 1), (0, 0, 1), (1, 2, 0), (-2, -1, 0)):
        days = Days(day + timedelta(days=first), day + timedelta(days=last))
        asked = ListAsked(team_id=team, form=ListForm.CSV, days=days)
        assert len(names(read(bench, asked))) == there


def test_a_team_s_list_asks_the_database_for_nothing_of_the_laboratory(
    bench: Bench, team: UUID
) -> None:
    case = positive(bench, "Nguyễn Thị Ánh")
    bench.session.execute(
        text("""
            INSERT INTO case_triage (id, site_id, case_id, illnesses, doses, spo2_percent, signs,
                onset_on, colour, missing, by_table, current, recorded_at, recorded_by)
            VALUES (:id, :site, :case, '{diabetes}', 2, 97, 'mild', '2021-09-08', 'orange', '{}',
                'shipped', true, :now, 'user:x')
        """),
        {"id": uuid7(), "site": bench.site_id, "case": case, "now": bench.now},
    )
    (line,) = read(bench, since(team)).listed.lines
    assert line.laboratory is None
    assert (line.colour, line.signs, str(line.onset_on)) == ("orange", "mild", "2021-09-08")
    asked = ListAsked(team_id=None, form=ListForm.XLSX, for_laboratory=True)
    (whole,) = read(bench, asked).listed.lines
    assert whole.laboratory is not None
    assert whole.laboratory.illnesses == ("diabetes",)
    assert (whole.laboratory.doses, whole.laboratory.spo2_percent) == (2, 97)
    assert whole.laboratory.ct_cycles == 22.0


def test_a_list_is_had_again_until_it_expires_and_only_by_whom_it_concerns(
    bench: Bench, team: UUID
) -> None:
    positive(bench, "Nguyễn Thị Ánh")
    taken(bench, since(team))
    (list_id,) = bench.session.scalars(select(TracingList.id))
    hanh = Reader(by=HANH, team_id=team, everything=False, for_laboratory=False)
    lan = Reader(by="user:lan", team_id=team, everything=False, for_laboratory=False)
    given = {"site_id": bench.site_id, "now": bench.now}
    assert fetch_list(bench.session, list_id, hanh, **given).file == b"a file"  # type: ignore[arg-type] # by keyword
    with pytest.raises(NotFound):
        fetch_list(bench.session, list_id, lan, **given)  # type: ignore[arg-type] # by keyword
    later = bench.now + KEPT_FOR
    with pytest.raises(ListExpired):
        fetch_list(bench.session, list_id, hanh, site_id=bench.site_id, now=later)
    assert expire_lists(bench.session, now=later - timedelta(seconds=1)) == 0
    assert expire_lists(bench.session, now=later) == 1
    assert bench.session.scalars(select(TracingList.file)).one() is None
    (kept,) = kept_lists(bench.session, hanh, site_id=bench.site_id, now=later)
    assert (kept.kept, kept.cases) == (False, 1)
    verbs = bench.session.scalars(
        select(AuditEvent.verb).where(AuditEvent.verb.like("positive-list-%"))
    ).all()
    assert sorted(verbs) == [
        "positive-list-expired",
        "positive-list-fetched",
        "positive-list-taken",
    ]


def order(bench: Bench, team: UUID | None, **given: object) -> UUID:
    said: dict[str, object] = {
        "form": ListForm.CSV,
        "language": "vi",
        "hours": [7, 19],
        "arrival": Arrival.EMAIL,
        "email": "truyvet@example.vn",
    }
    return order_list(
        bench.session,
        site_id=bench.site_id,
        team_id=team,
        timezone=ZONE,
        mail=True,
        by=HANH,
        now=bench.now,
        **(said | given),  # type: ignore[arg-type] # by keyword
    )


def test_a_standing_order_makes_one_list_an_hour_whoever_comes_first(
    bench: Bench, database: Engine, team: UUID
) -> None:
    schedule = order(bench, team)
    positive(bench, "Nguyễn Thị Ánh")
    (ordered,) = schedules(bench.session, team, site_id=bench.site_id)
    bench.session.commit()
    lab, due = {"site_id": bench.site_id, "timezone": ZONE}, ordered.next_at
    sessions = session_factory(database)
    before = due - timedelta(seconds=1)
    assert make_due_lists(sessions, now=before, **lab) == 0  # type: ignore[arg-type] # by keyword
    late = due + timedelta(days=2)  # slept through: one list, and on from now
    assert make_due_lists(sessions, now=late, **lab) == 1  # type: ignore[arg-type] # by keyword
    assert make_due_lists(sessions, now=late, **lab) == 0  # type: ignore[arg-type] # by keyword
    (made,) = bench.session.scalars(select(TracingList))
    assert (made.cases, made.schedule_id, made.slot_at) == (1, schedule, due)
    assert made.file is not None and "Nguyễn Thị Ánh" in made.file.decode()
    mine = Reader(by="user:lan", team_id=team, everything=False, for_laboratory=False)
    assert len(kept_lists(bench.session, mine, site_id=bench.site_id, now=late)) == 1
    (word,) = owed_words(bench.session)
    assert (word.email, word.cases) == ("truyvet@example.vn", 1)
    word_sent(bench.session, word.list_id, now=late)
    assert owed_words(bench.session) == []


def test_an_order_says_what_is_wrong_with_it_and_ends_by_its_own_team(
    bench: Bench, team: UUID
) -> None:
    with pytest.raises(InvalidBody) as refused:
        order(bench, None, hours=[7, 24], email="nobody")
    errors = refused.value.facts["errors"]
    assert isinstance(errors, list)
    assert {error["pointer"] for error in errors} == {"#/team", "#/hours", "#/email"}
    schedule = order(bench, team)
    other = team_of(bench, bench.subscribe(WORK))
    with pytest.raises(NotFound):
        end_order(bench.session, schedule, other, site_id=bench.site_id, by=HANH, now=bench.now)
    end_order(bench.session, schedule, team, site_id=bench.site_id, by=HANH, now=bench.now)
    assert schedules(bench.session, team, site_id=bench.site_id) == []
