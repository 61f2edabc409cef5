"""A batch of swabs: good rows are kept, bad ones come back with how to correct them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, text

from lims.db.laboratory import Laboratory
from tests.api import bodies
from tests.api.caller import Caller, refused
from tests.api.conftest import nothing_written
from tests.builders import NEW

NOBODY = "0190163d-8694-739b-aea5-966c26f8ad91"


def sent(api: Caller, rows: list[Any], *, status: int = 201) -> bodies.Json:
    return api.done("/specimens/batch", {"rows": rows}, status=status)


def tubes(laboratory: Laboratory) -> set[str]:
    with laboratory.sessions() as session:
        return set(session.execute(text("SELECT barcode FROM tube")).scalars())


def test_good_rows_are_kept_and_bad_ones_come_back_in_their_places(
    api: Caller, laboratory: Laboratory
) -> None:
    [taken] = api.registered()
    good = [bodies.registration() for _ in range(3)]
    misread = f"{good[0]['barcode'][:-1]}{'A' if good[0]['barcode'][-1] != 'A' else 'B'}"
    rows = [
        good[0],
        bodies.registration(person=bodies.person(birth_year="old")),
        good[1],
        bodies.registration(barcode=taken),
        bodies.registration(barcode=misread),
        bodies.registration(campaign_id=NOBODY),
        bodies.registration(person=bodies.person(area={"scheme": NEW, "code": "99999"})),
        bodies.registration(person=None, person_id=NOBODY),
        {"whatever": 1},
        "no object",
        bodies.registration(person=bodies.person(phone="12")),
        bodies.registration(person=bodies.person(name="a\x00b")),
        good[2],
    ]

    answer = sent(api, rows)

    assert (answer["registered"], answer["replayed"], answer["refused"]) == (3, 0, 10)
    assert [row["row"] for row in answer["rows"]] == list(range(13))
    assert [row["outcome"] for row in answer["rows"]].count("registered") == 3
    kinds = {row["row"]: row["problem"]["type"] for row in answer["rows"] if row["problem"]}
    assert kinds == {
        1: "/problems/invalid-body",
        3: "/problems/barcode-taken",
        4: "/problems/wrong-check-character",
        5: "/problems/invalid-body",
        6: "/problems/unit-unknown",
        7: "/problems/not-found",
        8: "/problems/invalid-body",
        9: "/problems/invalid-body",
        10: "/problems/not-a-phone-number",
        11: "/problems/invalid-body",
    }
    pointers = {
        row["row"]: [error["pointer"] for error in row["problem"]["errors"]]
        for row in answer["rows"]
        if row["problem"] and "errors" in row["problem"]
    }
    assert pointers[1] == ["#/person/birth_year"]
    assert pointers[5] == ["#/campaign_id"]
    assert pointers[11] == ["#/person/name"]
    assert "#/whatever" in pointers[8]
    assert tubes(laboratory) == {taken, *(row["barcode"] for row in good)}


def test_a_corrected_row_sent_with_the_whole_batch_is_all_that_is_added(
    api: Caller, laboratory: Laboratory
) -> None:
    rows = [bodies.registration() for _ in range(3)]
    wrong = rows[1] | {"collected_at": "yesterday"}
    first = sent(api, [rows[0], wrong, rows[2]])

    second = sent(api, rows)

    assert [row["outcome"] for row in second["rows"]] == ["replayed", "registered", "replayed"]
    for place in (0, 2):
        assert second["rows"][place]["receipt"] == first["rows"][place]["receipt"] | {
            "replayed": True
        }
    assert tubes(laboratory) == {row["barcode"] for row in rows}


def test_a_repeated_batch_answers_the_same_and_adds_nothing(api: Caller, database: Engine) -> None:
    rows = [bodies.registration(), bodies.registration(), {"barcode": "?"}]
    first = sent(api, rows)

    with nothing_written(database):
        again = sent(api, rows, status=200)

    assert (again["registered"], again["replayed"], again["refused"]) == (0, 2, 1)
    assert again["rows"][2] == first["rows"][2]


def test_rows_that_contradict_each_other_are_judged_in_order(
    api: Caller, laboratory: Laboratory
) -> None:
    one = bodies.registration()
    same_label = bodies.registration(barcode=one["barcode"])
    same_id = bodies.registration(specimen_id=one["specimen_id"])

    answer = sent(api, [one, one, same_label, same_id])

    assert [row["outcome"] for row in answer["rows"]] == [
        "registered",
        "replayed",
        "refused",
        "refused",
    ]
    assert answer["rows"][2]["problem"]["type"] == "/problems/barcode-taken"
    assert answer["rows"][3]["problem"]["type"] == "/problems/different-body"
    assert tubes(laboratory) == {one["barcode"]}


def test_one_card_on_two_rows_is_one_person(api: Caller) -> None:
    mai = bodies.person(national_id="079189012345")
    answer = sent(api, [bodies.registration(person=mai), bodies.registration(person=mai)])
    assert len({row["receipt"]["person_id"] for row in answer["rows"]}) == 1


def test_ten_thousand_and_one_rows_are_refused_whole(api: Caller, database: Engine) -> None:
    with nothing_written(database):
        said = refused(api.post("/specimens/batch", {"rows": [{}] * 10_001}), 413, "body-too-large")
    assert said["came"] == "10001 rows"


def test_no_rows_at_all_is_an_answer_too(api: Caller) -> None:
    assert sent(api, [], status=200)["rows"] == []


def test_a_batch_of_another_shape_is_refused(api: Caller, database: Engine) -> None:
    with nothing_written(database):
        shapes: tuple[object, ...] = ({"rows": {}}, {"rows": [], "more": 1}, {}, [], "rows")
        for body in shapes:
            refused(api.post("/specimens/batch", body), 422, "invalid-body")
