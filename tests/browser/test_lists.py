"""Lists, clusters and the map as a tracing team sees them: whole, readable, on a telephone too."""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import select, text

from lims.tables import F0Case
from lims.work.access import Role
from tests.browser.conftest import Open
from tests.browser.test_pages import sideways
from tests.browser.test_stages_at_work import LONG
from tests.builders import HOME, WORK, Bench
from tests.web.conftest import bench  # noqa: F401 - a fixture, which pytest finds by name

pytestmark = pytest.mark.browser


@pytest.fixture
def paths(bench: Bench) -> dict[str, str]:  # noqa: F811 - the fixture above
    """Two clusters in two communes, one with a long name in it."""
    bench.subscribe(HOME, name="Tổ truy vết phường Tân Định")
    lane = [bench.swab(area=HOME, name=name) for name in ("Lý A Páo", LONG, "Nguyễn Thị Ánh")]
    flats = [bench.swab(area=WORK, name=f"Trần Văn {n}") for n in range(2)]
    for number, one in enumerate((*lane, *flats)):
        where = "ngõ 165 Cầu Giấy" if one in lane else "Chung cư Linh Đàm"
        bench.session.execute(
            text("UPDATE person SET address = :said WHERE id = :person"),
            {"said": f"Số {number + 3} {where}", "person": one.person_id},
        )
    bench.run({one.barcode: 22.0 for one in (*lane, *flats)})
    bench.session.commit()
    case = bench.session.scalars(
        select(F0Case.id).where(F0Case.person_id == lane[0].person_id)
    ).one()
    return {
        "board": "/handoff?unclaimed=1&hours=72",
        "nobody": "/handoff?colour=red",
        "lists": "/handoff/list",
        "clusters": "/handoff/clusters",
        "none": "/handoff/clusters?tie=household",
        "cluster": f"/handoff/clusters/{case}",
        "communes": "/handoff/map",
    }


@pytest.mark.parametrize(
    ("width", "theme", "language"),
    [(360, "dark", "vi"), (1240, "light", "vi"), (1240, "dark", "en")],
)
def test_their_pages_are_readable_to_all_and_whole(
    open_as: Open, paths: dict[str, str], width: int, theme: str, language: str
) -> None:
    page = open_as(Role.OPERATOR, width=width, theme=theme, language=language).new_page()
    for name, path in paths.items():
        answer = page.goto(path, wait_until="load")
        assert answer is not None and answer.status == 200, name
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{name}-{width}-{language}.png", full_page=True)
        assert page.locator("h1").count() == 1, name
        assert sideways(page) == 0, name
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_snapshot()}"
