"""A wrong tie to a zone is ended with a reason, and what was told is said plainly."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from lims.domain.telling import Channel
from lims.domain.zones import Tie, ZoneKind
from lims.tables import F0Case, PersonZone, Team
from lims.work.access import Role
from lims.work.subscribe import subscribe
from lims.work.zones import Belonging, join_zones, open_zone
from tests.builders import Bench, Swab
from tests.web.browsing import words
from tests.web.conftest import SignIn


@pytest.fixture
def swab(bench: Bench) -> Swab:
    """Somebody positive, who was said to work at a zone."""
    one, session = bench.swab(name="Lò Thị Ớt"), bench.session
    zone = open_zone(
        session,
        site_id=bench.site_id,
        name="KCN Tân Tạo",
        kind=ZoneKind.INDUSTRIAL,
        by="user:op",
        now=bench.now,
    )
    team = session.scalars(select(Team.id)).first()
    assert team
    subscribe(
        session,
        site_id=bench.site_id,
        team_id=team,
        area=None,
        zone_id=zone,
        channel=Channel.BOARD,
        url="",
        private=False,
        by="user:op",
        now=bench.now,
    )
    join_zones(
        session,
        [Belonging(one.person_id, zone, Tie.WORKER)],
        site_id=bench.site_id,
        by="user:op",
        now=bench.now,
    )
    session.commit()
    return one


def form(bench: Bench, reason: str) -> dict[str, str]:
    zone = bench.session.scalars(select(PersonZone.zone_id)).one()
    return {"zone": str(zone), "tie": "worker", "reason": reason}


def open_ties(bench: Bench) -> int:
    bench.session.rollback()
    return len(
        bench.session.scalars(select(PersonZone.id).where(PersonZone.ended_at.is_(None))).all()
    )


def test_on_the_persons_page_with_a_reason(signed_in: SignIn, bench: Bench, swab: Swab) -> None:
    browser, here = signed_in(Role.TECHNICIAN), f"/people/{swab.person_id}"
    said = words(browser.get(here))
    assert "KCN Tân Tạo (works there)" in said and "told of no open case of theirs" in said
    browser.post(f"{here}/zone", form(bench, ""))
    assert "say why, for whoever reads this later" in words(browser.get(here))
    assert open_ties(bench) == 1
    assert browser.post(f"{here}/zone", form(bench, "nhầm người")).status_code == 303
    said = words(browser.get(here))
    assert "Ended. The zone's team was told of no open case" in said
    assert "KCN Tân Tạo" not in said
    assert open_ties(bench) == 0
    browser.post(f"{here}/zone", form(bench, "nhầm người"))
    assert "It had ended already." in words(browser.get(here))


def test_on_the_cases_page_and_who_was_told_goes_on_hearing(
    signed_in: SignIn, bench: Bench, swab: Swab
) -> None:
    bench.run({swab.barcode: 24.0})
    bench.session.commit()
    case: UUID = bench.session.scalars(select(F0Case.id)).one()
    browser, here = signed_in(Role.OPERATOR), f"/handoff/cases/{case}"
    assert "goes on hearing of that case" in words(browser.get(here))
    assert browser.post(f"{here}/zone", form(bench, "nghỉ việc")).status_code == 303
    assert "was told of the open case, and goes on hearing of it" in words(browser.get(here))
    assert open_ties(bench) == 0


def test_a_reviewer_reads_the_case_and_ends_nothing_there(
    signed_in: SignIn, bench: Bench, swab: Swab
) -> None:
    bench.run({swab.barcode: 24.0})
    bench.session.commit()
    case = bench.session.scalars(select(F0Case.id)).one()
    browser = signed_in(Role.REVIEWER)
    assert "They do not belong there" not in words(browser.get(f"/handoff/cases/{case}"))
    assert browser.post(f"/handoff/cases/{case}/zone", form(bench, "x")).status_code == 403
    assert open_ties(bench) == 1


def test_what_is_no_zone_is_not_found(signed_in: SignIn, bench: Bench, swab: Swab) -> None:
    browser = signed_in(Role.TECHNICIAN)
    sent = {**form(bench, "x"), "tie": "cousin"}
    assert browser.post(f"/people/{swab.person_id}/zone", sent).status_code == 404
