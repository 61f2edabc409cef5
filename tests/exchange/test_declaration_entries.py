"""Entries that cannot be read, or whose commune is none of today's: listed, and harming nobody."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.declarations import Entry
from lims.exchange.adapters.declaration_entry import read_entry
from lims.work.declare import settle_fault
from tests.builders import NEW, OLD
from tests.exchange.declaring import declaring, health, household, newer
from tests.exchange.kept import faults, people, rows
from tests.exchange.laboratories import Lab


def test_an_entry_that_cannot_be_read_harms_only_itself_and_is_listed(lab: Lab) -> None:
    bad = [
        (health(1, person={"phone": "không có"}), [("/person/phone", "PHONE")]),
        (
            household(2, ["Trần Văn Ba", "123"]),
            [("/members/1/name", "NAME")],
        ),
        (health(3, code="TT7K-40FQ-9XB"), [("/code", "TUBE_CODE")]),
        (
            health(4, declared_at="hôm qua", version=0),
            [("/version", "VERSION"), ("/declared_at", "MOMENT")],
        ),
        ("một dòng chữ", [("", "NOT_AN_ENTRY")]),
        (
            health(5, person={"name": "Mai\x00"}),
            [("/person/name", "TEXT"), ("/person/name", "NAME")],
        ),
        (health(8, person={"born": "2021-09-13"}), [("/person/born", "BORN")]),
        (health(6, symptoms=["\ud800"]), [("/symptoms", "TEXT")]),
    ]
    with declaring() as there:
        lab.expects(there.url)
        there.say(*(entry for entry, _ in bad), health(7, "Lê Văn Bảy"))
        pulled = lab.pull()
    assert (pulled.taken, pulled.unread, pulled.away) == (1, len(bad), None)
    assert people(lab) == ["Lê Văn Bảy"]
    listed = dict(faults(lab))
    for entry, said in bad:
        name = entry["declaration"] if isinstance(entry, dict) else None
        assert listed[name] == said
    kept = [row.entry for row in rows(lab, "declaration_fault")]
    assert [json.loads(one) for one in kept] == [entry for entry, _ in bad], "as they came"


def test_a_version_that_can_be_read_takes_the_fault_away(lab: Lab) -> None:
    bad = health(1, person={"sex": "x"})
    with declaring() as there:
        lab.expects(there.url)
        there.say(bad)
        lab.pull()
        there.say(newer(bad, person=bad["person"] | {"sex": "male"}), bad)
        lab.clock.later(1)
        lab.pull()
    assert faults(lab) == []
    (fault,) = rows(lab, "declaration_fault")
    assert (fault.settled_by, fault.entry) == ("exchange", None)
    assert len(people(lab)) == 1


def test_a_fault_that_somebody_dealt_with_stays_dealt_with(lab: Lab) -> None:
    with declaring() as there:
        lab.expects(there.url)
        there.say({"nobody": "knows"})
        lab.pull()
        (fault,) = rows(lab, "declaration_fault")
        with lab.laboratory.sessions.begin() as session:
            for _ in range(2):
                settle_fault(
                    session,
                    fault.id,
                    site_id=lab.bench.site_id,
                    by="user:admin",
                    now=lab.clock.now,
                )
        there.epoch = "b"
        lab.clock.later(1)
        lab.pull()
    assert faults(lab) == []


@pytest.mark.parametrize(
    ("commune", "area", "came"),
    [
        ({"code": "26734", "name": "Phường Tân Định", "province": "79"}, "26734", None),
        ({"code": "26734", "name": "Tân Định"}, "26734", None),
        ({"code": "26734", "name": "Phường Đa Kao"}, None, "26734 Phường Đa Kao"),
        ({"code": "26734"}, None, "26734"),
        ({"code": "26734", "scheme": NEW}, "26734", None),
        (
            {"code": "26734", "name": "Đa Kao", "scheme": OLD, "province": "79"},
            None,
            "26734 Đa Kao",
        ),
        ({"code": "26734", "name": "Tân Định", "province": "01"}, None, "26734 Tân Định"),
        ({"code": "99999", "name": "Xã Không Có"}, None, "99999 Xã Không Có"),
        ({"name": "Xã nào đó"}, None, "Xã nào đó"),
    ],
)
def test_a_commune_of_the_older_scheme_is_never_taken_for_todays(
    lab: Lab, commune: dict[str, str], area: str | None, came: str | None
) -> None:
    """The person is expected all the same; somebody at the desk says where they live (S18)."""
    with declaring() as there:
        lab.expects(there.url)
        there.say(health(1, home={"commune": commune}))
        assert lab.pull().taken == 1
    (one,) = rows(lab, "declaration")
    assert (one.area_code, one.commune_came) == (area, came)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
_FIELDS = ("declaration", "version", "state", "declared_at", "kind", "code", "home", "symptoms")
_OF_PEOPLE = ("name", "cccd", "cmnd", "born", "sex", "phone", "qid", "exposure", "symptoms")


@given(
    entry=st.dictionaries(st.sampled_from((*_FIELDS, "person", "members", "exposure")), _JSON),
    person=st.dictionaries(st.sampled_from(_OF_PEOPLE), _JSON),
    home=st.dictionaries(st.sampled_from(("door", "address", "commune")), _JSON),
    whole=st.booleans(),
)
def test_whatever_comes_is_an_entry_or_its_faults(
    entry: dict[str, object], person: dict[str, object], home: dict[str, object], whole: bool
) -> None:
    """Nothing that a platform can write as JSON ends the turn of all the others."""
    one = health(1, person=person, home=home) | ({} if whole else entry)
    door = household(2, ["Trần Văn Ba"], home=home) | ({} if whole else entry)
    door["members"] = [{**door["members"][0], **person}] if whole else door["members"]
    for said in (one, door, entry, list(entry)):
        read = read_entry(json.loads(json.dumps(said)))
        assert isinstance(read, Entry) or read.wrong
        if isinstance(read, Entry):
            for each in read.people:
                assert 1 <= len(each.name) <= 200
                (each.name + (read.home.address or "")).encode()


def test_what_can_be_read_can_be_kept(lab: Lab) -> None:
    """The longest of everything that an entry may say."""
    long = household(
        1,
        ["Ã" * 200] * 100,
        home={"door": "Ố" * 200, "address": "Ố" * 500, "commune": {"code": "9" * 20, "name": "x"}},
    )
    for member in long["members"]:
        member["born"] = 1950
        member |= {"qid": "q" * 60, "symptoms": ["ho" * 50] * 30, "exposure": "factor"}
    with declaring() as there:
        lab.expects(there.url)
        there.say(long)
        assert lab.pull().taken == 1
    assert len(people(lab)) == 100
