"""The voice list: whom to ring now, what came of it, and that a call claims nothing."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from lims.db.engine import session_factory
from lims.db.ids import uuid7
from lims.domain.escalation import Reached
from lims.domain.refusals import DifferentBody, InvalidBody, NotFound
from lims.tables import Claim, Contact, Team, VoiceCall, VoiceCallCase
from lims.work.claim import claim
from lims.work.duty import change_phone
from lims.work.escalate import escalate
from lims.work.views.calls import TeamToRing, latest_calls, to_ring
from lims.work.voice import Called, NobodyToRing, Reader, Said, claim_by_word, record_call
from tests.builders_handoff import HANOI, Ward, ward
from tests.builders_roster import contact, on_call

ALL = Reader(everything=True)


@pytest.fixture
def here(session: Session, now: datetime) -> Ward:
    return ward(session, now)


@pytest.fixture
def team(here: Ward) -> UUID:
    """A ward's team that was told of a case, with two on call."""
    made = here.team("Tổ 1")
    on_call(here, made, "Lan", place=1, phone="+84901000001")
    on_call(here, made, "Hùng", place=2, phone="+84901000002")
    here.owe(here.board(team=made), case=here.case())
    return made


def look(here: Ward, minutes: float, reader: Reader = ALL) -> list[TeamToRing]:
    """The page after so many minutes; the deliverer has looked just before."""
    at = here.now + timedelta(minutes=minutes)
    escalate(here.session, at, site_id=here.site_id)
    return list(to_ring(here.session, reader, site_id=here.site_id, now=at))


def ring(
    here: Ward,
    team: UUID,
    outcome: Reached,
    minutes: float,
    *,
    who: UUID | None = None,
    call: UUID | None = None,
    note: str = "",
    reader: Reader = ALL,
) -> Called:
    at = here.now + timedelta(minutes=minutes)
    return record_call(
        here.session,
        Said(call or uuid7(), team, who, outcome, note),
        reader=reader,
        as_of=at,
        site_id=here.site_id,
        by="user:op",
        now=at,
    )


def next_name(rows: list[TeamToRing]) -> str | None:
    return rows[0].numbers[0].name


def who(here: Ward, name: str) -> UUID:
    return here.session.scalars(select(Contact.id).where(Contact.name == name)).one()


def test_nobody_is_to_be_rung_before_the_policys_minutes(here: Ward, team: UUID) -> None:
    assert look(here, 14) == []
    rows = look(here, 15)
    assert [(row.team, row.cases, next_name(rows)) for row in rows] == [("Tổ 1", 1, "Hùng")]


def test_on_the_voice_list_everybody_who_was_told_is_rung(here: Ward, team: UUID) -> None:
    cdc = here.team("CDC Hà Nội")
    here.board(team=cdc, area=HANOI)
    here.session.get_one(Team, cdc).phone = "+842438255555"
    rows = look(here, 60)
    assert {row.team for row in rows} == {"Tổ 1", "CDC Hà Nội", "National desk"}
    province = next(row for row in rows if row.team == "CDC Hà Nội")
    assert [(n.name, n.phone) for n in province.numbers] == [(None, "+842438255555")]
    assert [row.numbers for row in rows if row.team == "National desk"] == [[]]


def test_no_answer_brings_the_next_number_and_then_the_first_again(here: Ward, team: UUID) -> None:
    contact(here, team, "An", phone="+84901000003")  # at home
    here.session.get_one(Team, team).phone = "+842438250000"
    rung = []
    for minute in range(16, 21):
        name = next_name(look(here, minute))
        rung.append(name)
        ring(here, team, Reached.NO_ANSWER, minute, who=who(here, name) if name else None)
    assert rung == ["Hùng", "Lan", None, "An", "Hùng"]


def test_a_wrong_number_comes_last_until_it_is_another(
    here: Ward, team: UUID, now: datetime
) -> None:
    look(here, 15)
    hung = who(here, "Hùng")
    ring(here, team, Reached.WRONG_NUMBER, 16, who=hung)
    numbers = look(here, 17)[0].numbers
    assert [(n.name, n.wrong) for n in numbers] == [("Lan", False), ("Hùng", True)]
    change_phone(here.session, hung, "0901999999", site_id=here.site_id, by="u", now=now)
    here.session.flush()
    assert not any(n.wrong for n in look(here, 18)[0].numbers)


@pytest.mark.parametrize("outcome", [Reached.REACHED, Reached.CALLS_BACK])
def test_who_was_reached_is_left_in_peace_and_rung_again_when_nobody_claims(
    here: Ward, team: UUID, outcome: Reached
) -> None:
    look(here, 15)
    ring(here, team, outcome, 16, who=who(here, "Hùng"), note="đang đến")
    (quiet,) = look(here, 20)
    assert (quiet.cases, quiet.quiet) == (0, 1)
    assert quiet.last is not None
    assert (quiet.last.outcome, quiet.last.name, quiet.last.note) == (outcome, "Hùng", "đang đến")
    assert quiet.again_at == here.now + timedelta(minutes=31)
    assert look(here, 31)[0].cases == 1
    assert here.session.scalar(select(func.count()).select_from(Claim)) == 0


def test_a_claim_ends_the_ringing_and_a_case_given_back_begins_it_anew(
    here: Ward, team: UUID
) -> None:
    (row,) = look(here, 15)
    ring(here, team, Reached.REACHED, 16, who=who(here, "Hùng"))
    at = here.now + timedelta(minutes=17)
    claim(here.session, row.shown[0], team, by="user:hanh", now=at)
    assert look(here, 18) == []
    held = here.session.scalars(select(Claim)).one()
    held.ended_at = at
    here.session.flush()
    assert look(here, 31) == []
    assert [(one.cases, one.quiet) for one in look(here, 32)] == [(1, 0)]


def test_a_call_is_about_what_the_caller_had_seen(here: Ward, team: UUID, now: datetime) -> None:
    look(here, 15)
    board = here.board(team=team)
    second = here.case(name="B", opened_at=now + timedelta(minutes=5))
    here.owe(board, case=second)
    look(here, 20)
    at = now + timedelta(minutes=21)
    said = Said(uuid7(), team, who(here, "Lan"), Reached.REACHED)
    kept = record_call(
        here.session,
        said,
        reader=ALL,
        as_of=now + timedelta(minutes=16),
        site_id=here.site_id,
        by="user:op",
        now=at,
    )
    assert kept.cases == 1
    (row,) = look(here, 22)
    assert (row.shown, row.quiet) == ([second], 1)


def test_a_call_said_again_is_one_call_and_another_under_its_id_is_refused(
    here: Ward, team: UUID
) -> None:
    look(here, 15)
    lan, call = who(here, "Lan"), uuid7()
    first = ring(here, team, Reached.NO_ANSWER, 16, who=lan, call=call)
    again = ring(here, team, Reached.NO_ANSWER, 20, who=lan, call=call)
    assert (first.replayed, again.replayed, again.cases) == (False, True, 1)
    for changed in ({"who": None}, {"who": lan, "note": "khác"}):
        with pytest.raises(DifferentBody):
            ring(here, team, Reached.NO_ANSWER, 20, call=call, **changed)
    assert here.session.scalar(select(func.count()).select_from(VoiceCall)) == 1


def test_the_same_call_from_two_clicks_at_once_is_one_call(
    here: Ward, team: UUID, session: Session, database: Engine, now: datetime
) -> None:
    look(here, 15)
    lan, call, at = who(here, "Lan"), uuid7(), now + timedelta(minutes=16)
    session.commit()
    sessions, together, replays = session_factory(database), threading.Barrier(3), list[bool]()

    def click() -> None:
        with sessions.begin() as own:
            together.wait()
            said = Said(call, team, lan, Reached.REACHED)
            kept = record_call(
                own, said, reader=ALL, as_of=at, site_id=here.site_id, by="user:op", now=at
            )
            replays.append(kept.replayed)

    threads = [threading.Thread(target=click) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(replays) == [False, True, True]
    assert session.scalar(select(func.count()).select_from(VoiceCallCase)) == 1


def test_what_cannot_be_rung_is_refused(here: Ward, team: UUID) -> None:
    with pytest.raises(NobodyToRing):
        ring(here, team, Reached.REACHED, 10, who=who(here, "Lan"))
    look(here, 15)
    stranger = contact(here, here.team("Tổ 2"), "Mai")
    with pytest.raises(NotFound):
        ring(here, team, Reached.REACHED, 16, who=stranger)
    with pytest.raises(InvalidBody):
        ring(here, team, Reached.REACHED, 16)  # the team has no line of its own
    with pytest.raises(InvalidBody):
        ring(here, team, Reached.REACHED, 16, who=who(here, "Lan"), note="x" * 501)
    with pytest.raises(NobodyToRing):
        ring(here, uuid4(), Reached.REACHED, 16)


def test_a_team_rings_about_what_it_was_told_of_and_nothing_else(here: Ward, team: UUID) -> None:
    stranger = Reader(everything=False, team_id=here.team("Tổ xa"))
    assert look(here, 60, stranger) == []
    with pytest.raises(NobodyToRing):
        ring(here, team, Reached.REACHED, 60, who=who(here, "Lan"), reader=stranger)
    ours = Reader(everything=False, team_id=team)
    assert {row.team for row in look(here, 60, ours)} == {"Tổ 1", "National desk"}
    ring(here, team, Reached.REACHED, 61, who=who(here, "Lan"), reader=ours)
    assert [one.name for one in latest_calls(here.session, ours, site_id=here.site_id)] == ["Lan"]
    assert latest_calls(here.session, stranger, site_id=here.site_id) == []


def test_two_teams_that_claim_by_word_at_once_share_the_cases_and_hear_who_was_faster(
    here: Ward, team: UUID, session: Session, database: Engine, now: datetime
) -> None:
    other = here.team("Tổ 2")
    boards = [here.board(team=one) for one in (team, other)]
    for n in range(20):
        case = here.case(name=f"Người {n}")
        for board in boards:
            here.owe(board, case=case)
    look(here, 60)
    session.commit()
    at = now + timedelta(minutes=60)
    sessions, together = session_factory(database), threading.Barrier(2)
    took: dict[UUID, tuple[int, set[str]]] = {}

    def take(which: UUID) -> None:
        with sessions.begin() as own:
            together.wait()
            made = claim_by_word(
                own, which, reader=ALL, as_of=at, site_id=here.site_id, by="user:op", now=at
            )
            took[which] = (len(made.claimed), {lost.team for lost in made.lost})

    threads = [threading.Thread(target=take, args=(which,)) for which in (team, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = {
        row.team_id: row.many
        for row in session.execute(
            select(Claim.team_id, func.count().label("many"))
            .where(Claim.ended_at.is_(None))
            .group_by(Claim.team_id)
        )
    }
    assert sum(held.values()) == 21
    assert {which: many for which, (many, _) in took.items() if many} == held
    assert took[team][1] <= {"Tổ 2"}
    assert took[other][1] <= {"Tổ 1"}
