"""The reviewer's page: why each thing waits, and the one act that ends its waiting."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from instruments.measurement import Capture, Quarantine, digest_of
from lims.db.ids import uuid7
from lims.domain.identity import name_key
from lims.domain.registration import PersonGiven, Registration
from lims.tables import Finding, Person, Run
from lims.web.line_words import unread_todo
from lims.work.access import Role
from lims.work.register import register
from tests.builders import Bench, set_up
from tests.captures import four_capture, plate_capture, stray
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn

_ACTION = re.compile(r'action="(/review/[^"]+)"')


@pytest.fixture
def reviewer(signed_in: SignIn) -> Browser:
    return signed_in(Role.REVIEWER)


def waiting(browser: Browser, show: str) -> list[str]:
    """What the button of each waiting finding sends."""
    return re.findall(r'name="only" value="([^"]+)"', browser.get(f"/review?show={show}").text)


def acts(browser: Browser, show: str) -> list[str]:
    """The acts that the page offers."""
    return _ACTION.findall(browser.get(f"/review?show={show}").text)


def test_an_empty_page_says_that_nothing_waits(reviewer: Browser, bench: Bench) -> None:
    assert "No positive waits for its final word." in words(reviewer.get("/review"))


def test_a_positive_waits_with_its_evidence_and_is_released_once(
    reviewer: Browser, bench: Bench
) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 23.7})
    bench.session.commit()
    page = words(reviewer.get("/review"))
    for said in ("Nguyễn Thị Mai", "ORF1ab 23.7", "PLATE-0001", "the reading rule, version 2"):
        assert said in page, said
    (one,) = waiting(reviewer, "positives")
    for _ in range(2):
        answer = reviewer.post("/review/findings/release", {"only": one})
        assert answer.location == "/review?show=positives"
    status = bench.session.scalars(select(Finding.status).where(Finding.current)).one()
    assert status == "F"
    assert "No positive waits" in words(reviewer.get("/review?show=positives"))


def test_an_operator_looks_and_decides_nothing(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 23.7})
    bench.session.commit()
    browser = signed_in(Role.OPERATOR)
    assert "You may look; a reviewer decides." in words(browser.get("/review"))
    assert waiting(browser, "positives") == []


def test_a_held_run_is_let_count(reviewer: Browser, bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0}, pc=None)
    bench.session.commit()
    page = words(reviewer.get("/review?show=runs"))
    assert "positive control H12 did not amplify" in page
    release = next(act for act in acts(reviewer, "runs") if act.endswith("/release"))
    reviewer.post(release)
    assert bench.session.scalars(select(Run.state)).one() == "valid"
    assert "Nguyễn Thị Mai" in words(reviewer.get("/review?show=positives"))


def test_a_run_is_withdrawn_for_a_reason_and_not_without(reviewer: Browser, bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 24.0}, pc=None)
    bench.session.commit()
    withdraw = next(act for act in acts(reviewer, "runs") if act.endswith("/invalidate"))
    assert reviewer.post(withdraw).status_code == 422
    reviewer.post(withdraw, {"reason": "Trộn nhầm hóa chất"})
    assert bench.session.scalars(select(Run.state)).one() == "invalid"


def test_a_disagreement_waits_for_its_repeats_and_is_closed_with_a_reason(
    reviewer: Browser, bench: Bench
) -> None:
    pool = bench.lab_pool(bench.swabs(3))
    bench.run({pool: 30.0})
    bench.run({})
    bench.session.commit()
    page = words(reviewer.get("/review?show=discordant"))
    assert "1 repeat waits" in page and "3 tubes negative" in page
    bench.run({})
    bench.session.commit()
    (close,) = acts(reviewer, "discordant")
    reviewer.post(close, {"reason": "nhiễm chéo khi gộp"})
    outcomes = bench.session.scalars(select(Finding.outcome).where(Finding.current)).all()
    assert set(outcomes) == {"negative"}


def test_a_second_value_stands_beside_the_first_and_may_replace_it(
    reviewer: Browser, bench: Bench
) -> None:
    swab = bench.swab()
    layout = bench.plate()
    bench.later(90).take(plate_capture(layout, {swab.barcode: 24.0}, instrument=bench.instrument))
    bench.take(
        plate_capture(layout, {swab.barcode: 31.5}, only={"A01"}, instrument=bench.instrument)
    )
    bench.session.commit()
    page = words(reviewer.get("/review?show=corrections"))
    assert "ORF1ab 24.0" in page and "ORF1ab 31.5" in page
    accept = next(act for act in acts(reviewer, "corrections") if act.endswith("/accept"))
    reviewer.post(accept)
    current = text("SELECT ct_cycles FROM result WHERE current")
    assert bench.session.scalar(current) == 31.5


def test_an_unknown_measurement_is_attached_or_dismissed(reviewer: Browser, bench: Bench) -> None:
    plated, lost = bench.swab(), bench.swab(name="Trần Văn Lạc")
    layout = bench.plate(plated.barcode)
    told = plate_capture(
        layout,
        {},
        instrument=bench.instrument,
        extra=(stray(layout, "TT0", "B01", 22.0), stray(layout, "TT1", "C01", 20.0)),
    )
    bench.later(90).take(told)
    bench.session.commit()
    assert "plate PLATE-0001 has no well B01" in words(reviewer.get("/review?show=unmatched"))
    attach = [act for act in acts(reviewer, "unmatched") if act.endswith("/attach")]
    assert reviewer.post(attach[0], {"barcode": "nonsense"}).status_code == 422
    reviewer.post(attach[0], {"barcode": lost.barcode})
    reviewer.post(attach[1].replace("attach", "dismiss"), {"reason": "ống thử máy"})
    assert "Every measurement has its test." in words(reviewer.get("/review?show=unmatched"))
    assert "Trần Văn Lạc" in words(reviewer.get("/review?show=positives"))


def two_cards_under_one_number(bench: Bench) -> None:
    for name, phone in (("Trần Văn Một", "+84911111111"), ("Lê Thị Hai", "+84922222222")):
        person = PersonGiven(
            name, name_key(name), 1980, national_id="001080000001", phone=phone, sex="female"
        )
        given = Registration(
            specimen_id=uuid7(),
            barcode=next(bench.labels),
            collected_at=bench.now,
            person=person,
        )
        register(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)
    bench.session.commit()


def test_two_cards_under_one_number_stand_side_by_side_and_may_be_one_person(
    reviewer: Browser, bench: Bench
) -> None:
    two_cards_under_one_number(bench)
    page = words(reviewer.get("/review?show=identity"))
    assert "Trần Văn Một" in page and "+84911111111" in page
    assert "Lê Thị Hai" in page and "+84922222222" in page
    same = next(act for act in acts(reviewer, "identity") if act.endswith("/same"))
    assert reviewer.post(same).status_code == 303
    assert bench.session.scalars(select(Person.identity_conflict)).one() is None
    assert "No card number has two names." in words(reviewer.get("/review?show=identity"))


def test_two_people_under_one_number_part_at_one_press(reviewer: Browser, bench: Bench) -> None:
    two_cards_under_one_number(bench)
    other = next(act for act in acts(reviewer, "identity") if act.endswith("/other"))
    assert reviewer.post(other).status_code == 303
    people = bench.session.execute(select(Person.name, Person.national_id).order_by(Person.id))
    assert [tuple(row) for row in people] == [
        ("Trần Văn Một", "001080000001"),
        ("Lê Thị Hai", None),
    ]
    assert reviewer.post(other.replace("/other", "/same")).status_code == 409


def test_a_message_nobody_could_read_is_kept_whole(reviewer: Browser, bench: Bench) -> None:
    raw = b"\x02R|1|broken"
    bench.take(
        Capture(
            digest=digest_of(raw),
            instrument=bench.instrument,
            driver="plate96",
            driver_version="1",
            captured_at="2021-09-11T01:00:00Z",
            complete=True,
            raw=raw,
            quarantine=Quarantine("cycle-number", "R3: expected a cycle number"),
        )
    )
    bench.session.commit()
    page = reviewer.get("/review?show=messages")
    assert "cycle-number" in words(page)
    link = re.search(r'href="(/review/messages/[^"]+)"', page.text)
    assert link is not None
    assert reviewer.get(link[1]).data == raw


def _release(browser: Browser, *one: str) -> TestResponse:
    return browser.post("/review/findings/release", {"one": list(one)})


def test_a_run_of_positives_is_ticked_and_released_at_one_press(
    reviewer: Browser, bench: Bench
) -> None:
    swabs = [bench.swab() for _ in range(3)]
    bench.run({swab.barcode: ct for swab, ct in zip(swabs, (22.0, 24.0, 36.5), strict=True)})
    bench.session.commit()
    page = reviewer.get("/review?show=positives").text
    ticked = re.findall(r'name="one" value="([^"]+)"[^>]* checked', page)
    assert len(ticked) == 2  # the weak one wants a look of its own
    assert len(waiting(reviewer, "positives&why=near_cut_off")) == 1
    assert len(waiting(reviewer, "positives&run=PLATE-0001")) == 3
    assert waiting(reviewer, "positives&run=PLATE-0009") == []

    assert _release(reviewer, *ticked).status_code == 303

    assert "2 results released." in words(reviewer.get("/review?show=positives"))
    assert len(waiting(reviewer, "positives")) == 1


def test_two_reviewers_on_one_result_the_second_hears_who_and_when(
    signed_in: SignIn, reviewer: Browser, bench: Bench
) -> None:
    first, second = bench.swab(name="Nguyễn Thị Mai"), bench.swab(name="Lê Văn Hai")
    bench.run({first.barcode: 22.0, second.barcode: 23.0})
    bench.session.commit()
    colleague = signed_in(Role.REVIEWER, Role.OPERATOR)
    shown = waiting(reviewer, "positives")
    _release(colleague, shown[0])

    answer = _release(reviewer, *shown)

    assert answer.status_code == 409
    said = words(answer)
    assert "1 result released. 1 was left as it is: Nguyễn Thị Mai" in said
    assert "Operator-Reviewer released it at 11 Sep 08:00; nothing is left to do." in said
    assert _release(colleague, shown[0]).status_code == 303  # one's own press, twice


def test_nothing_ticked_and_nonsense_are_refused_in_words(reviewer: Browser, bench: Bench) -> None:
    for sent in ((), ("nonsense",), ("nonsense:seen",)):
        answer = _release(reviewer, *sent)
        assert answer.status_code == 422
        assert "Tick at least one result" in words(answer)
    assert _release(reviewer, f"{uuid7()}:0").status_code == 409


def test_where_two_must_sign_the_page_says_whose_turn_it_is(
    signed_in: SignIn, reviewer: Browser, bench: Bench
) -> None:
    admin, colleague = signed_in(Role.ADMIN), signed_in(Role.REVIEWER, Role.OPERATOR)
    form = {"became": "1", "shown": "0", "reason": "Quyết định 88"}
    assert admin.post("/admin/policy/second_reviewer", form).status_code == 303
    swab = bench.swab()
    bench.run({swab.barcode: 22.0})
    bench.session.commit()
    (one,) = waiting(reviewer, "positives")
    _release(reviewer, one)
    page = words(reviewer.get("/review?show=positives"))
    assert "1 of 2: Reviewer, 11 Sep 08:00" in page and "Take my signature back" in page
    assert "You signed it at" in words(_release(reviewer, one))

    stale = _release(colleague, one)  # as it was before the signature
    assert "Yours would be the final word." in words(stale)
    (again,) = waiting(colleague, "positives")
    assert _release(colleague, again).status_code == 303
    story = words(reviewer.get(f"/tubes/{swab.barcode}"))
    assert "Signed by the first of two reviewers" in story
    assert "Released as final" in story


def test_a_first_signature_is_taken_back_on_the_page(
    signed_in: SignIn, reviewer: Browser, bench: Bench
) -> None:
    form = {"became": "1", "shown": "0", "reason": "Quyết định 88"}
    signed_in(Role.ADMIN).post("/admin/policy/second_reviewer", form)
    swab = bench.swab()
    bench.run({swab.barcode: 22.0})
    bench.session.commit()
    _release(reviewer, *waiting(reviewer, "positives"))
    found = re.search(r'formaction="([^"]+)"', reviewer.get("/review?show=positives").text)
    assert found is not None
    assert reviewer.post(found[1]).status_code == 303
    page = words(reviewer.get("/review?show=positives"))
    assert "Your signature is taken back." in page and "1 of 2:" not in page


def test_a_negative_too_soon_is_held_with_its_reason_and_released(
    reviewer: Browser, bench: Bench
) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 22.0})
    bench.swab(person_id=swab.person_id)
    bench.swab(name="Trần Văn Một")
    bench.run()
    bench.session.commit()
    page = words(reviewer.get("/review?show=negatives"))
    assert "another swab was positive shortly before" in page
    assert "Released by the machine today: 1 (the release rule, version 1)" in page
    assert "1 negative held back" in page
    assert _release(reviewer, *waiting(reviewer, "negatives")).status_code == 303
    assert "The rule held no negative back." in words(reviewer.get("/review?show=negatives"))


def test_thousands_that_wait_are_read_page_by_page_none_twice(
    reviewer: Browser, bench: Bench
) -> None:
    swabs = [bench.swab() for _ in range(60)]
    bench.run({swab.barcode: 22.0 for swab in swabs})
    bench.session.commit()
    first = reviewer.get("/review?show=positives")
    assert "The 50 that wait longest of 60." in words(first)
    found = re.search(r'href="(/review\?[^"]*after=[^"]+)"', first.text)
    assert found is not None
    further = reviewer.get(unescape(found[1])).text
    pages = [re.findall(r'name="only" value="([^"]+)"', page) for page in (first.text, further)]
    assert [len(page) for page in pages] == [50, 10]
    assert len({*pages[0], *pages[1]}) == 60
    assert reviewer.get("/review?show=positives&after=nonsense").status_code == 200


def test_a_result_is_corrected_on_its_tubes_page_by_a_reviewer_alone(
    signed_in: SignIn, reviewer: Browser, bench: Bench
) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 22.0})
    bench.session.commit()
    page, here = f"/tubes/{swab.barcode}", {"barcode": swab.barcode}
    (correct,) = re.findall(r'action="(/review/results/[^"]+)"', reviewer.get(page).text)
    assert "/review/results/" not in signed_in(Role.TECHNICIAN).get(page).text
    assert reviewer.post(correct, {**here, "outcome": "?"}).status_code == 422
    unsaid = reviewer.post(correct, {**here, "outcome": "not_detected", "reason": ""})
    assert (unsaid.status_code, "Say why" in words(unsaid)) == (422, True)

    read = {**here, "outcome": "not_detected", "reason": "đọc nhầm đường cong"}
    done = reviewer.post(correct, read)

    assert done.location == page
    story = words(reviewer.get(page))
    assert "đọc nhầm đường cong · read by a reviewer · Reviewer" in story
    late = reviewer.post(correct, {**read, "outcome": "invalid"})
    assert (late.status_code, "What happened?" in words(late)) == (409, True)


def test_a_persons_file_says_why_a_result_waits(reviewer: Browser, bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 36.2})
    bench.session.commit()
    page = words(reviewer.get(f"/people/{swab.person_id}"))
    assert "not final: positive: the final word is a person's; weak: near the cut-off" in page


def test_an_influenza_that_nobody_asked_for_is_noted_and_never_attached(
    reviewer: Browser, bench: Bench
) -> None:
    swab = bench.swab()
    xpert = set_up(bench.session, bench.site_id, "genexpert", now=bench.now)
    bench.take(
        four_capture(swab.barcode, instrument=xpert, at=bench.now, calls={"FLUA": "POSITIVE"})
    )
    bench.session.commit()
    page = reviewer.get("/review?show=unmatched")
    assert f'href="/tubes/{swab.barcode}"' in page.text
    assert "nobody asked for FLUA" in words(page)
    (noted,) = acts(reviewer, "unmatched")
    assert noted.endswith("/dismiss")
    reviewer.post(noted, {"reason": "ward 3 was told"})
    assert "Every measurement has its test." in words(reviewer.get("/review?show=unmatched"))


def test_an_unread_message_says_what_to_do_about_it(reviewer: Browser, bench: Bench) -> None:
    raw, at = b"noise", bench.now.isoformat()
    why = Quarantine("check-character", "O.3")
    bench.take(Capture(digest_of(raw), bench.instrument, "genexpert", "3", at, True, raw, (), why))
    bench.session.commit()
    page = words(reviewer.get("/review?show=messages"))
    assert unread_todo("check-character") in page
    assert "check-character" in page
