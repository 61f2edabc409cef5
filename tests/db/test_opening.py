"""Preparing a database: the installed scheme's areas are there, whatever older ones are."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from lims.opening import prepare
from lims.settings import Settings
from lims.tables import Area
from lims.work.areas import SCHEME, load_areas


@pytest.fixture
def settings(database: Engine, database_url: str, tmp_path: Path) -> Settings:
    return Settings.from_env(
        {"LIMS_HOME": str(tmp_path), "LIMS_DATABASE_URL": database_url, "LIMS_SITE": "TT"}
    )


def test_a_new_scheme_joins_the_old_one_and_loads_once(
    settings: Settings, session: Session
) -> None:
    session.add(
        Area(
            scheme="vn-2020",
            code="79",
            level="province",
            name="Hồ Chí Minh",
            name_key="ho chi minh",
            full_name="Thành phố Hồ Chí Minh",
        )
    )
    session.commit()
    first = prepare(settings)
    assert first.areas > 3_000 and first.scheme == SCHEME
    assert prepare(settings).areas == 0
    of_scheme = select(Area.scheme, func.count()).group_by(Area.scheme)
    assert {row[0]: row[1] for row in session.execute(of_scheme)} == {
        "vn-2020": 1,
        SCHEME: first.areas,
    }


def test_areas_load_again_renamed_and_never_doubled(session: Session) -> None:
    count = load_areas(session)
    renamed = session.scalars(select(Area).where(Area.code == "79")).one()
    renamed.name = "Sài Gòn"
    session.flush()
    assert load_areas(session) == count
    session.refresh(renamed)
    assert renamed.name == "Hồ Chí Minh"
    assert session.scalar(select(func.count()).select_from(Area)) == count
