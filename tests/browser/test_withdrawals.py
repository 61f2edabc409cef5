"""A case's page on a telephone: what to do stands first, and no word is broken."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from lims.domain.outcomes import NoticeKind
from lims.work.access import Role
from lims.work.claim import claim, release_claim
from tests.browser.conftest import Open
from tests.browser.test_pages import TELEPHONE, sideways
from tests.builders import Bench
from tests.builders_handoff import ward
from tests.web.conftest import bench  # noqa: F401 - a fixture, which pytest finds by name

pytestmark = pytest.mark.browser

# Rectangles of one word's letters on more than one line.
BROKEN = """() => {
  const broken = [];
  const walk = document.createTreeWalker(document.querySelector(".case"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    for (const word of walk.currentNode.data.matchAll(/[^\\s\\-–…,]+/g)) {
      const range = document.createRange();
      range.setStart(walk.currentNode, word.index);
      range.setEnd(walk.currentNode, word.index + word[0].length);
      const tops = new Set([...range.getClientRects()].map((one) => Math.round(one.top)));
      if (tops.size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""


def test_a_case_on_a_telephone_is_claimed_near_the_top_and_breaks_no_word(
    open_as: Open,
    bench: Bench,  # noqa: F811 - the fixture above
) -> None:
    here = ward(bench.session, bench.now)
    team = here.team("Trung tâm Kiểm soát bệnh tật thành phố Hà Nội")
    case = here.case_with_result(ct_cycles=23.7)
    for subscription in (
        here.board(team=team, area=None),
        here.webhook("https://a.example.vn/x", team=team, area=None),
    ):
        here.owe(subscription, case=case)
    claim(bench.session, case, team, by="user:hanh", now=bench.now - timedelta(minutes=3))
    release_claim(bench.session, case, by="user:hanh", now=bench.now, reason="nhầm phường")
    here.owe(subscription, case=case, sequence=9, kind=NoticeKind.CASE_CORRECTED)
    bench.session.commit()
    page = open_as(Role.OPERATOR, **asdict(TELEPHONE)).new_page()
    page.goto(f"/handoff/cases/{case}")
    button = page.get_by_role("button", name="Nhận ca")
    expect(button).to_be_visible()
    box = button.bounding_box()
    assert box is not None and box["y"] < 700
    assert page.evaluate(BROKEN) == []
    assert sideways(page) == 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
