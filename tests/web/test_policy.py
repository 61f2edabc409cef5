"""The laboratory's policy on its page: who may change it, what is kept, and two hands at once."""

from __future__ import annotations

from lims.work.access import Role
from tests.web.browsing import words
from tests.web.conftest import SignIn


def test_a_choice_is_changed_with_a_reason_and_stays_in_the_history(signed_in: SignIn) -> None:
    admin = signed_in(Role.ADMIN)
    assert "Nothing was changed yet." in words(admin.get("/admin/policy"))

    form = {"became": "32", "shown": "20", "reason": "Biên bản thẩm định 12/2021"}
    assert admin.post("/admin/policy/max_pool_size", form).status_code == 303

    page = words(admin.get("/admin/policy"))
    assert "Largest pool : 32" in page
    assert "20 → 32 Biên bản thẩm định 12/2021 Admin" in page


def test_what_was_changed_meanwhile_is_shown_instead(signed_in: SignIn) -> None:
    admin = signed_in(Role.ADMIN)
    admin.post("/admin/policy/max_pool_size", {"became": "32", "shown": "20", "reason": "một"})
    late = {"became": "10", "shown": "20", "reason": "hai"}
    answer = admin.post("/admin/policy/max_pool_size", late)
    assert answer.status_code == 409
    assert "Policy changed (32)" in words(answer)


def test_without_a_reason_or_out_of_bounds_nothing_changes(signed_in: SignIn) -> None:
    admin = signed_in(Role.ADMIN)
    for form in (
        {"became": "32", "shown": "20", "reason": ""},
        {"became": "101", "shown": "20", "reason": "quá lớn"},
        {"became": "x", "shown": "20", "reason": "chữ"},
    ):
        assert admin.post("/admin/policy/max_pool_size", form).status_code == 422
    assert admin.post("/admin/policy/nonsense", {"became": "1"}).status_code == 404
    assert "Nothing was changed yet." in words(admin.get("/admin/policy"))


def test_an_operator_reads_it_and_changes_nothing(signed_in: SignIn) -> None:
    operator = signed_in(Role.OPERATOR)
    page = operator.get("/admin/policy").text
    assert "Second reviewer for positives" in page
    assert 'action="/admin/policy' not in page
