"""S16 on pages: the same name and year twice is offered to a reviewer, merged, and parted."""

from __future__ import annotations

from sqlalchemy import select

from lims.tables import Specimen
from lims.work.access import Role
from tests.builders import Bench, Swab
from tests.web.browsing import words
from tests.web.conftest import SignIn


def owner(bench: Bench, one: Swab) -> object:
    return bench.session.scalar(select(Specimen.person_id).where(Specimen.id == one.specimen_id))


def test_a_reviewer_merges_what_is_offered_and_parts_it_again(
    signed_in: SignIn, bench: Bench
) -> None:
    first, second = bench.swab(), bench.swab()
    bench.session.commit()
    browser = signed_in(Role.REVIEWER)
    here, there = f"/people/{first.person_id}", f"/people/{second.person_id}"
    assert "Perhaps the same person" in words(browser.get(here))
    nothing_said = browser.post(f"{here}/merge", {"other": str(second.person_id), "reason": ""})
    assert nothing_said.status_code == 422
    assert "say why, for whoever reads this later" in words(nothing_said)
    form = {"other": str(second.person_id), "reason": "same card"}
    for _twice in range(2):
        assert browser.post(f"{here}/merge", form).status_code == 303
    bench.session.rollback()
    assert owner(bench, second) == first.person_id
    assert "This is the same person as" in words(browser.get(there))
    assert "Merged into this person" in words(browser.get(here))
    assert browser.post(f"{there}/part", {}).status_code == 303
    bench.session.rollback()
    assert owner(bench, second) == second.person_id


def test_a_technician_is_not_asked_to_decide(signed_in: SignIn, bench: Bench) -> None:
    first, _second = bench.swab(), bench.swab()
    bench.session.commit()
    seen = words(signed_in(Role.TECHNICIAN).get(f"/people/{first.person_id}"))
    assert "Perhaps the same person" not in seen


def test_what_cannot_be_merged_is_said_in_vietnamese(signed_in: SignIn, bench: Bench) -> None:
    first = bench.swab()
    bench.session.commit()
    browser = signed_in(Role.REVIEWER, language="vi")
    answer = browser.post(
        f"/people/{first.person_id}/merge", {"other": str(first.person_id), "reason": "thẻ"}
    )
    assert answer.status_code == 409
    assert "cùng một người hai lần" in words(answer)
