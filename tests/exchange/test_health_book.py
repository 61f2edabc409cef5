"""Results into health books: what is pushed, what answers lead to, and that nothing is said twice
in two ways. The platform is a real server (platform.py)."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from sqlalchemy import text

from lims.exchange.adapters import https_line
from lims.work.hand_over import hand_over
from lims.work.outbound import send_again
from tests.exchange.laboratories import Lab
from tests.exchange.platform import platform


def test_final_words_arrive_with_whose_they_are(lab: Lab) -> None:
    with platform() as book:
        lab.health_book(book.url)
        lab.positive()
        lab.negatives(2)
        lab.deliver()
    assert book.results() == {
        "Nguyễn Thị Mai": ("final", "positive"),
        "Trần Văn 0": ("final", "negative"),
        "Trần Văn 1": ("final", "negative"),
    }
    assert {row[1] for row in lab.rows()} == {"delivered"}


def test_many_words_are_one_request(lab: Lab) -> None:
    with platform() as book:
        lab.health_book(book.url)
        lab.negatives(7)
        lab.deliver()
    assert book.batches == [7]


def test_a_swab_that_was_another_persons_moves_to_their_book(lab: Lab) -> None:
    with platform() as book:
        lab.health_book(book.url)
        swab, other = lab.negatives(1)[0], lab.bench.swab(name="Lê Văn Hai")
        lab.bench.run()
        lab.deliver()
        hand_over(
            lab.bench.session,
            [swab.specimen_id],
            first=swab.person_id,
            owner=other.person_id,
            site_id=lab.bench.site_id,
            by="reviewer",
            now=lab.bench.later(5).now,
        )
        lab.deliver()
    told = [one for one in book.said if one["record"] == str(swab.specimen_id)]
    assert [(one["sequence"], one["status"], one["person"]["name"]) for one in told] == [
        (1, "final", "Trần Văn 0"),
        (2, "withdrawn", "Trần Văn 0"),
        (3, "corrected", "Lê Văn Hai"),
    ]
    assert told[1]["why"] == "other-person"
    assert "result" not in told[1]


def test_each_entry_has_its_own_answer(lab: Lab) -> None:
    def judge(entry: dict[str, Any]) -> tuple[str, str]:
        return {
            "Trần Văn 0": ("refused", "không có số định danh này"),
            "Trần Văn 1": ("later", "đang khóa sổ"),
        }.get(entry["person"]["name"], ("accepted", ""))

    with platform(judge) as book:
        destination = lab.health_book(book.url)
        lab.negatives(3)
        lab.deliver()
        assert sorted(row[1] for row in lab.rows()) == ["dead", "delivered", "owed"]
        assert lab.destination().failures == 0
        book.judge = lambda _entry: ("accepted", "")
        with lab.laboratory.sessions.begin() as session:
            send_again(session, destination, by="user:admin", now=lab.clock.now)
        lab.clock.later(1)
        lab.deliver()
    assert {row[1] for row in lab.rows()} == {"delivered"}


def test_one_entry_that_cannot_be_read_harms_only_itself(lab: Lab) -> None:
    with platform() as book:
        taking = book.take

        def picky(body: dict[str, Any]) -> dict[str, Any]:
            if any(one["person"]["name"] == "Trần Văn 2" for one in body["entries"]):
                raise ValueError(body)
            return taking(body)

        book.take = picky  # type: ignore[method-assign] # as a platform may
        lab.health_book(book.url)
        lab.negatives(5)
        lab.deliver()
    assert sorted(row[1] for row in lab.rows()) == ["dead"] + ["delivered"] * 4
    assert lab.answers().count("400 cannot read the body") == 1


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        (503, b"", "503"),
        (500, "<html>Lỗi</html>".encode(), "500 <html>Lỗi</html>"),
        (429, b'{"detail": "qu\xc3\xa1 nhi\xe1\xbb\x81u"}', "429 quá nhiều"),
        (302, b"", "302"),
        (200, "<html>bảo trì</html>".encode(), "answered 200 with what is no JSON"),
        (200, b'{"ok": true}', "answered 200 without the outcome of each entry"),
    ],
)
def test_a_platform_in_trouble_is_tried_again_and_nothing_dies(
    lab: Lab, status: int, said: bytes, why: str
) -> None:
    with platform(broken=lambda number: (status, said) if number == 1 else None) as book:
        lab.health_book(book.url)
        lab.negatives(2)
        lab.deliver()
        assert lab.rows() == [("F", "owed", 0)] * 2
        assert lab.destination().last_error == why
        lab.clock.later(1)
        lab.deliver()
    assert lab.rows() == [("F", "delivered", 1)] * 2


def test_a_token_that_is_not_taken_is_said_so(lab: Lab) -> None:
    with platform() as book:
        lab.health_book(book.url, token="an-old-one-of-ours")
        lab.negatives(1)
        lab.deliver()
    assert lab.destination().last_error == "our token is not taken there: 401 no such token"
    assert lab.rows() == [("F", "owed", 0)]


def test_an_answer_without_an_end_is_no_answer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https_line, "_LONGEST", 1000)
    with platform(broken=lambda _: (200, b" " * 5000)) as book:
        lab.health_book(book.url)
        lab.negatives(1)
        lab.deliver()
    assert lab.destination().last_error == "an answer without an end"


def test_a_name_that_leads_elsewhere_the_second_time_gains_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged as private, and then looked up again: the token would go wherever it leads then."""
    plain, asked = socket.getaddrinfo, list[str]()

    def looked_up(host: Any, *more: Any, **named: Any) -> Any:
        if host != "so-suc-khoe.test":
            return plain(host, *more, **named)
        asked.append(host)
        return plain("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with platform() as book:
        lab.health_book(book.url.replace("127.0.0.1", "so-suc-khoe.test"))
        lab.negatives(1)
        lab.deliver()
        assert len(book.books) == 1
    assert asked == ["so-suc-khoe.test"]


def test_names_never_go_in_the_clear_over_the_internet(lab: Lab) -> None:
    """Of a row from before set-up refused it; a name may come to lead there on any day."""
    one = lab.health_book("http://10.0.0.7/lab")
    lab.bench.session.execute(
        text("UPDATE destination SET address = 'http://203.0.114.7/lab' WHERE id = :id"),
        {"id": one},
    )
    lab.bench.session.commit()
    lab.negatives(1)
    lab.deliver()
    assert lab.destination().last_error == "refused: without TLS only inside a private network"
    assert lab.rows() == [("F", "owed", 0)]


def test_what_was_taken_but_not_written_down_is_known_there(lab: Lab) -> None:
    """The answer was lost: the same message again is no second entry."""
    answered = [0]

    with platform() as book:
        taking = book.take

        def lose_the_answer(body: dict[str, Any]) -> dict[str, Any]:
            said = taking(body)
            answered[0] += 1
            return said if answered[0] > 1 else {"lost": True}

        book.take = lose_the_answer  # type: ignore[method-assign] # as a platform may
        lab.health_book(book.url)
        lab.negatives(2)
        lab.deliver()
        lab.clock.later(1)
        lab.deliver()
    assert len(book.said) == 4
    assert [one["message"] for one in book.said[:2]] == [one["message"] for one in book.said[2:]]
    assert len(book.books) == 2
    assert lab.answers() == ["known", "known"]
