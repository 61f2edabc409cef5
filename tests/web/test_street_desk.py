"""The desk against a day in the street: what is scanned wrongly, twice, too late, or by mistake."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from lims.domain.commands import Command
from lims.tables import AuditEvent, Person, Specimen, Tube
from lims.work.access import Role
from lims.work.receive import receive
from tests.builders import Bench
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn
from tests.web.test_collect import CARD, OTHER, carried, scans

EPIDEMIC = "001189001234|PHAM THI HONG NHUNG|1989-03-05|0|VNQ0000000001|"
MASKED = "********1234|PHAM THI H*** N****|1989-**-**|0|VNQ0000000001|"
INSURANCE = (
    f"GD4010000000001|{'Lê Thị Ánh'.encode().hex()}|05/03/1989|2|{'Xã Hai'.encode().hex()}|01 - 001"
)
LONG = "Công Tằng Tôn Nữ Hoàng Thị Phương Thảo Nguyên Nguyễn Phúc Vĩnh Bửu Ưng Quý Định"


@pytest.fixture
def desk(signed_in: SignIn, bench: Bench) -> Browser:
    return signed_in(Role.TECHNICIAN)


def count(bench: Bench, what: type) -> int:
    return len(bench.session.scalars(select(what)).all())


# --- whatever is scanned


def test_each_kind_of_card_and_a_tube_are_two_scans(desk: Browser, bench: Bench) -> None:
    for card, name in (
        (CARD, "Phạm Thị Hồng Nhung"),
        (CARD.replace("001189001234||", "001189009999|012345678|") + "||||", "Phạm Thị Hồng Nhung"),
        (EPIDEMIC.replace("1234|", "7777|"), "PHAM THI HONG NHUNG"),
        (INSURANCE, "Lê Thị Ánh"),
    ):
        assert f"✓ {name}" in scans(desk, card, next(bench.labels))
    assert count(bench, Specimen) == 4
    assert bench.session.scalars(select(Person.old_id).where(Person.old_id.is_not(None))).one() == (
        "012345678"
    )


def test_stars_are_nobodys_name(desk: Browser, bench: Bench) -> None:
    page = scans(desk, next(bench.labels), MASKED)
    assert "Masked card" in page and "type the full name" in page
    assert count(bench, Person) == 0
    draft = carried(page)
    assert "name" not in draft and "barcode" in draft, "the tube is not lost"
    assert desk.post("/collect", {**draft, "name": "Phạm Thị Hồng Nhung"}).status_code == 303


def test_a_masked_code_of_somebody_known_is_enough(desk: Browser, bench: Bench) -> None:
    scans(desk, CARD, next(bench.labels))
    known = MASKED.replace("********1234", "001189001234")
    assert "✓ Phạm Thị Hồng Nhung" in scans(desk, known, next(bench.labels))


def test_the_twelve_digits_typed_bring_somebody_known(desk: Browser, bench: Bench) -> None:
    scans(desk, CARD, next(bench.labels))
    assert "✓ Phạm Thị Hồng Nhung" in scans(desk, "001189001234", next(bench.labels))
    page = scans(desk, "001189000000")
    assert 'id="national_id" name="national_id" type="text" value="001189000000"' in page


def test_a_name_typed_finds_somebody_for_the_tube_in_the_hand(desk: Browser, bench: Bench) -> None:
    scans(desk, CARD, next(bench.labels))
    tube = next(bench.labels)
    page = scans(desk, tube, "hong nhung")
    assert "Phạm Thị Hồng Nhung" in page and f"tube={tube[:4]}" in page
    person = bench.session.scalars(select(Person.id)).one()
    draft = carried(desk.get(f"/collect?person={person}&tube={tube}").text)
    assert desk.post("/collect", draft).status_code == 303
    assert count(bench, Person) == 1 and count(bench, Specimen) == 2


def test_one_of_the_household_is_one_tap(desk: Browser, bench: Bench) -> None:
    page = scans(desk, next(bench.labels), CARD, OTHER, path="/collect/field-pool")
    desk.post("/collect/field-pool", {**carried(page), "household": "hộ 114"})
    bench.session.execute(text("UPDATE specimen SET collected_at = collected_at - interval '2 d'"))
    bench.session.commit()
    page = scans(desk, OTHER, next(bench.labels))
    offered = page[page.index("tap to swab next") :]
    mai = bench.session.scalars(select(Person.id).where(Person.name_key.like("pham%"))).one()
    assert f'name="known" value="{mai}"' in offered and "hộ 114" in page
    tapped = desk.post("/collect/known", {**carried(page), "known": str(mai)})
    assert carried(tapped.text)["person_id"] == [str(mai)]
    page = scans_on(desk, tapped.text, next(bench.labels))
    assert "✓ Phạm Thị Hồng Nhung" in page and "tap to swab next" not in page
    assert count(bench, Person) == 2 and count(bench, Specimen) == 4


# --- what is scanned wrongly


@pytest.mark.parametrize("torn", [CARD[:40], CARD[20:], "001189001234|", "|||||||"])
def test_a_torn_code_is_said_so_and_costs_nothing(desk: Browser, bench: Bench, torn: str) -> None:
    tube = next(bench.labels)
    page = scans(desk, tube, torn)
    assert "Torn card" in page and "scan it again, slowly" in page
    assert "✓ Phạm Thị Hồng Nhung" in scans_on(desk, page, CARD)


def scans_on(browser: Browser, page: str, said: str) -> str:
    """One more scan from this page."""
    answer = browser.post("/collect/scan", {**carried(page), "text": said})
    return browser.get(answer.location).text if answer.status_code == 303 else answer.text


def test_a_card_in_the_tubes_field_and_a_tube_in_the_names_are_understood(
    desk: Browser, bench: Bench
) -> None:
    draft = carried(desk.get("/collect").text)
    page = desk.post("/collect", {**draft, "barcode": CARD}).text
    assert "Now scan the tube" in words_of(page) and carried(page)["name"] == [
        "Phạm Thị Hồng Nhung"
    ]
    answer = desk.post("/collect", {**carried(page), "phone": next(bench.labels)})
    assert answer.status_code == 303
    field = desk.post("/collect/field-pool", {"barcode": CARD})
    assert "✓ Phạm Thị Hồng Nhung" in field.text and "no tube yet" in field.text


def words_of(page: str) -> str:
    return page.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("birth", "said"),
    [
        ("31/02/1990", "the calendar has no such day"),
        ("00/13/1990", "the calendar has no such day"),
        ("1990-02-31", "the calendar has no such day"),
        ("hôm qua", "a year or a day"),
        ("2999", "a birth that is still to come"),
        ("01/01/2099", "a birth that is still to come"),
        ("1790", "a birth too long ago"),
    ],
)
def test_an_impossible_date_is_said_beside_its_field(
    desk: Browser, bench: Bench, birth: str, said: str
) -> None:
    draft = {"name": "An", "birth": birth, "barcode": next(bench.labels)}
    answer = desk.post("/collect", draft)
    assert answer.status_code == 422 and said in words(answer)
    assert f'value="{birth}"' in answer.text and count(bench, Specimen) == 0


@pytest.mark.parametrize("name", [LONG, "H'Hen Niê", "Y-Thoa (Bé)", "Nguyễn Văn An 2"])
def test_a_name_is_kept_as_it_is_written(desk: Browser, bench: Bench, name: str) -> None:
    draft = {**carried(desk.get("/collect").text), "name": name, "barcode": next(bench.labels)}
    assert desk.post("/collect", draft).status_code == 303
    assert bench.session.scalars(select(Person.name)).one() == name


@pytest.mark.parametrize("name", ["Nguyễn Văn 😀", "An <b>", "N*** V** A", "An\u202e", "12345"])
def test_pictures_and_signs_are_no_name(desk: Browser, bench: Bench, name: str) -> None:
    answer = desk.post("/collect", {"name": name, "barcode": next(bench.labels)})
    assert answer.status_code == 422 and "a name in letters" in words(answer)
    assert count(bench, Person) == 0


def test_a_name_of_two_hundred_and_one_letters_is_refused(desk: Browser, bench: Bench) -> None:
    answer = desk.post("/collect", {"name": "A" * 201, "barcode": next(bench.labels)})
    assert answer.status_code == 422 and "at most 200 characters" in words(answer)


# --- twice, and back


def test_the_same_tube_twice_is_the_same_answer_also_for_somebody_without_a_number(
    desk: Browser, bench: Bench
) -> None:
    barcode = next(bench.labels)
    draft = {**carried(desk.get("/collect").text), "name": "Lê Thị Ba", "barcode": barcode}
    desk.post("/collect", draft)
    person = bench.session.scalars(select(Person.id)).one()
    again = carried(desk.get(f"/collect?person={person}&tube={barcode}").text)
    assert "again=1" in desk.post("/collect", again).location
    assert "nothing changed" in scans(desk, barcode)
    assert count(bench, Specimen) == 1


def test_back_after_submit_and_changed_is_another_registration(desk: Browser, bench: Bench) -> None:
    first = {**carried(desk.get("/collect").text), "name": "Lê Thị Ba"}
    desk.post("/collect", {**first, "barcode": next(bench.labels)})
    back = {**first, "name": "Lê Thị Tư", "barcode": next(bench.labels)}
    answer = desk.post("/collect", back)
    assert answer.status_code == 409 and 'value="Lê Thị Tư"' in answer.text
    assert desk.post("/collect", carried(answer.text)).status_code == 303
    assert count(bench, Specimen) == 2


def test_a_scan_kept_while_the_network_was_away_says_when_it_was_taken(
    desk: Browser, bench: Bench
) -> None:
    page = scans(desk, CARD)
    desk.post("/collect/scan", {**carried(page), "text": next(bench.labels), "waited": "5400"})
    swab = bench.session.scalars(select(Specimen)).one()
    assert (swab.registered_at - swab.collected_at).total_seconds() == 5400


# --- undo


def test_undo_takes_back_the_last_and_offers_the_person_again(desk: Browser, bench: Bench) -> None:
    barcode = next(bench.labels)
    scans(desk, CARD, barcode)
    page = scans(desk, Command.UNDO)
    assert "↺ Phạm Thị Hồng Nhung" in page and "The tube is free again" in page
    assert (count(bench, Specimen), count(bench, Tube), count(bench, Person)) == (0, 0, 1)
    assert "↺ Phạm Thị Hồng Nhung" in scans(desk, Command.UNDO), "one step, however often"
    assert "✓ Lê Văn Ước" in scans(desk, OTHER, barcode)


def test_a_line_of_today_is_taken_back_by_its_own_button(desk: Browser, bench: Bench) -> None:
    scans(desk, CARD, next(bench.labels))
    first = bench.session.scalars(select(Specimen.id)).one()
    page = scans(desk, OTHER, next(bench.labels))
    assert f'name="specimen" value="{first}"' in page
    for _ in range(2):
        assert desk.post("/collect/undo", {"specimen": str(first)}).status_code == 303
    left = bench.session.scalars(select(Person.name).join(Specimen)).one()
    assert left == "Lê Văn Ước"


def test_what_has_reached_the_laboratory_stays(desk: Browser, bench: Bench) -> None:
    barcode = next(bench.labels)
    scans(desk, CARD, barcode)
    receive(bench.session, barcode, by="door", now=bench.now)
    bench.session.commit()
    page = scans(desk, Command.UNDO)
    assert "Too late to take back" in page and "Reject the tube" in page
    assert count(bench, Specimen) == 1


def test_undo_first_drops_what_is_half_scanned(desk: Browser, bench: Bench) -> None:
    scans(desk, CARD, next(bench.labels))
    page = scans(desk, OTHER, Command.UNDO)
    assert "half-finished scan was dropped" in page and "name" not in carried(page)
    assert count(bench, Specimen) == 1


def test_with_nothing_to_undo_nothing_happens(desk: Browser, bench: Bench) -> None:
    assert "Nothing to take back" in scans(desk, Command.UNDO)


# --- command cards


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (Command.ONE, "/collect"),
        (Command.HOUSEHOLD, "/collect/field-pool"),
        (Command.RAPID, "/collect/rapid"),
        (Command.RECEIVE, "/receive"),
        (Command.POOL, "/pools/new"),
    ],
)
def test_a_card_leads_from_every_scan_field_to_its_place(
    desk: Browser, command: Command, path: str
) -> None:
    for start in ("/scan", "/collect/scan", "/collect/field-pool/scan", "/collect/rapid/scan"):
        assert desk.post(start, {"text": command.value.lower()}).location == path
    for start in ("/receive", "/pools/new/scan"):
        assert desk.post(start, {"text": command}).location == path


def test_an_open_tube_is_not_left_by_a_card(desk: Browser, bench: Bench) -> None:
    page = scans(desk, next(bench.labels), CARD, path="/collect/field-pool")
    refused = desk.post("/collect/field-pool/scan", {**carried(page), "text": Command.RECEIVE})
    assert refused.status_code == 409 and "Tube still open" in refused.text
    assert "✓ Phạm Thị Hồng Nhung" in refused.text, "nobody is lost"
    closed = desk.post("/collect/field-pool/scan", {**carried(page), "text": Command.HOUSEHOLD})
    assert closed.status_code == 303 and count(bench, Specimen) == 1


def test_a_pool_is_made_and_unmade_by_cards(desk: Browser, bench: Bench) -> None:
    barcodes = [swab.barcode for swab in bench.swabs(3)]
    bench.session.commit()
    page = scans(desk, next(bench.labels), *barcodes, path="/pools/new")
    page = desk.post("/pools/new/scan", {**carried(page), "text": Command.UNDO}).text
    assert barcodes[-1] not in carried(page)["source"]
    refused = desk.post("/pools/new/scan", {**carried(page), "text": Command.POOL})
    assert "Tube still open" in refused.text
    made = desk.post("/pools/new/scan", {**carried(page), "text": Command.CLOSE})
    assert made.status_code == 303 and "/pools/made/" in made.location


def test_closing_where_nothing_is_open_changes_nothing(desk: Browser, bench: Bench) -> None:
    for path in ("/collect", "/pools/new"):
        assert "nothing was changed" in scans(desk, Command.CLOSE, path=path)


def test_a_reviewer_holds_no_desk_and_no_card_acts_for_them(
    signed_in: SignIn, bench: Bench
) -> None:
    assert signed_in(Role.REVIEWER).post("/scan", {"text": Command.UNDO}).status_code == 404


def test_the_cards_are_printed_from_the_labels_page(desk: Browser) -> None:
    assert "/labels/commands.pdf" in desk.get("/labels").text
    sheet = desk.get("/labels/commands.pdf")
    assert sheet.mimetype == "application/pdf" and sheet.data.startswith(b"%PDF")


def test_every_deed_is_in_the_audit_trail(desk: Browser, bench: Bench) -> None:
    barcode = next(bench.labels)
    scans(desk, CARD, barcode)
    scans(desk, Command.UNDO)
    verbs = bench.session.scalars(
        select(AuditEvent.verb).where(AuditEvent.subject == barcode).order_by(AuditEvent.id)
    )
    assert set(verbs) == {"register", "take_back"}
