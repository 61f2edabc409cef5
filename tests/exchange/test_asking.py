"""The asking of registers (registers.py, a real server): away, half a batch, replays, killed."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from lims.domain.exchange import DestinationKind
from lims.exchange.adapters import https_line
from lims.work import ask_whom
from lims.work import asking as asking_verbs
from tests.exchange.people_asked import MAI, AskingLab, number
from tests.exchange.registers import Citizen, registers

ANSWERED = ("answered", "verified")


def test_many_are_asked_in_batches_of_at_most_a_hundred(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        asking.people(205, there)
        asking.ask()
    assert there.batches == [100, 100, 5]
    assert asking.rows() == [ANSWERED] * 205


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        (503, b"", "503"),
        (429, b'{"detail": "qu\xc3\xa1 nhi\xe1\xbb\x81u"}', "429 quá nhiều"),
        (500, b"no 079180000001 here", "500 no … here"),
        (302, b"", "302"),
        (200, b'{"ok": true}', "answered 200 without the outcome of each entry"),
        (
            200,
            b'{"entries": [{"question": "7"}]}',
            "answered 200 without the outcome of each entry",
        ),
    ],
)
def test_a_register_that_is_away_is_asked_again_and_nothing_dies(
    asking: AskingLab, status: int, said: bytes, why: str
) -> None:
    with registers(broken=lambda n: (status, said) if n == 1 else None) as there:
        asking.population(there)
        asking.people(2, there)
        asking.ask()
        assert asking.rows() == [("owed", None)] * 2
        assert asking.lab.destination().last_error == why
        asking.ask()
        assert len(there.addresses) == 1, "not at once"
        asking.lab.clock.later(1)
        asking.ask()
    assert asking.rows() == [ANSWERED] * 2
    assert asking.lab.destination().failures == 0


def test_while_it_is_away_questions_do_not_pile_up(
    asking: AskingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_whom, "A_LOOK", 5)
    with registers(broken=lambda n: (503, b"") if n <= 3 else None) as there:
        asking.population(there)
        asking.people(23, there)
        for _ in range(3):
            asking.ask()
            assert len(asking.rows()) == 5
            asking.lab.clock.later(6)
        asking.ask()
    assert asking.rows() == [ANSWERED] * 23


def test_half_a_batch_is_kept_and_the_rest_asked_again(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        asking.people(4, there)
        there.judge = lambda entry: {} if entry["name"] in {"Trần Văn 2", "Trần Văn 3"} else None
        asking.ask()
        assert asking.rows() == [ANSWERED] * 2 + [("owed", None)] * 2
        assert asking.lab.destination().failures == 0
        there.judge = lambda _entry: None
        asking.lab.clock.later(1)
        asking.ask()
    assert asking.rows() == [ANSWERED] * 4
    assert there.batches == [4, 2]


def test_an_entry_that_is_refused_harms_only_itself_and_can_be_asked_again(
    asking: AskingLab,
) -> None:
    with registers() as there:
        destination = asking.population(there)
        asking.people(3, there)
        there.judge = lambda entry: (
            {"outcome": "refused", "reason": f"số {entry['cccd']} đang khóa"}
            if entry["name"] == "Trần Văn 1"
            else None
        )
        asking.ask()
        assert asking.rows() == [ANSWERED, ("refused", None), ANSWERED]
        said = asking.one("SELECT said FROM person_question WHERE state = 'refused'")[0]
        assert said == "số … đang khóa"
        there.judge = lambda _entry: None
        with asking.lab.laboratory.sessions.begin() as session:
            assert (
                asking_verbs.ask_refused_again(
                    session, destination, by="user:admin", now=asking.lab.clock.now
                )
                == 1
            )
        asking.ask()
    assert asking.rows() == [ANSWERED] * 3


def test_one_entry_that_cannot_be_read_harms_only_itself(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        asking.people(7, there)

        def picky(entry: dict[str, Any]) -> dict[str, Any] | None:
            if entry["name"] == "Trần Văn 5":
                raise ValueError(entry)
            return None

        there.judge = picky
        asking.ask()
    assert asking.rows() == [ANSWERED] * 5 + [("refused", None), ANSWERED]


@pytest.mark.parametrize(
    "nonsense",
    [{"outcome": "maybe"}, {"outcome": "conflict", "differs": ["colour"]}, {"outcome": 7}],
)
def test_an_answer_that_is_not_of_the_contract_is_none(
    asking: AskingLab, nonsense: dict[str, Any]
) -> None:
    with registers() as there:
        asking.population(there)
        asking.people(2, there)
        there.judge = lambda entry: nonsense if entry["name"] == "Trần Văn 0" else None
        asking.ask()
        assert asking.rows() == [("owed", None), ANSWERED]
        for _ in range(2):
            asking.lab.clock.later(2)
            asking.ask()
    assert asking.rows() == [("refused", None), ANSWERED], "given up on after the whole plan"


def test_killed_between_the_answer_and_its_writing_down_it_asks_the_same_again(
    asking: AskingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> bool:
        raise Killed

    with registers() as there:
        asking.population(there)
        asking.people(3, there)
        with monkeypatch.context() as dying, pytest.raises(Killed):
            dying.setattr(asking_verbs, "keep_answers", die)
            asking.ask()
        assert asking.rows() == [("owed", None)] * 3
        asking.ask()
        assert there.batches == [3], "the lease still runs"
        asking.lab.clock.later(3)
        asking.ask()
    assert asking.rows() == [ANSWERED] * 3
    assert there.asked[:3] == there.asked[3:], "the same questions, word for word"


def test_an_answer_that_comes_twice_is_kept_once(asking: AskingLab) -> None:
    """Its sender was given up for dead, and another asked the same meanwhile."""
    with registers() as there:
        asking.population(there)
        there.citizens[MAI] = Citizen("Nguyễn Thị Mai", "1980-05-05")
        asking.swab(MAI)

        def other_sender() -> None:
            there.while_asked = lambda: None
            there.citizens.clear()  # and what it answers the first is older
            asking.lab.clock.later(5)
            asking.asker(DestinationKind.POPULATION).drain()

        there.while_asked = other_sender
        asking.ask()
    assert there.batches == [1, 1]
    assert asking.rows() == [("answered", "unverified")], "the first that was written down stands"
    assert asking.one("SELECT attempts FROM person_question")[0] == 1


def test_two_who_look_at_once_ask_about_nobody_twice(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        asking.people(40, there)
        asking.lab.bench.session.commit()
        threads = [
            threading.Thread(target=asking.asker(DestinationKind.POPULATION).drain)
            for _ in range(3)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        asking.ask()
    assert sorted(there.names()) == sorted(f"Trần Văn {n}" for n in range(40))


def test_nothing_is_asked_in_the_clear_over_the_internet(asking: AskingLab) -> None:
    with registers() as there:
        asking.population(there)
        asking.people(1)
        with asking.lab.laboratory.sessions.begin() as session:
            session.execute(text("UPDATE destination SET address = 'http://203.0.114.7/x'"))
        asking.ask()
    assert (
        asking.lab.destination().last_error == "refused: without TLS only inside a private network"
    )
    assert asking.rows() == [("owed", None)]


def test_an_answer_without_an_end_is_no_answer(
    asking: AskingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https_line, "_LONGEST", 1000)
    with registers(broken=lambda _: (200, b" " * 5000)) as there:
        asking.population(there)
        asking.people(1)
        asking.ask()
    assert asking.lab.destination().last_error == "an answer without an end"


def test_those_who_are_asked_again_later_hold_up_nobody_else(
    asking: AskingLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_whom, "A_LOOK", 4)
    with registers() as there:
        asking.population(there)
        asking.people(20, there)
        silent = {number(n) for n in range(0, 20, 2)}
        there.judge = lambda entry: {} if entry["cccd"] in silent else None
        asking.ask()
    assert len(there.asked) == 20
    assert [state for state, _ in asking.rows()].count("answered") == 10


WRONG = {
    "an answer without a verdict": "state = 'answered', ended_at = now()",
    "a verdict before the answer": "verdict = 'verified'",
    "an end of what is owed": "ended_at = now()",
    "an overtaken question that is the newest": "state = 'overtaken', ended_at = now()",
    "doses of an identity check": "state = 'answered', verdict = 'verified', ended_at = now(),"
    " doses = 2, dose_dates = '{}'",
    "doses that nobody found": "kind = 'doses', state = 'answered', verdict = 'unverified',"
    " ended_at = now(), doses = 2, dose_dates = '{}'",
    "doses that were found and not said": "kind = 'doses', state = 'answered',"
    " verdict = 'verified', ended_at = now()",
    "more days than doses": "kind = 'doses', state = 'answered', verdict = 'verified',"
    " ended_at = now(), doses = 0, dose_dates = '{2021-06-01}'",
    "a difference without a conflict": "differs = '{name}'",
    "a conflict about something else": "state = 'answered', verdict = 'conflict',"
    " ended_at = now(), differs = '{colour}'",
    "a look at what is no conflict": "looked_at = now(), looked_by = 'x', looked_note = 'x'",
    "a stamp that is none": "stamp = 'x'",
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_state_cannot_be_stored(asking: AskingLab, wrong: str) -> None:
    with registers(broken=lambda _: (503, b"")) as there:
        asking.population(there)
        asking.people(1)
        asking.ask()
    with asking.lab.laboratory.sessions() as session, pytest.raises(IntegrityError):
        session.execute(text(f"UPDATE person_question SET {wrong}"))
