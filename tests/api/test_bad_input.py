"""Everything a tired hand or a broken program sends: said no to by name, nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory
from lims.domain.barcodes import candidates, check_character, shown
from lims.work.labels import print_labels
from tests.api import bodies
from tests.api.caller import Caller, Clock, refused
from tests.api.conftest import nothing_written
from tests.builders import ELSEWHERE, NEW

NOBODY = "0190163d-8694-739b-aea5-966c26f8ad91"


def misread(barcode: str, place: int = -1) -> str:
    """The barcode with one character read as another, so that its check is wrong."""
    other = "A" if barcode[place] != "A" else "B"
    body = list(barcode)
    body[place] = other
    return "".join(body)


def swapped(barcode: str) -> str:
    """Two neighbours the wrong way round, where they differ and the check sees it."""
    for place in range(len(barcode) - 2, 0, -1):
        wrong = barcode[:place] + barcode[place + 1] + barcode[place] + barcode[place + 2 :]
        if check_character(wrong[:-1]) != wrong[-1]:
            return wrong
    raise AssertionError(f"every swap in {barcode} goes unseen")


# --- Barcodes


@pytest.mark.parametrize("path", ["/rejections", "/pools", "/runs"])
def test_a_barcode_that_nobody_registered(path: str, api: Caller, database: Engine) -> None:
    known = api.received()[0]
    unknown = bodies.label()
    sent = {
        "/rejections": {"barcode": unknown, "reason": "broken"},
        "/pools": bodies.pool([known, unknown]),
        "/runs": bodies.run(wells=[{"position": "A01", "barcode": unknown}]),
    }
    with nothing_written(database):
        said = refused(api.post(path, sent[path]), 404, "unknown-barcode")
    assert unknown in said["came"].replace("-", "")


@pytest.mark.parametrize("spoil", [misread, swapped, lambda code: misread(code, 7)])
def test_a_misread_barcode_is_answered_with_the_tube_that_is_really_there(
    spoil: Callable[[str], str], api: Caller, campaign: str, database: Engine
) -> None:
    """S15: one character or one swap away."""
    barcode, other = api.received(2, campaign_id=campaign)
    wrong = spoil(barcode)
    sent: list[tuple[str, bodies.Json]] = [
        ("/rejections", {"barcode": wrong, "reason": "broken"}),
        ("/pools", bodies.pool([other, wrong])),
        ("/runs", bodies.run(wells=[{"position": "A01", "barcode": wrong}])),
    ]
    with nothing_written(database):
        for path, body in sent:
            said = refused(api.post(path, body), 422, "wrong-check-character")
            assert said["suggestions"][0] == shown(barcode)
            assert said["came"] == shown(wrong)
        answer = api.done("/receptions", {"barcodes": [wrong]}, status=200)
    assert answer["rows"][0]["problem"]["suggestions"][0] == shown(barcode)


def test_a_tube_that_is_really_there_is_named_though_many_labels_are_as_near(
    api: Caller, database: Engine
) -> None:
    """The likeliest five by their letters would leave it out."""
    for _ in range(40):
        barcode = api.received()[0]
        wrong = misread(barcode, 5)
        if barcode in list(candidates(wrong))[5:]:
            break
    with nothing_written(database):
        said = refused(
            api.post("/rejections", {"barcode": wrong, "reason": "broken"}),
            422,
            "wrong-check-character",
        )
    assert barcode in list(candidates(wrong))[5:]
    assert said["suggestions"][0] == shown(barcode)


def test_a_misread_label_at_the_desk_is_answered_with_one_that_was_printed(
    api: Caller, laboratory: Laboratory, clock: Clock, database: Engine
) -> None:
    """No tube carries it yet: the roll of labels knows it."""
    with laboratory.sessions.begin() as session:
        roll = print_labels(
            session,
            site_id=laboratory.site_id,
            batch_id=uuid7(),
            count=30,
            title="Desk 4",
            by="test",
            now=clock.now,
        ).barcodes
    with nothing_written(database):
        said = refused(
            api.post("/specimens", bodies.registration(barcode=misread(roll[17]))),
            422,
            "wrong-check-character",
        )
    assert shown(roll[17]) in said["suggestions"]
    assert all(one.replace("-", "") in roll for one in said["suggestions"][:1])


@pytest.mark.parametrize("scan", ["TT7K", "TT7K-40FQ-9XBB", "ＴＴ７Ｋ４０ＦＱ９ＸＢ", "<script>!"])
def test_a_scan_that_is_no_barcode(scan: str, api: Caller, database: Engine) -> None:
    with nothing_written(database):
        refused(api.post("/specimens", bodies.registration(barcode=scan)), 422, "not-a-barcode")


# --- Pools


def test_a_tube_scanned_twice_into_one_pool(api: Caller, campaign: str, database: Engine) -> None:
    one, two = api.received(2, campaign_id=campaign)
    with nothing_written(database):
        refused(api.post("/pools", bodies.pool([one, two, one])), 409, "tube-twice-in-pool")


def test_a_tube_that_is_in_another_pool(api: Caller, campaign: str, database: Engine) -> None:
    one, two, three = api.received(3, campaign_id=campaign)
    first = api.done("/pools", bodies.pool([one, two]))
    with nothing_written(database):
        said = refused(api.post("/pools", bodies.pool([two, three])), 409, "already-in-pool")
        refused(api.post("/pools", bodies.pool([three, first["barcode"]])), 409, "pool-of-pools")
    assert shown(first["barcode"]) in said["came"]


def test_a_person_twice_in_one_pool(api: Caller, campaign: str, database: Engine) -> None:
    mai = bodies.person(national_id="079189012345")
    tubes = api.received(2, campaign_id=campaign, person=mai)
    other = api.received(1, campaign_id=campaign)
    with nothing_written(database):
        said = refused(
            api.post("/pools", bodies.pool([*tubes, *other])), 409, "person-twice-in-pool"
        )
    assert "Mai" not in str(said)


def test_a_full_pool(api: Caller, campaign: str, database: Engine) -> None:
    tubes = api.received(21, campaign_id=campaign)
    with nothing_written(database):
        said = refused(api.post("/pools", bodies.pool(tubes)), 409, "pool-full")
        refused(api.post("/pools", bodies.pool(tubes[:1])), 409, "pool-full")
    assert said["came"] == "21 tubes, at most 20"


def test_a_pool_after_its_members_have_results(api: Caller, database: Engine) -> None:
    tubes = api.received(2)
    api.done("/messages", bodies.message(api.planned()))
    with nothing_written(database):
        refused(api.post("/pools", bodies.pool(tubes)), 409, "tube-has-own-test")


def test_a_pool_of_tubes_that_never_came_or_were_rejected(
    api: Caller, campaign: str, database: Engine
) -> None:
    here = api.received(1, campaign_id=campaign)[0]
    absent = api.registered(1, campaign_id=campaign)[0]
    broken = api.received(1, campaign_id=campaign)[0]
    api.done("/rejections", {"barcode": broken, "reason": "broken"})
    with nothing_written(database):
        refused(api.post("/pools", bodies.pool([here, absent])), 409, "tube-state")
        refused(api.post("/pools", bodies.pool([here, broken])), 409, "tube-rejected")


def test_a_pool_under_a_label_that_is_taken(api: Caller, campaign: str, database: Engine) -> None:
    one, two = api.received(2, campaign_id=campaign)
    with nothing_written(database):
        refused(api.post("/pools", bodies.pool([one, two], barcode=one)), 409, "barcode-taken")


# --- Plates


def test_a_well_used_twice_a_tube_in_two_wells_and_a_control_s_well(
    api: Caller, database: Engine
) -> None:
    one, two = api.received(2)

    def plate(*wells: tuple[str, str]) -> bodies.Json:
        return bodies.run(wells=[{"position": p, "barcode": b} for p, b in wells])

    with nothing_written(database):
        refused(api.post("/runs", plate(("A01", one), ("a1", two))), 409, "well-taken")
        refused(api.post("/runs", plate(("A01", one), ("B01", one))), 409, "well-taken")
        refused(api.post("/runs", plate(("H12", one))), 409, "well-taken")
        for nowhere in ("I01", "A13", "A00", "", "01A"):
            refused(api.post("/runs", plate((nowhere, one))), 422, "not-a-well")
        refused(api.post("/runs", bodies.run("pl")), 422, "not-a-barcode")


def test_a_tube_that_is_on_a_plate_already(api: Caller, database: Engine) -> None:
    one = api.received()[0]
    api.planned()
    with nothing_written(database):
        wells = [{"position": "A01", "barcode": one}]
        refused(api.post("/runs", bodies.run("PLATE-0002", wells=wells)), 404, "unknown-barcode")


# --- References to what is not there


@pytest.mark.parametrize("path", ["/specimens", "/field-pools", "/rapid-tests"])
def test_an_area_that_its_scheme_does_not_have(path: str, api: Caller, database: Engine) -> None:
    for area in (
        {"scheme": NEW, "code": "99999"},
        {"scheme": "vn-1975", "code": ELSEWHERE.code},
        {"scheme": "vn-2020", "code": ELSEWHERE.code},  # a code of the new scheme only (S18)
    ):
        somebody = bodies.person(area=area)
        with nothing_written(database):
            refused(api.post(path, with_person(path, somebody)), 404, "unit-unknown")
    worker = bodies.person(work_area={"scheme": NEW, "code": "99999"})
    with nothing_written(database):
        refused(api.post(path, with_person(path, worker)), 404, "unit-unknown")


@pytest.mark.parametrize("path", ["/specimens", "/field-pools"])
def test_a_campaign_that_nobody_opened(path: str, api: Caller, database: Engine) -> None:
    body = with_person(path, bodies.person()) | {"campaign_id": NOBODY}
    with nothing_written(database):
        said = refused(api.post(path, body), 422, "invalid-body")
    assert said["errors"][0]["pointer"] == "#/campaign_id"


@pytest.mark.parametrize("path", ["/specimens", "/field-pools", "/rapid-tests"])
def test_a_person_whom_nobody_registered(path: str, api: Caller, database: Engine) -> None:
    with nothing_written(database):
        refused(api.post(path, with_person(path, None, person_id=NOBODY)), 404, "not-found")


# --- One field after another

PERSON_FAULTS: list[tuple[str, bodies.Json]] = [
    ("name", {"name": ""}),
    ("name", {"name": "   "}),
    ("name", {"name": "\x1c"}),
    ("name", {"name": "x" * 201}),
    ("name", {"name": "\ufb2c" * 70}),  # one character each, three once normalised
    ("name", {"name": None}),
    ("name", {"name": ["Mai"]}),
    ("name", {"name": "Mai\x00"}),
    ("address", {"address": "12 Hai Bà\x00Trưng"}),
    ("address", {"address": "x" * 501}),
    ("area/scheme", {"area": {"scheme": "vn\x002025", "code": "26734"}}),
    ("area/code", {"area": {"scheme": NEW, "code": "26734; DROP TABLE tube"}}),
    ("area/code", {"area": {"scheme": NEW}}),
    ("area", {"area": "26734"}),
    ("birth_year", {"birth_year": 1879}),
    ("birth_year", {"birth_year": 2101}),
    ("birth_year", {"birth_year": 10**30}),
    ("birth_year", {"birth_year": -(2**63)}),
    ("birth_year", {"birth_year": 1989.5}),
    ("birth_year", {"birth_year": "1989"}),
    ("birth_year", {"birth_year": True}),
    ("birth_date", {"birth_year": None, "birth_date": "0000-01-01"}),
    ("birth_date", {"birth_year": None, "birth_date": "0001-01-01"}),
    ("birth_date", {"birth_year": None, "birth_date": "2021-02-29"}),
    ("birth_date", {"birth_year": None, "birth_date": 0}),
    ("", {"birth_date": "1990-01-01"}),  # and the year says 1989
    ("sex", {"sex": "female "}),
    ("national_id", {"national_id": "07918901234"}),
    ("national_id", {"national_id": "٠٧٩١٨٩٠١٢٣٤٥"}),  # digits, but of another script
    ("national_id", {"national_id": "079189012345\n"}),
    ("nickname", {"nickname": "Mai"}),
]


@pytest.mark.parametrize(("place", "wrong"), PERSON_FAULTS)
def test_a_field_of_a_person_that_cannot_be_is_pointed_at(
    place: str, wrong: bodies.Json, api: Caller, database: Engine
) -> None:
    for path, root in (("/specimens", "#/person"), ("/field-pools", "#/members/0/person")):
        with nothing_written(database):
            said = refused(
                api.post(path, with_person(path, bodies.person(**wrong))), 422, "invalid-body"
            )
        assert f"{root}/{place}".rstrip("/") in {error["pointer"] for error in said["errors"]}


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("collected_at", "0000-01-01T00:00:00Z"),
        ("collected_at", "0001-01-01T00:00:00+14:00"),
        ("collected_at", "9999-12-31T23:59:59-14:00"),
        ("collected_at", "1999-12-31T23:59:59Z"),
        ("collected_at", "2021-09-11T07:30:00"),
        ("collected_at", "2021-09-11"),
        ("collected_at", 1631322000),
        ("collected_at", None),
        ("specimen_id", "1"),
        ("specimen_id", 1),
        ("barcode", None),
        ("barcode", ["TT7K-40FQ-9XB"]),
        ("barcode", "x" * 41),
        ("assay", "measles"),
        ("campaign_id", "all"),
        ("person", None),
        ("person", []),
    ],
)
def test_a_field_of_a_swab_that_cannot_be_is_pointed_at(
    place: str, wrong: Any, api: Caller, database: Engine
) -> None:
    with nothing_written(database):
        said = refused(
            api.post("/specimens", bodies.registration(**{place: wrong})), 422, "invalid-body"
        )
    pointed = {error["pointer"] for error in said["errors"]}
    assert pointed & {f"#/{place}", "#"}


@pytest.mark.parametrize("phone", ["12", "0000000000", "+", "091234567٨", "nine"])
def test_a_telephone_number_that_is_none_and_is_not_repeated(
    phone: str, api: Caller, database: Engine
) -> None:
    with nothing_written(database):
        said = refused(
            api.post("/specimens", bodies.registration(person=bodies.person(phone=phone))),
            422,
            "not-a-phone-number",
        )
    assert said["came"] == ""


def test_a_nul_in_a_list_of_texts_deep_inside(api: Caller, database: Engine) -> None:
    api.received(1)
    body = bodies.message(api.planned())
    body["measurements"][0]["specimens"] = [body["measurements"][0]["specimen"], "a\x00b"]
    with nothing_written(database):
        said = refused(api.post("/messages", body), 422, "invalid-body")
        refused(api.post("/receptions", {"barcodes": ["TT7K\x0040FQ"]}), 422, "invalid-body")
    assert said["errors"][0]["pointer"] == "#/measurements/0/specimens/1"


def test_two_hundred_emoji_are_a_name_like_any_other(api: Caller, laboratory: Laboratory) -> None:
    name = "👩" * 200
    api.done("/specimens", bodies.registration(person=bodies.person(name=name)))
    with laboratory.sessions() as session:
        assert session.execute(text("SELECT name FROM person")).scalar_one() == name


def test_a_refusal_repeats_nothing_of_the_person(api: Caller) -> None:
    secret = bodies.person(name="Đoàn Ẩn Danh", phone="0987654321", national_id="079189012345")
    for wrong in ({"sex": "?"}, {"area": {"scheme": NEW, "code": "99999"}}):
        answer = api.post("/specimens", bodies.registration(person=secret | wrong))
        assert answer.status_code >= 400
        for word in ("Đoàn", "0987654321", "987654321", "079189012345"):
            assert word not in answer.text


def with_person(path: str, person: Any, **whose: Any) -> bodies.Json:
    """A valid body of the endpoint about this person, or about a known one."""
    about = {"person": person} | whose
    match path:
        case "/specimens":
            return bodies.registration(**about)
        case "/rapid-tests":
            return bodies.rapid_test(**about)
        case _:
            return bodies.field_pool(members=[{"specimen_id": bodies.fresh_id()} | about])
