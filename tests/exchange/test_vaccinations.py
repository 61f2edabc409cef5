"""Doses asked of a register of vaccinations, and what triage makes of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from lims.db.ids import uuid7
from lims.domain.asking import QuestionKind
from lims.domain.triage import Clinical, Colour, Signs, TriageRule
from lims.work import asking as asking_verbs
from lims.work.ask_whom import ask_about
from lims.work.outbound import end_turn
from lims.work.triage import add_rules, record_clinical
from lims.work.views.triage import Classified, classified
from tests.builders import Swab
from tests.exchange.people_asked import MAI, AskingLab, number
from tests.exchange.registers import Citizen, registers

TWICE = ("2021-06-01", "2021-08-20")
WELL = Clinical(illnesses=frozenset(), spo2_percent=98, signs=Signs.NONE)


def known(asking: AskingLab, swab: Swab) -> Classified | None:
    with asking.lab.laboratory.sessions.begin() as session:
        case = session.execute(
            text("SELECT id FROM f0_case WHERE person_id = :p"), {"p": swab.person_id}
        ).scalar_one()
        return classified(session, case)


def doses(asking: AskingLab, swab: Swab) -> int | None:
    found = known(asking, swab)
    return found.known.doses if found else None


def by_hand(asking: AskingLab, swab: Swab, said: Clinical) -> None:
    bench = asking.lab.bench
    record_clinical(
        bench.session,
        uuid7(),
        asking.case(swab),
        said,
        site_id=bench.site_id,
        by="user:hanh",
        now=bench.now,
    )
    bench.session.commit()


def want(asking: AskingLab, swab: Swab) -> None:
    with asking.lab.laboratory.sessions.begin() as session:
        ask_about(
            session,
            swab.person_id,
            QuestionKind.DOSES,
            site_id=asking.lab.bench.site_id,
            by="user:r",
            now=asking.lab.clock.now,
        )


def test_an_f0_is_asked_about_and_nobody_else(asking: AskingLab) -> None:
    with registers() as there:
        asking.vaccinations(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05", TWICE)
        asking.people(3, there)
        swab = asking.f0()
        asking.ask()
        asking.ask()
        assert there.names() == ["Nguyễn Thị Mai"]
        assert there.addresses == ["/quoc-gia/vaccinations"]
        assert doses(asking, swab) == 2
        row = asking.one("SELECT verdict, doses, dose_dates, said FROM person_question")
    assert tuple(row) == ("verified", 2, [date(2021, 6, 1), date(2021, 8, 20)], None)
    triage = known(asking, swab)
    assert triage is not None
    assert (triage.recorded_by, triage.by_register) == ("register:Sổ tiêm chủng", True)


def test_members_of_a_positive_pool_are_asked_about_after_the_cases(asking: AskingLab) -> None:
    bench = asking.lab.bench
    with registers() as there:
        asking.vaccinations(there)
        asking.f0()
        campaign = bench.campaign()
        members = [asking.swab(number(n), f"Trần Văn {n}", campaign) for n in range(3)]
        pool = bench.lab_pool(members)
        bench.run({pool: 27.0})
        asking.ask()
    assert there.names()[0] == "Nguyễn Thị Mai"
    assert sorted(there.names()[1:]) == ["Trần Văn 0", "Trần Văn 1", "Trần Văn 2"]


def test_who_was_asked_about_as_a_member_has_their_doses_when_the_case_opens(
    asking: AskingLab,
) -> None:
    with registers() as there:
        asking.vaccinations(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05", TWICE)
        swab = asking.swab(MAI)
        asking.lab.bench.session.commit()
        want(asking, swab)
        asking.ask()
        asking.lab.bench.run({swab.barcode: 24.5})
        asking.ask()
    assert len(there.asked) == 1
    assert doses(asking, swab) == 2


def test_doses_classify_in_the_transaction_of_their_answer(
    asking: AskingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    real = end_turn

    def die(*args: Any, **named: Any) -> bool:
        if named["heard"]:
            raise Killed
        return real(*args, **named)

    with registers() as there:
        asking.vaccinations(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05", TWICE)
        swab = asking.f0()
        by_hand(asking, swab, WELL)
        before = known(asking, swab)
        assert before is not None and before.colour is None
        with monkeypatch.context() as dying, pytest.raises(Killed):
            dying.setattr(asking_verbs, "end_turn", die)
            asking.ask()
        assert asking.rows("doses") == [("owed", None)]
        assert known(asking, swab) == before, "the answer, the doses and the colour, or none"
        asking.lab.clock.later(3)
        asking.ask()
    after = known(asking, swab)
    assert after is not None
    assert (after.colour, after.known.doses) == (Colour.GREEN, 2)
    assert (after.known.spo2_percent, after.known.signs) == (98, Signs.NONE)


def test_what_somebody_entered_by_hand_wins(asking: AskingLab) -> None:
    with registers() as there:
        asking.vaccinations(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05", TWICE)
        swab = asking.f0()
        by_hand(asking, swab, Clinical(doses=0))
        asking.ask()
        assert (doses(asking, swab), asking.rows("doses")) == (0, [("answered", "verified")])
        by_hand(asking, swab, WELL)
        assert doses(asking, swab) == 2, "nothing entered: the register's stand"
        by_hand(asking, swab, Clinical(doses=3))
        asking.ask()
    assert doses(asking, swab) == 3


def test_a_new_table_of_rules_keeps_whose_word_the_doses_are(asking: AskingLab) -> None:
    bench = asking.lab.bench
    with registers() as there:
        asking.vaccinations(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05", TWICE)
        swab = asking.f0()
        asking.ask()
        add_rules(
            bench.session,
            "cdc/1",
            [TriageRule(Colour.ORANGE, doses_to=2)],
            source="QĐ 1",
            site_id=bench.site_id,
            by="user:admin",
            now=bench.now,
        )
        bench.session.commit()
        judged = known(asking, swab)
        assert judged is not None and judged.by_register
        assert judged.colour is Colour.ORANGE


def test_doses_of_another_number_are_taken_back(asking: AskingLab) -> None:
    """The name was mended: the register has that number under the old one only."""
    with registers() as there:
        asking.vaccinations(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05", TWICE)
        swab = asking.f0()
        asking.ask()
        assert doses(asking, swab) == 2
        asking.rename(swab, "Nguyễn Thị Mái")
        asking.ask()
    assert asking.rows("doses") == [("answered", "conflict")]
    assert doses(asking, swab) is None


def test_an_answer_to_the_old_name_fills_nothing(asking: AskingLab) -> None:
    with registers() as there:
        asking.vaccinations(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05", TWICE)
        swab = asking.f0()

        def mend() -> None:
            there.while_asked = lambda: None
            asking.rename(swab, "Nguyễn Thị Mái")

        there.while_asked = mend
        asking.ask()
    assert doses(asking, swab) is None


@pytest.mark.parametrize(
    "nonsense",
    [
        {"outcome": "verified"},
        {"outcome": "verified", "doses": "2"},
        {"outcome": "verified", "doses": 21},
        {"outcome": "verified", "doses": True},
        {"outcome": "verified", "doses": 1, "dates": ["2021-06-01", "2021-08-20"]},
        {"outcome": "verified", "doses": 1, "dates": ["01/06/2021"]},
    ],
)
def test_doses_that_cannot_be_are_no_answer(asking: AskingLab, nonsense: dict[str, Any]) -> None:
    with registers() as there:
        asking.vaccinations(there)
        there.judge = lambda _entry: nonsense
        swab = asking.f0()
        asking.ask()
    assert asking.rows("doses") == [("owed", None)]
    assert doses(asking, swab) is None


def test_who_is_over_before_their_turn_is_not_asked_about(asking: AskingLab) -> None:
    with registers(broken=lambda n: (503, b"") if n == 1 else None) as there:
        asking.vaccinations(there)
        asking.f0()
        asking.ask()
        with asking.lab.laboratory.sessions.begin() as session:
            session.execute(text("UPDATE f0_case SET state = 'withdrawn'"))
        asking.lab.clock.later(1)
        asking.ask()
    assert (there.asked, asking.rows("doses")) == ([], [])


def test_who_has_no_number_is_not_asked_about(asking: AskingLab) -> None:
    with registers() as there:
        asking.vaccinations(there)
        asking.f0(None)
        asking.ask()
    assert there.asked == []


def test_unvaccinated_is_known_and_unknown_is_not_nothing(asking: AskingLab) -> None:
    with registers() as there:
        asking.vaccinations(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05")
        none, unknown = asking.f0(), asking.f0(number(7), "Lê Văn Bảy")
        asking.ask()
    assert (doses(asking, none), doses(asking, unknown)) == (0, None)


def test_what_was_answered_stands_while_it_is_asked_again(asking: AskingLab) -> None:
    away = [False]
    with registers(broken=lambda _: (503, b"") if away[0] else None) as there:
        asking.vaccinations(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05", TWICE)
        swab = asking.f0()
        asking.ask()
        away[0] = True
        want(asking, swab)
        asking.ask()
        assert asking.rows("doses") == [("owed", None)]
        assert doses(asking, swab) == 2
        away[0] = False
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05", (*TWICE, "2021-09-10"))
        asking.lab.clock.later(1)
        asking.ask()
        assert doses(asking, swab) == 3
        there.citizens.clear()  # and now it says that it was mistaken
        want(asking, swab)
        asking.ask()
    assert doses(asking, swab) is None
