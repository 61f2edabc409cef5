"""Whose a card number is, asked of a population database (registers.py, a real server)."""

from __future__ import annotations

from datetime import date
from typing import Any

import structlog
from sqlalchemy import event, text

from lims.domain.asking import QuestionKind
from lims.work import ask_whom
from lims.work.destinations import stop
from lims.work.merge import merge_people
from tests.exchange.people_asked import MAI, AskingLab, number
from tests.exchange.registers import Citizen, registers

ANSWERED = ("answered", "verified")


def test_each_person_with_a_number_is_asked_about_once(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        there.citizens = {
            number(0): Citizen("Trần Văn 0", "1980-02-03"),
            number(1): Citizen("Trần Văn Khác", "1975-01-01"),
        }
        asking.people(3)
        asking.swab(None, "Không Có Thẻ")
        asking.ask()
        assert asking.rows() == [ANSWERED, ("answered", "conflict"), ("answered", "unverified")]
        asking.people(3)  # the same people, swabbed again
        asking.ask()
    assert sorted(there.names()) == ["Trần Văn 0", "Trần Văn 1", "Trần Văn 2"]
    differs = asking.one("SELECT differs FROM person_question WHERE verdict = 'conflict'")[0]
    assert differs == ["birth", "name"]


def test_only_what_tells_people_apart_is_sent_and_never_in_an_address(asking: AskingLab) -> None:
    with registers() as there, structlog.testing.capture_logs() as logs:
        asking.population(there)
        asking.swab(MAI)
        asking.ask()
    (entry,) = there.asked
    question = asking.one("SELECT id, person_id, sent_at, destination_id FROM person_question")
    assert entry == {
        "question": str(question.id),
        "cccd": MAI,
        "name": "Nguyễn Thị Mai",
        "born": "1980",
    }
    assert there.addresses == ["/quoc-gia/identity-checks"]
    assert any(one["event"] == "ask.answered" for one in logs)
    assert MAI not in str(logs) and "Mai" not in str(logs)
    audited = asking.one("SELECT * FROM audit_event WHERE verb = 'asked-about-people'")
    assert audited.subject == str(question.destination_id)
    assert audited.detail == {"kind": "identity", "people": [str(question.person_id)]}


def test_a_changed_name_is_asked_about_anew_and_the_old_answer_counts_no_more(
    asking: AskingLab,
) -> None:
    with registers() as there:
        asking.population(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05")
        swab = asking.swab(MAI)
        asking.ask()
        asking.rename(swab, "Nguyễn Thị Mái")
        asking.ask()
        assert asking.rows() == [("answered", "conflict")]
    assert there.names() == ["Nguyễn Thị Mai", "Nguyễn Thị Mái"]
    old = asking.one("SELECT state, verdict FROM person_question WHERE NOT current")
    assert tuple(old) == ANSWERED, "what was answered then stays on record"


def test_an_answer_to_the_old_name_does_not_count(asking: AskingLab) -> None:
    """The card is mended while the register thinks."""
    with registers() as there:
        asking.population(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05")
        swab = asking.swab(MAI)

        def mend() -> None:
            there.while_asked = lambda: None
            asking.rename(swab, "Nguyễn Thị Mái")

        there.while_asked = mend
        asking.ask()
        assert there.names() == ["Nguyễn Thị Mai", "Nguyễn Thị Mái"]
        assert asking.rows() == [("answered", "conflict")]
    old = asking.one("SELECT state, verdict FROM person_question WHERE NOT current")
    assert tuple(old) == ("overtaken", None)


def test_who_was_renamed_before_their_turn_is_asked_about_as_they_are(asking: AskingLab) -> None:
    with registers(broken=lambda n: (503, b"") if n == 1 else None) as there:
        asking.population(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mái", "1980-05-05")
        swab = asking.swab(MAI)
        asking.ask()
        asking.rename(swab, "Nguyễn Thị Mái")
        asking.lab.clock.later(1)
        asking.ask()
    assert there.names() == ["Nguyễn Thị Mái"]
    assert asking.rows() == [ANSWERED]


def test_what_another_commits_late_is_not_stepped_over(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        late = asking.lab.laboratory.sessions()
        late.execute(
            text(
                "INSERT INTO person (id, site_id, name, name_key, national_id, created_at)"
                " VALUES (gen_random_uuid(), :site, 'Đến Muộn', 'den muon', :number, :now)"
            ),
            {"site": asking.lab.bench.site_id, "number": MAI, "now": asking.lab.bench.now},
        )
        asking.people(1, there)
        asking.ask()
        assert there.names() == []
        late.commit()
        late.close()
        asking.ask()
    assert sorted(there.names()) == ["Trần Văn 0", "Đến Muộn"]


def test_whoever_was_merged_is_asked_about_under_the_row_that_is_left(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05")
        merged, kept = asking.swab(MAI), asking.swab(None, "Nguyễn Thị Mai")
        asking.ask()
        merge_people(
            asking.lab.bench.session,
            kept.person_id,
            merged.person_id,
            "cùng một người",
            site_id=asking.lab.bench.site_id,
            by="user:r",
            now=asking.lab.bench.now,
        )
        asking.ask()
    newest = asking.one("SELECT person_id, verdict FROM person_question WHERE current")
    assert tuple(newest) == (kept.person_id, "verified")


def test_without_a_register_nothing_is_asked_and_a_stopped_one_is_not_either(
    asking: AskingLab,
) -> None:
    asking.people(2)
    asking.ask()
    assert asking.rows() == []
    with registers() as there:
        destination = asking.population(there)
        with asking.lab.laboratory.sessions.begin() as session:
            stop(session, destination, by="admin", now=asking.lab.clock.now)
        asking.ask()
    assert (there.asked, asking.rows()) == ([], [])


def test_somebody_may_have_it_asked_again(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        swab = asking.swab(MAI)
        asking.ask()
        assert asking.rows() == [("answered", "unverified")]
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05")
        with asking.lab.laboratory.sessions.begin() as session:
            owed = ask_whom.ask_about(
                session,
                swab.person_id,
                QuestionKind.IDENTITY,
                site_id=asking.lab.bench.site_id,
                by="user:r",
                now=asking.lab.clock.now,
            )
        assert owed == 1
        asking.ask()
    assert asking.rows() == [ANSWERED]


def test_a_registration_pays_nothing_for_it(asking: AskingLab) -> None:
    """No statement of the desk's names a question, with a register or without one."""
    said: list[str] = []
    with registers() as there:
        asking.population(there)

        @event.listens_for(asking.lab.laboratory.engine, "before_cursor_execute")
        def heard(*args: Any) -> None:
            said.append(args[2])

        try:
            asking.people(3)
            asking.lab.bench.session.commit()
        finally:
            event.remove(asking.lab.laboratory.engine, "before_cursor_execute", heard)
    assert said
    assert not any("person_question" in one or "asking" in one for one in said)


def test_ten_thousand_are_found_in_ten_looks(asking: AskingLab) -> None:
    """By the index of their last change: a look reads its thousand, and not everybody."""
    with registers() as there:
        destination = asking.population(there)
        with asking.lab.laboratory.sessions.begin() as session:
            session.execute(
                text(
                    "INSERT INTO person (id, site_id, name, name_key, birth_year, national_id,"
                    " created_at) SELECT gen_random_uuid(), :site, 'Trần ' || n, 'tran', 1980,"
                    " lpad(n::text, 12, '0'), :now FROM generate_series(1, 10000) n"
                ),
                {"site": asking.lab.bench.site_id, "now": asking.lab.bench.now},
            )
        looks: list[int] = []
        while not looks or looks[-1]:
            with asking.lab.laboratory.sessions.begin() as session:
                looks.append(
                    ask_whom.look(
                        session,
                        destination,
                        QuestionKind.IDENTITY,
                        site_id=asking.lab.bench.site_id,
                        now=asking.lab.bench.now,
                    )
                )
                session.execute(
                    text(
                        "UPDATE person_question SET state = 'answered', verdict = 'verified',"
                        " ended_at = now() WHERE state = 'owed'"
                    )
                )
    assert looks == [1000] * 10 + [0]
    assert len(asking.rows()) == 10_000


def test_a_birth_is_asked_to_the_day_where_it_is_known(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        swab = asking.swab(MAI)
        with asking.lab.laboratory.sessions.begin() as session:
            asking.lab.bench.session.commit()
            session.execute(
                text("UPDATE person SET birth_date = :day WHERE id = :id"),
                {"day": date(1980, 5, 5), "id": swab.person_id},
            )
        asking.ask()
    assert [one["born"] for one in there.asked] == ["1980-05-05"]


def test_a_list_that_is_taken_back_takes_its_questions_along(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        with asking.lab.laboratory.sessions.begin() as session:
            session.execute(
                text(
                    "INSERT INTO person (id, site_id, name, name_key, national_id, created_at)"
                    " VALUES (gen_random_uuid(), :site, 'Nhầm Danh Sách', 'nham', :number, :now)"
                ),
                {"site": asking.lab.bench.site_id, "number": MAI, "now": asking.lab.bench.now},
            )
        asking.ask()
        assert asking.rows() == [("answered", "unverified")]
        with asking.lab.laboratory.sessions.begin() as session:
            session.execute(text("DELETE FROM person"))
    assert asking.rows() == []
