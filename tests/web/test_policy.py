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


def test_nobody_is_to_be_confirmed_before_being_named(signed_in: SignIn) -> None:
    admin = signed_in(Role.ADMIN)
    page = words(admin.get("/admin/policy"))
    assert "Hours to name : 4 h" in page and "Hours to confirm : 8 h" in page
    for setting, became, shown in (("hours_to_name", "9", "4"), ("hours_to_confirm", "3", "8")):
        form = {"became": became, "shown": shown, "reason": "too soon"}
        answer = admin.post(f"/admin/policy/{setting}", form)
        assert answer.status_code == 422
        assert "confirming comes after naming" in words(answer)
    form = {"became": "12", "shown": "8", "reason": "two shifts"}
    assert admin.post("/admin/policy/hours_to_confirm", form).status_code == 303
    assert "8 h → 12 h two shifts" in words(admin.get("/admin/policy"))


def test_a_case_that_nobody_claims_goes_further_and_never_back(signed_in: SignIn) -> None:
    admin = signed_in(Role.ADMIN)
    for setting, became, shown in (
        ("voice_after_min", "29", "45"),
        ("province_after_min", "14", "30"),
        ("province_after_min", "46", "30"),
        ("roster_after_min", "31", "15"),
    ):
        form = {"became": became, "shown": shown, "reason": "thử thứ tự"}
        answer = admin.post(f"/admin/policy/{setting}", form)
        assert answer.status_code == 422
        assert "first the roster, then the province, then the voice list" in words(answer)
    form = {"became": "30", "shown": "45", "reason": "cùng lúc"}
    assert admin.post("/admin/policy/voice_after_min", form).status_code == 303


def test_one_minute_is_one_and_a_day_is_said_once(signed_in: SignIn) -> None:
    admin = signed_in(Role.ADMIN)
    form = {"became": "1", "shown": "15", "reason": "nhanh hơn"}
    admin.post("/admin/policy/roster_after_min", form)
    page = words(admin.get("/admin/policy"))
    assert "15 minutes → 1 minute " in page
    assert "A new infection from day : 90 " in page
    assert "counted over : 14 days" in page
